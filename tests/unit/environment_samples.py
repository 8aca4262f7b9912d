"""Stage 1 in all its ways: a container, a plan, and what happened in between."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from aarch64_wheels.native.backend import first_choice
from aarch64_wheels.native.placement import PACKAGE
from aarch64_wheels.settings.schema import Backend, Compiler, Mode
from aarch64_wheels.stages.environment import prepare_environment
from tests.unit.backend_samples import ASK, HOOK, backend, says_facts, setup
from tests.unit.fake_session import FakeSession
from tests.unit.stage_samples import make_job, says

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aarch64_wheels.native.backend import BackendSetup
    from aarch64_wheels.stages.hooks import Prepared
    from aarch64_wheels.stages.job import Job

PYTHON = "/aarch64-wheels/environment/bin/python"
NATIVE = PurePosixPath("/native/python/cp313/bin/python3.13")
INSTALL = f"uv pip install --python {PYTHON} --"
RESOLVE = f"uv pip compile --python {PYTHON}"
NATIVELY = f"uv pip install --python {PYTHON} --compile-bytecode --no-deps"
PINS = PurePosixPath("/aarch64-wheels/requirements/pins.txt")
WANTED = PurePosixPath("/aarch64-wheels/requirements/pyproject.toml")
SCAN = f"{PYTHON} -I {PACKAGE}/overlay.py scan"
NOTHING = says('{"wheels": [], "foreign": "", "conflict": "", "conditional": []}')
VENV = "uv venv --no-project --python"
COMPILE = f"{NATIVE} -I -c"


def fresh_session(requires: tuple[str, ...] = (), **effects: Any) -> FakeSession:
    named = {
        ASK: says_facts(),
        SCAN: NOTHING,
        HOOK: backend(requires=requires),
        RESOLVE: _resolve,
    }
    return FakeSession(effects={**effects, **named})


def _resolve(session: FakeSession) -> str:
    """Pin what is wanted: each as it is, at version 1."""
    names = tomllib.loads(session.files[WANTED].decode())["project"]["dependencies"]
    pins = "".join(f"{re.match('[a-z0-9]*', name)[0]}==1\n" for name in names)  # type: ignore[index]
    session.files[PINS] = pins.encode()
    return pins


def broken_session(start: str, effect: Any, requires: tuple[str, ...] = ()) -> FakeSession:
    session = fresh_session(requires)
    others = {name: other for name, other in session.effects.items() if name != start}
    return replace(session, effects={start: effect, **others})


def prepare_emulated(
    tmp_path: Path, session: FakeSession, lines: list[str] | None = None, **plan_fields: Any
) -> Prepared:
    fields = {"mode": Mode.EMULATED, "backend": Backend.EMULATED, **plan_fields}
    return _prepare(session, make_job(tmp_path, lines, **fields), setup(tmp_path))


def prepare_accelerated(
    tmp_path: Path, session: FakeSession, lines: list[str] | None = None, **plan_fields: Any
) -> Prepared:
    fields = {"mode": Mode.ACCELERATED, "backend": Backend.AUTO, "compiler": Compiler.AUTO}
    job = make_job(tmp_path, lines, **{**fields, **plan_fields})
    return _prepare(session, job, setup(tmp_path, NATIVE, parallel=2))


def _prepare(session: FakeSession, job: Job, fit: BackendSetup) -> Prepared:
    return prepare_environment(session, job, fit, first_choice(job.plan, fit))


def steps_of(session: FakeSession) -> list[str]:
    """The events, without what differs from call to call."""
    names = {ASK: "ask", HOOK: "hook", COMPILE: "compile", SCAN: "scan", RESOLVE: "resolve"}
    found = []
    for event in session.events:
        known = [name for start, name in names.items() if event.startswith(start)]
        found.append(known[0] if known else event)
    return found


def refuses(error: Exception) -> Callable[[FakeSession], str]:
    def effect(_session: FakeSession) -> str:
        raise error

    return effect
