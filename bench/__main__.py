"""`python -m bench`, which `make bench` calls."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels import signals
from aarch64_wheels.errors import AarchWheelsError
from bench import cibw, heavy, machine
from bench.model import Results
from bench.output import Output
from bench.prepare import Preparation
from bench.run import ACCELERATED_IMAGE, Run, Tools
from bench.sources import Catalogue, Source, load_catalogue
from bench.workplace import REPOSITORY, Workplace, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Seconds after which a quick run starts nothing more, so that it ends within ten minutes.
QUICK_SECONDS = 480
ROUNDS = 3
RESULTS = Path("bench/results")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, or draw kept results anew; 0 if nothing failed, 1 if something did."""
    arguments = _parser().parse_args(argv)
    output = Output(_directory(arguments))
    if arguments.redraw:
        output.write(output.read())
        return 0
    signals.install()
    try:
        return _measure(arguments, output)
    except AarchWheelsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"interrupted; what was measured is in {output.directory}", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description="Measure builds side by side.")
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="default: all of sources.toml")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="builds of each (default: 3)")
    parser.add_argument("--quick", action="store_true", help="one source, one round")
    parser.add_argument("--heavy", action="store_true", help="add the big source")
    text = f"default: {RESULTS}; below it, quick or part for less than everything"
    parser.add_argument("--output", type=Path, metavar="DIR", help=text)
    parser.add_argument("--logs", type=Path, default=REPOSITORY / "build/bench", metavar="DIR")
    parser.add_argument("--redraw", action="store_true", help="only draw results.json anew")
    return parser


def _directory(arguments: argparse.Namespace) -> Path:
    """Choose where results go: a part must not replace the results of everything."""
    if arguments.output:
        return Path(arguments.output)
    part = "quick" if arguments.quick else "part" if arguments.sources else ""
    return REPOSITORY / RESULTS / part


def _measure(arguments: argparse.Namespace, output: Output) -> int:
    catalogue = load_catalogue()
    sources = _sources(arguments, catalogue)
    with ExitStack() as stack:
        place = Workplace.open(arguments.logs.absolute(), stack)
        stack.callback(place.engine.forget_image, ACCELERATED_IMAGE)
        stack.callback(cibw.remove_containers, place)
        run = _prepare(arguments, catalogue, sources, place, output)
        run.all(sources, quick=arguments.quick)
        if arguments.heavy:
            heavy.measure(run)
        run.update(replace(run.results, complete=True))
    tell(f"\n{output.text()}\nwritten to {output.directory}")
    return 1 if any(row.error for row in run.results.measurements) else 0


def _sources(arguments: argparse.Namespace, catalogue: Catalogue) -> tuple[Source, ...]:
    names: list[str] = arguments.sources
    if arguments.quick and not names:
        return tuple(source for source in catalogue.sources if source.main)
    try:
        return catalogue.pick(names)
    except ValueError as error:
        _parser().error(str(error))


def _prepare(
    arguments: argparse.Namespace,
    catalogue: Catalogue,
    sources: tuple[Source, ...],
    place: Workplace,
    output: Output,
) -> Run:
    """Set up what is needed and start the results."""
    small = next(source for source in catalogue.sources if source.name == "markupsafe")
    tools = Preparation(place=place, catalogue=catalogue, small=small).all(sources)
    big = catalogue.heavy.source
    results = Results(
        started=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        machine=_facts(place, tools),
        sources=tuple(f"{source.name} {source.version}" for source in sources),
        rounds=1 if arguments.quick else arguments.rounds,
        python=catalogue.python,
        heavy=f"{big.name} {big.version}" if arguments.heavy else "",
        notes=tools.notes,
    )
    deadline = time.monotonic() + QUICK_SECONDS if arguments.quick else None
    return Run(
        place=place,
        catalogue=catalogue,
        tools=tools,
        results=results,
        write=output.write,
        deadline=deadline,
    )


def _facts(place: Workplace, tools: Tools) -> dict[str, str]:
    facts = machine.machine_facts(place, tools.python)
    if tools.clang:
        facts["clang"] = machine.clang_version(tools.clang.cc)
    return facts


if __name__ == "__main__":
    sys.exit(main())
