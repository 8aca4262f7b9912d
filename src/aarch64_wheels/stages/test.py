"""Stage 5: the finished wheel, installed into a fresh environment away from the source, is tested.

The steps and their variables are those of cibuildwheel (docs, option `test-command`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.errors import CommandError, StageError, is_crash
from aarch64_wheels.native.places import PROJECT
from aarch64_wheels.stages.before import own_variables, run_shell
from aarch64_wheels.stages.bytecode import ask_bytecode, compile_bytecode
from aarch64_wheels.stages.installer import as_uv
from aarch64_wheels.stages.job import FINISHED, TESTS, UV_ENVIRONMENT, Job
from aarch64_wheels.stages.requirements import constrained, explained
from aarch64_wheels.stages.variables import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path, PurePosixPath

    from aarch64_wheels.engine.api import Argv, Session

_ENVIRONMENT = TESTS / "environment"
_PYTHON = _ENVIRONMENT / "bin/python"
#: Where the tests run: nothing of the project can be imported from here by accident.
_PLACE = TESTS / "run"
#: Found by a test runner that is let loose on this directory instead of on the project's tests.
_WARNING = """\
import unittest


class NoTestsHere(unittest.TestCase):
    def test_that_the_command_names_the_tests(self) -> None:
        self.fail(
            "tests run outside of the project, so that the wheel is tested and not the source: "
            "name them in `test-command`, as in `pytest {project}/tests`, or list them in "
            "`test-sources`"
        )
"""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where a wheel is tested.

    Attributes:
        session: the container it was built in, or another one with the project in it.
        python: the target's interpreter there. path: the PATH there.
        native: a native interpreter of the same version, None if there is none.
        parallel: how many processes may work at the same time.
    """

    session: Session
    python: PurePosixPath
    path: str
    native: PurePosixPath | None = None
    parallel: int = 1


def run_tests(bench: Bench, job: Job, wheel: Path) -> None:
    """Install the wheel as it will be published, and run the project's tests.

    Args:
        bench: where.
        job: what is tested, and how.
        wheel: on this host.

    Raises:
        StageError: something cannot be installed, or a test fails.
    """
    options, session = job.target.options, bench.session
    place = FINISHED / wheel.name
    session.copy_in(wheel, place)
    make = ["uv", "venv", "--seed", "--no-project", "--python"]
    _uv(bench, job, [*make, bench.python, _ENVIRONMENT], {})
    variables = _variables(bench, job)
    if options.before_test:
        run_shell(session, job, options.before_test, variables, wheel=place)
    _install(bench, job, place, variables)
    _lay_out(session, job)
    try:
        run_shell(session, job, options.test_command, variables, _PLACE, wheel=place)
    except CommandError as error:
        if not is_crash(error):
            raise
        # The emulator's own faults seldom happen twice; a failing test does.
        job.sink(f"{error.what}: the tests are run once more")
        run_shell(session, job, options.test_command, variables, _PLACE, wheel=place)


def _variables(bench: Bench, job: Job) -> dict[str, str]:
    """Activate the environment, and evaluate the project's variables upon it."""
    own = own_variables(bench.session, job, {"PATH": bench.path})
    active = {
        **own,
        "VIRTUAL_ENV": str(_ENVIRONMENT),
        "PATH": f"{_ENVIRONMENT / 'bin'}:{own['PATH']}",
    }
    wanted = job.target.options.test_environment
    return evaluate(bench.session, wanted, active, PROJECT, job.sink, "test-environment")


def _install(bench: Bench, job: Job, wheel: PurePosixPath, variables: Mapping[str, str]) -> None:
    options = job.target.options
    extras = f"[{','.join(options.test_extras)}]" if options.test_extras else ""
    install: Argv = ["uv", "pip", "install", "--python", _PYTHON]
    limits = constrained(bench.session, job)
    said = as_uv(variables)
    _uv(bench, job, [*install, *limits, "--", f"{wheel}{extras}"], said)
    groups = [f"--group={job.place}/pyproject.toml:{name}" for name in options.test_groups]
    if groups or options.test_requires:
        # At once, so that what they require besides suits both. Options of pip, such as
        # `-r tests/requirements.txt`, may be among them.
        _uv(bench, job, [*install, *limits, *groups, *options.test_requires], said)
    if bench.native is not None:
        _compile(bench, bench.native, job)


def _compile(bench: Bench, native: PurePosixPath, job: Job) -> None:
    """Make bytecode natively; that this cannot be done says nothing of the wheel."""
    try:
        magic, site = ask_bytecode(bench.session, _PYTHON)
    except StageError as error:
        job.sink(f"no bytecode was made natively: {error.what}")
        return
    compile_bytecode(bench.session, native, magic, site, bench.parallel, job.sink)


def _lay_out(session: Session, job: Job) -> None:
    """Make the directory that the tests run in, with the project's `test-sources` in it."""
    sources = job.target.options.test_sources
    if not sources:
        session.write(_PLACE / "test_fail.py", _WARNING.encode())
    for name in sources:
        path = job.source / name
        if not _is_in(path, job.source):
            raise StageError(
                f"`test-sources` names {name}, which the project has not got",
                hint="give files and directories of the project, relative to it",
            )
        session.copy_in(path, _PLACE / name, exclude=job.left_out)


def _is_in(path: Path, project: Path) -> bool:
    """Tell whether a project has such a file or directory, not by a link that leads out of it."""
    try:
        return path.exists() and path.resolve().is_relative_to(project.resolve())
    except OSError:  # a name that no file can have
        return False


def _uv(bench: Bench, job: Job, argv: Argv, variables: Mapping[str, str]) -> None:
    env = {**variables, **UV_ENVIRONMENT, "PATH": bench.path}
    try:
        bench.session.run(argv, sink=job.sink, env=env, cwd=PROJECT)
    except CommandError as error:
        raise explained(error, []) from error
