"""`audit`: looks at wheels, tells what it finds, and says by its status whether they are good."""

from __future__ import annotations

import contextlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.audit.archive import UnreadableWheelError
from aarch64_wheels.audit.catalogue import Levels, found, named
from aarch64_wheels.audit.check import audit_wheel
from aarch64_wheels.audit.claims import parse_plat
from aarch64_wheels.audit.document import as_json
from aarch64_wheels.audit.groups import closing
from aarch64_wheels.audit.model import AuditResult
from aarch64_wheels.audit.sarif import Subject, as_sarif, repository, uri_of
from aarch64_wheels.audit.table import explain, tell
from aarch64_wheels.commands.audit_files import check_sarif, find_wheels, is_named
from aarch64_wheels.errors import ExitCode
from aarch64_wheels.report.audits import render_audits
from aarch64_wheels.report.console import make_console
from aarch64_wheels.report.writer import write_whole
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    from aarch64_wheels.commands.audit_run import RunOptions
    from aarch64_wheels.errors import AarchWheelsError

#: Wheels that are audited at once: each takes its own size of memory, and more.
_AT_ONCE = 4


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to audit, and what to make of it.

    Attributes:
        paths: wheels, and directories whose wheels are taken.
        plat: a platform tag that each wheel must be good for.
        levels: what the user has chosen for some checks.
        as_json: print JSON, and nothing for people. sarif: write the findings there, too.
        run: import the extensions too, there; None: look at the files alone.
    """

    paths: Sequence[Path]
    plat: str | None = None
    levels: Levels = field(default_factory=Levels)
    as_json: bool = False
    sarif: Path | None = None
    run: RunOptions | None = None


@dataclass(frozen=True, kw_only=True)
class Audited:
    """What came of a file.

    Attributes:
        path: of the file. result: of the audit. is_wheel: it could be read as one.
        untried: it was to be run, and could not be; unfit: because nothing can, on this machine.
    """

    path: Path
    result: AuditResult
    is_wheel: bool
    untried: bool = False
    unfit: AarchWheelsError | None = None


def run_audit(order: Order, environ: Mapping[str, str]) -> int:
    """Audit wheels and tell the results; what can't be read as a wheel has failed.

    Returns:
        0 when every wheel is in order, else 1; 2 when no file has the name of a wheel; 3 when all
        are in order, but one could not be run.

    Raises:
        UsageError: a path does not exist, or there is no wheel in it, `plat` is not a tag of
            aarch64 Linux, or the SARIF has no place to be in; nothing is audited then.
        UnfitError: the SARIF cannot be written, or there is nothing to run wheels in (then all else
            is told before).
    """
    if order.plat is not None:
        parse_plat(order.plat)
    if order.sarif is not None:
        check_sarif(order.sarif)
    files = find_wheels(order.paths)
    console = make_console(sys.stdout, environ)
    rows = _told(console, order, files)
    if order.as_json:
        print(as_json([(row.path, row.result) for row in rows]), end="")  # the command's output
    if order.sarif:
        write_whole(order.sarif, _sarif(rows, repository(environ)), what="the SARIF")
    _tell_workflow(rows, environ, order.sarif)
    for row in rows:
        if row.unfit:
            raise row.unfit
    return _status(rows)


def run_explain(name: str) -> int:
    """Print what a check is about, or without a name the list of all.

    Raises:
        UsageError: there is no such check.
    """
    print(explain(named(name).name if name else ""), end="")  # the command's output
    return ExitCode.OK


def _told(console: Console, order: Order, files: Sequence[Path]) -> list[Audited]:
    """Audit the files, telling people of each as soon as it is its turn."""
    rows: list[Audited] = []
    is_live = console.is_terminal and not order.as_json
    with console.status("auditing") if is_live else contextlib.nullcontext() as status:
        for row in _rows(order, files):
            rows.append(row)
            if status:
                status.update(f"auditing, {len(rows)} of {len(files)} done")
            if not order.as_json:
                tell(console, row.result)
    if not order.as_json and len(rows) > 1:
        console.print(closing([(row.result.ok, row.result.findings) for row in rows]))
    return rows


def _rows(order: Order, files: Sequence[Path]) -> Iterator[Audited]:
    """Audit the files, and run what is in them where that is asked for."""
    if order.run is None:
        yield from _audited(order, files)
        return
    # Imported here: it brings the engine's library, which nothing else of the audit needs.
    from aarch64_wheels.commands.audit_run import image_of, run_imports

    image_of(order.run)  # bad usage is told before anything is audited
    rows = list(_audited(order, files))
    tried = run_imports([row.path for row in rows if row.is_wheel], order.run, _note)
    for row in rows:
        findings = order.levels.apply((*row.result.findings, *tried.findings.get(row.path, ())))
        yield replace(
            row,
            result=replace(row.result, findings=findings),
            untried=row.path in tried.untried,
            unfit=tried.unfit,
        )


def _note(text: str) -> None:
    print(one_line(text), file=sys.stderr)


def _audited(order: Order, files: Sequence[Path]) -> Iterator[Audited]:
    """Audit several files at a time; their results come in the files' order."""
    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, os.cpu_count() or 1)) as pool:
        try:
            yield from pool.map(lambda path: _audit(order, path), files)
        finally:  # an interrupt waits for what has begun, and begins nothing
            pool.shutdown(wait=False, cancel_futures=True)


def _audit(order: Order, path: Path) -> Audited:
    try:
        result = audit_wheel(path, plat=order.plat, levels=order.levels)
    except UnreadableWheelError as error:
        # No switch can make a wheel of it.
        finding = found(error.check, error.what, evidence=error.found)
        result = AuditResult(filename=path.name, tags=(), policy="", findings=(finding,))
        return Audited(path=path, result=result, is_wheel=False)
    return Audited(path=path, result=result, is_wheel=True)


def _sarif(rows: Sequence[Audited], base: Path) -> str:
    return as_sarif(
        Subject(uri=uri_of(row.path, base), name=row.path.name, findings=row.result.findings)
        for row in rows
    )


def _tell_workflow(rows: Sequence[Audited], environ: Mapping[str, str], sarif: Path | None) -> None:
    """Annotate a workflow's step, and write its summary."""
    results = [row.result for row in rows]
    if environ.get("GITHUB_ACTIONS") == "true":
        from aarch64_wheels.report.github import GitHubObserver

        # The runner reads commands on both streams; standard output may have to be JSON.
        with contextlib.redirect_stdout(sys.stderr):
            GitHubObserver().audited(results)
    if page := environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(page).open("a", encoding="utf-8") as file:
                # A blank line ends whatever the step has written before, such as a table.
                file.write(f"\n\n{render_audits(results, sarif=sarif.name if sarif else '')}")
        except OSError as error:
            _note(f"cannot write the summary {page}: {error.strerror or error}")


def _status(rows: Sequence[Audited]) -> int:
    if not any(is_named(row.path) for row in rows):
        return ExitCode.USAGE
    if not all(row.result.ok for row in rows):
        return ExitCode.TARGET_FAILED
    return ExitCode.UNFIT if any(row.untried for row in rows) else ExitCode.OK
