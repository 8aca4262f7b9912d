"""The project's own check of a finished wheel (`audit-command`), beside the audit of stage 4."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.native.places import PROJECT, WORK
from aarch64_wheels.sharing import is_stable_abi
from aarch64_wheels.stages.before import own_variables, run_shell
from aarch64_wheels.stages.job import FINISHED, UV_ENVIRONMENT, Job
from aarch64_wheels.stages.requirements import constrained

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.engine.api import Session

_ENVIRONMENT = WORK / "audit"
#: What cibuildwheel does unless told otherwise, and the audit of stage 4 does anyhow.
_USUAL = "abi3audit --strict --report {abi3_wheel}"
_STABLE = "{abi3_wheel}"


def run_audit_command(session: Session, job: Job, wheel: Path, image_path: str) -> None:
    """Run the project's commands, those with `{abi3_wheel}` for wheels of the stable ABI alone.

    They run in the container: cibuildwheel runs them on the host, which is none of a project's
    business here.

    Args:
        session: the container.
        job: what is built.
        wheel: as it came through the audit, on this host.
        image_path: the image's own PATH.

    Raises:
        StageError: one failed, or what they need cannot be installed.
    """
    rows = [row.strip() for row in job.target.options.audit_command.split(" && ")]
    commands = [row for row in rows if row not in ("", _USUAL) and _is_for(row, wheel.name)]
    if not commands:
        return
    place = FINISHED / wheel.name
    session.copy_in(wheel, place)
    variables = _environment(session, job, image_path)
    for command in commands:
        run_shell(session, job, command, variables, wheel=place, abi3_wheel=place)


def _requires(job: Job) -> tuple[str, ...]:
    """Say what the commands require: abi3audit, where nothing is set, as for cibuildwheel."""
    options = job.target.options
    usual = ("abi3audit",) if "abi3audit" in options.audit_command else ()
    return options.audit_requires or usual


def _is_for(command: str, name: str) -> bool:
    return _STABLE not in command or is_stable_abi(name)


def _environment(session: Session, job: Job, image_path: str) -> dict[str, str]:
    """Make an environment with `audit-requires`, and activate it."""
    python, root = job.target.interpreter.python, PurePosixPath("/")
    env = UV_ENVIRONMENT
    session.run(
        ["uv", "venv", "--seed", "--no-project", "--python", python, _ENVIRONMENT],
        sink=job.sink,
        env=env,
        cwd=root,
    )
    own = _ENVIRONMENT / "bin"
    if wanted := _requires(job):
        argv = ["uv", "pip", "install", "--python", own / "python", *constrained(session, job)]
        session.run([*argv, *wanted], sink=job.sink, env=env, cwd=PROJECT)
    return own_variables(
        session, job, {"VIRTUAL_ENV": str(_ENVIRONMENT), "PATH": f"{own}:{image_path}"}
    )
