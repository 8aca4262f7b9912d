"""Calls a hook of the build backend in the container, in a process of its own (PEP 517)."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aarch64_wheels.errors import CommandError, StageError
from aarch64_wheels.native.backend import BackendOutcome, NotNative, why_not_native
from aarch64_wheels.native.placement import CALL_HOOK
from aarch64_wheels.native.places import CALLS
from aarch64_wheels.native.provenance import MAX_BYTES, Call, parse_calls
from aarch64_wheels.stages.job import PYTHON, Job

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath

    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.native.facts import Facts

#: Of a record that is too long to be read as a whole, so many bytes at its end are.
_END = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A container in which a build can run.

    Attributes:
        outcome: who runs the backend. facts: of the target's interpreter.
        variables: for its processes. settings: the backend's config_settings.
        python: runs the hooks.
    """

    outcome: BackendOutcome
    facts: Facts
    python: PurePosixPath = PYTHON
    variables: Mapping[str, str]
    settings: Mapping[str, str | list[str]] = field(default_factory=dict)


@dataclass(kw_only=True)
class _Answer:
    """Takes a hook's output line by line, and keeps the one that is the answer."""

    job: Job
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    text: str = ""

    def sink(self, line: str) -> None:
        if line.startswith(self.token):
            self.text = line[len(self.token) :]
        else:
            self.job.sink(line)


def call_hook(
    session: Session, job: Job, prepared: Prepared, hook: str, *directories: PurePosixPath
) -> Any:
    """Call one hook in the package's directory; its output goes to the job's sink as it comes.

    Args:
        session: the container.
        job: what is built.
        prepared: how.
        hook: its name.
        *directories: its arguments, made if need be.

    Returns:
        What the hook returned: text, or a list of texts.

    Raises:
        NotNative: it failed natively, for a reason that may not be its own.
        StageError: it failed, or ended without an answer.
    """
    answer = _Answer(job=job)
    names = [str(directory) for directory in directories]
    arguments = json.dumps([names, prepared.settings or None])
    argv = (prepared.python, CALL_HOOK, answer.token, hook, arguments, job.plan.build_backend)
    try:
        session.run(
            (*argv, *job.plan.backend_path), sink=answer.sink, env=prepared.variables, cwd=job.place
        )
    except CommandError as error:
        raise _told(session, prepared, hook, error) from error
    if not answer.text:
        raise StageError(f"the build backend left {hook} without an answer")
    return json.loads(answer.text)


def _told(session: Session, prepared: Prepared, hook: str, error: CommandError) -> StageError:
    """Make the error that says what failed: the hook, in the backend's words."""
    if prepared.outcome.is_native and (reason := why_not_native(error, last_calls(session))):
        return NotNative(reason)
    emulated = error.emulated and not prepared.outcome.is_native
    argv = (f"{hook} of the build backend",)
    return CommandError(argv, error.status, error.tail, emulated=emulated)


def last_calls(session: Session) -> tuple[Call, ...]:
    """Read the end of the record of compiler calls; with `--compiler gcc` there is none."""
    try:
        record = session.read(CALLS, MAX_BYTES + 1)
        if len(record) > MAX_BYTES:
            record = session.capture(["tail", "-c", str(_END), CALLS]).encode()
    except StageError:
        return ()
    return parse_calls(record)
