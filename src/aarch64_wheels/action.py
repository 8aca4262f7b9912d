"""The Action's edge: inputs in, the same build as the command's, outputs and summary out.

`action.yml` runs it as `python -m aarch64_wheels.action`. A composite action's inputs reach
a step only through `env:`, where it names them INPUT_OUTPUT_DIR and so on: with underscores,
because a shell may drop variables whose names are not identifiers.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from actions_toolkit import core

from aarch64_wheels import signals
from aarch64_wheels.audit.sarif import FILE_NAME as SARIF_NAME
from aarch64_wheels.errors import AarchWheelsError, ExitCode, UnfitError, UsageError
from aarch64_wheels.hostindex import pip_config_files, read_index_settings
from aarch64_wheels.report.github import GitHubObserver
from aarch64_wheels.report.summary import render_summary
from aarch64_wheels.report.writer import FILE_NAME
from aarch64_wheels.settings.layers import load
from aarch64_wheels.settings.schema import BuildOptions, Settings, options
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aarch64_wheels.report.model import Report

_TITLE = "aarch64-wheels"


def main() -> int:
    """Run the building step; what it returns is its exit status."""
    observer = GitHubObserver(verbose=core.is_debug())
    return guarded(lambda: _run(os.environ, observer), observer)


def guarded(work: Callable[[], int], observer: GitHubObserver) -> int:
    """Do a step's work, turning errors into annotations and its exit status."""
    try:
        return work()
    except AarchWheelsError as error:
        observer.fail(str(error), title=_TITLE)
        return int(error.exit_code)
    except KeyboardInterrupt as stop:
        observer.note("cancelled: no container is left, and what was published stays")
        return 128 + (signal.SIGTERM if isinstance(stop, signals.Terminated) else signal.SIGINT)
    except Exception as error:  # noqa: BLE001 - a traceback is for those who debug
        observer.fail(_unexpected(error), title=f"{_TITLE}: internal error")
        return int(ExitCode.TARGET_FAILED)
    finally:
        observer.close()


def read_flags(*kinds: type) -> dict[str, object]:
    """Read the inputs, by field name of classes of settings; an empty input is not given."""
    rows = [option for kind in kinds or (Settings, BuildOptions) for option in options(kind)]
    return {option.field: core.get_input(option.field) or None for option in rows}


def read_switch(name: str, *, default: bool) -> bool:
    """Read an input that is no setting: `true`, `false` or not given.

    Raises:
        UsageError: it is something else.
    """
    value = core.get_input(name.replace("-", "_")).lower()
    if value not in {"", "true", "false"}:
        raise UsageError(f"the input `{name}` must be true or false", found=repr(value))
    return value == "true" if value else default


def _run(environ: Mapping[str, str], observer: GitHubObserver) -> int:
    # Imported when needed: it brings the engine's library, which wrong inputs can do without.
    from aarch64_wheels.commands.build import run_build

    _mask_passwords(environ)
    read_switch("build", default=True)
    layers = load(read_flags(), environ)
    settings = layers.settings()
    if read_switch("setup", default=True):
        with observer.group("check the runner"):
            status = _prepare(settings, environ)
        if status != ExitCode.OK:
            raise _not_fit()
    status, report = run_build(layers, environ, observer)
    _hand_over(report, settings.output_dir.absolute(), environ)
    return int(status)


def _mask_passwords(environ: Mapping[str, str]) -> None:
    """Have the log show `***` for passwords in the URLs of package indexes and of the source."""
    index = read_index_settings(environ, pip_config_files(environ, Path.home()))
    # A user without a password is a token, but for ssh, where it is a mere name.
    words = core.get_input("source").split()
    sources = [word for word in words if "://" in word and "ssh://" not in word]
    for url in filter(None, [index.index_url, *index.extra_index_urls, *sources]):
        for secret in passwords(url):
            core.set_secret(secret)
    sys.stdout.flush()


def passwords(url: str) -> tuple[str, ...]:
    """Find what in a URL is secret, as it stands there and decoded.

    A name without a password is one, too: some servers take a token there.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return ()
    secret = parts.password or parts.username or ""
    return tuple(dict.fromkeys(filter(None, (secret, unquote(secret)))))


def _prepare(settings: Settings, environ: Mapping[str, str]) -> int:
    from aarch64_wheels.catalogue import find_image
    from aarch64_wheels.doctor import run_doctor

    return run_doctor(
        fix=True,
        as_json=False,
        cache_dir=settings.cache_dir,
        output_dir=settings.output_dir,
        environ=environ,
        engine_name=settings.engine,
        embedded=find_image(settings.image).embedded,
    )


def _not_fit() -> UnfitError:
    return UnfitError(
        "this runner can't build aarch64 wheels as it is",
        found="the checks that failed are in the step's log, under `check the runner`",
        hint="mend what they name, or set `setup: false` to build without these checks",
    )


def _hand_over(report: Report, output_dir: Path, environ: Mapping[str, str]) -> None:
    """Hand what was built to the workflow; finished wheels count even when others failed."""
    wheels = [str(output_dir / wheel.filename) for wheel in report.wheels]
    core.set_output("wheels", json.dumps(wheels))
    core.set_output("wheelhouse", str(output_dir))
    core.set_output("report", str(output_dir / FILE_NAME))
    core.set_output("sarif", str(output_dir / SARIF_NAME))
    if page := environ.get("GITHUB_STEP_SUMMARY"):
        with Path(page).open("a", encoding="utf-8") as file:
            file.write(render_summary(report))


def _unexpected(error: Exception) -> str:
    """Describe a fault of this program: where it happened, and how to see more."""
    if core.is_debug():
        return "".join(traceback.format_exception(error))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    return (
        f"internal error: {type(error).__name__}: {one_line(str(error))}\n"
        f"found: at {place}\n"
        "next: run the job again with debug logging, and report what it shows"
    )


if __name__ == "__main__":
    signals.install()
    sys.exit(main())
