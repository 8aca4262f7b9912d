"""The variables that a project sets for its build (`environment`), as bash evaluates them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.crash import describe_ending
from aarch64_wheels.errors import CommandError, StageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath

    from aarch64_wheels.engine.api import LineSink, Session

#: Holds them. Values may be secrets, and everybody sees the words of a command: the list of what
#: ran when a stage was ended has them, too.
_ASSIGNMENTS = "AARCH64_WHEELS_ASSIGNMENTS"
#: Assignments in one line are made one after the other, so each sees those before it. What bash
#: prints on its way is no answer: that goes to standard error.
_SCRIPT = (
    f'set -eu +u; exec 3>&1 1>&2; set -- "${_ASSIGNMENTS}"; unset {_ASSIGNMENTS}; '
    'set -a; eval "$1"; set +a; exec env -0 >&3'
)
#: What a shell sets by itself.
_OF_THE_SHELL = frozenset({"_", "PWD", "OLDPWD", "SHLVL"})


def evaluate(
    session: Session,
    assignments: str,
    base: Mapping[str, str],
    cwd: PurePosixPath,
    sink: LineSink,
    option: str = "environment",
) -> dict[str, str]:
    """Evaluate assignments in the container: `A=1 PATH="$HOME/bin:$PATH" B="$(nproc)"`.

    Args:
        session: the container; the project's code may have run in it.
        assignments: as they stand in the project's settings; empty if there are none.
        base: the variables that they see, and that they are put upon.
        cwd: where their commands run.
        sink: takes what these say.
        option: where the assignments stand, for the error.

    Returns:
        All variables of a build.

    Raises:
        StageError: bash refuses them, or a command in them fails. Values may be secrets, so
            neither they nor bash's words are in it: those are the sink's.
    """
    if not assignments.strip():
        return dict(base)
    try:
        answer = session.capture(
            ["bash", "-c", _SCRIPT, "environment"],
            sink=sink,
            env={**base, _ASSIGNMENTS: assignments},
            cwd=cwd,
        )
    except CommandError as error:
        ending, _ = describe_ending(error.status, emulated=error.emulated)
        raise StageError(
            f"the variables of `{option}` cannot be evaluated",
            found=f"bash {ending}",
            hint="it is one line of assignments for bash, whose own words are in the target's log",
        ) from error
    rows = (row.partition("=") for row in answer.split("\0") if row)
    return {**base, **{name: value for name, _, value in rows if name not in _OF_THE_SHELL}}
