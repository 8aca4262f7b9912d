"""Tries a wheel in a container: installs it into a fresh environment, and imports its extensions.

The environment is made as for tests (`stages.test`): by uv, away from everything else.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING

from aarch64_wheels.audit.run.findings import Trial
from aarch64_wheels.audit.run.outcome import Outcome
from aarch64_wheels.audit.run.place import ENVIRONMENT
from aarch64_wheels.errors import CommandError, StageError, TimedOutError
from aarch64_wheels.stages.bytecode import ask_bytecode, compile_bytecode
from aarch64_wheels.stages.job import FINISHED, TESTS, UV_ENVIRONMENT
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import PurePosixPath

    from aarch64_wheels.audit.model import Finding
    from aarch64_wheels.audit.run.extensions import Importable
    from aarch64_wheels.engine.api import Argv, Session

_PYTHON = ENVIRONMENT / "bin/python"
#: Where commands run: nothing can be imported from here by accident.
_PLACE = TESTS / "run"
_REQUEST = _PLACE / "request.json"
_SCRIPT = _PLACE / "import_extension.py"

#: Seconds for one import, and for all of a wheel in one interpreter.
SECONDS = 120
TOTAL = 1800
#: Processes that import at the same time; each may take as much memory as the package does.
PARALLEL = 2
#: Characters of an installer's words that are told.
_MOST_WORDS = 300
#: From so many extensions on bytecode is made first, as packages of that size import much.
_MANY = 8


@dataclass(frozen=True, kw_only=True)
class Place:
    """A container to try one wheel in.

    Attributes:
        session: a new container. python: the interpreter there; name: for people.
        native: a native interpreter of the same version, None if there is none.
        emulated: it runs under QEMU.
        indexed: there is an index that dependencies may be installed from.
        note: told what is left out.
    """

    session: Session
    python: PurePosixPath
    name: str
    native: PurePosixPath | None
    emulated: bool
    indexed: bool
    note: Callable[[str], None]

    def try_wheel(self, wheel: Importable) -> tuple[Finding, ...]:
        """Install a wheel and import its extensions.

        Raises:
            StageError: the container has failed, which says nothing of the wheel.
        """
        self._prepare(wheel)
        try:
            complete = self._install(FINISHED / wheel.path.name)
        except CommandError as error:
            return (self._trial(wheel, complete=False).not_installed(error.tail or error.what),)
        if len(wheel.extensions) >= _MANY:
            self._compile()
        answers = _Answers(most=len(wheel.extensions))
        # What is imported may end the process that watches over it: then answers are missing.
        with suppress(CommandError, TimedOutError):
            self.session.run(
                [_PYTHON, "-I", _SCRIPT, _REQUEST], sink=answers.take, env={}, cwd=_PLACE
            )
        trial = self._trial(wheel, complete=complete)
        return tuple(trial.findings(answers.rows.values()))

    def _trial(self, wheel: Importable, *, complete: bool) -> Trial:
        return Trial(
            wheel=wheel,
            python=self.name,
            emulated=self.emulated,
            complete=complete,
            seconds=SECONDS,
        )

    def _prepare(self, wheel: Importable) -> None:
        script = resources.files("aarch64_wheels.audit.run") / "import_extension.py"
        asked = {
            "extensions": [row.parts for row in wheel.extensions],
            "seconds": SECONDS,
            "total": TOTAL,
            "parallel": PARALLEL,
        }
        self.session.write(_SCRIPT, script.read_bytes())
        self.session.write(_REQUEST, json.dumps(asked).encode())
        self.session.copy_in(wheel.path, FINISHED / wheel.path.name)
        self._uv(["uv", "venv", "--quiet", "--no-project", "--python", self.python, ENVIRONMENT])

    def _install(self, wheel: PurePosixPath) -> bool:
        """Install the wheel; tells whether all that it depends on is there too.

        Raises:
            CommandError: it cannot be installed.
        """
        install: Argv = ["uv", "pip", "install", "--quiet", "--python", _PYTHON]
        # Nothing is compiled here: under emulation it takes long, and it may fail.
        whole = ["--only-binary", ":all:"] if self.indexed else ["--no-index"]
        try:
            self._uv([*install, *whole, "--", wheel])
        except CommandError as error:
            self._uv([*install, "--no-deps", "--no-index", "--", wheel])
            why = one_line(error.tail or error.what)[:_MOST_WORDS]
            self.note(f"{wheel.name}: its dependencies are not installed: {why}")
            return False
        return True

    def _uv(self, argv: Argv) -> None:
        self.session.run(argv, sink=_ignore, env=UV_ENVIRONMENT, cwd=_PLACE)

    def _compile(self) -> None:
        with suppress(StageError):  # the interpreter makes it itself, only slower
            magic, site = ask_bytecode(self.session, _PYTHON)
            compile_bytecode(self.session, self.native, magic, site, PARALLEL, _ignore)


def _ignore(_line: str) -> None:
    """Errors have the last lines anyway."""


@dataclass(kw_only=True)
class _Answers:
    """Takes the script's output; of an extension the first answer counts."""

    most: int
    rows: dict[int, Outcome] = field(default_factory=dict)

    def take(self, line: str) -> None:
        row = Outcome.parse(line)
        if row is not None and 0 <= row.index < self.most:
            self.rows.setdefault(row.index, row)
