"""What a build requires, installed into an environment of its own."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.errors import CommandError, StageError
from aarch64_wheels.native.backend import NotNative
from aarch64_wheels.native.markers import for_target, is_requirement
from aarch64_wheels.native.overlay import lacks_wheel, lay_over, uv_platform
from aarch64_wheels.native.placement import write_pth
from aarch64_wheels.native.places import WORK
from aarch64_wheels.redaction import redact_logins
from aarch64_wheels.stages.bytecode import compile_bytecode
from aarch64_wheels.stages.job import ENVIRONMENT, PYTHON, UV_ENVIRONMENT, Job

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aarch64_wheels.engine.api import Argv, Session
    from aarch64_wheels.native.backend import BackendSetup
    from aarch64_wheels.native.facts import Facts

#: The status of a command that could not be started (POSIX; engines keep to it).
_NOT_STARTED = (126, 127)
#: What is to be resolved, and what it came to.
_WANTED = WORK / "requirements/pyproject.toml"
_PINS = WORK / "requirements/pins.txt"
_CONSTRAINTS = WORK / "requirements/constraints.txt"
_MAX_PINS = 1 << 20
#: A native interpreter compiles for the machine it runs on, and these are no such compilers: only
#: what needs none can be built from source for it.
_NO_COMPILERS = dict.fromkeys(("CC", "CXX", "LD", "AR", "FC"), "no-x86-64-compiler")
#: uv's words where a source did not become a wheel.
_NOT_BUILT = re.compile(r"Failed to build|build backend returned an error")
#: How uv begins the first line of an error, and each of its causes.
_LABEL = re.compile(r"^\s*(error:|cause:|\xd7|[╰├]─▶)\s+")
#: So many such lines of a failed command are kept, however much it says after them.
_FIRST_ERRORS = 3


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """The environment of one build, in its container.

    Attributes:
        session, job, setup: where, for what, and with which interpreters.
        facts: of the target's interpreter.
        native: it is for the native backend.
        variables: what the project tells an installer.
    """

    session: Session
    job: Job
    setup: BackendSetup
    facts: Facts
    native: bool
    variables: Mapping[str, str] = field(default_factory=dict)

    def make(self) -> None:
        """Make it with what `pyproject.toml` requires.

        To be called before any code of the project has run in the container.

        Raises:
            NotNative: what it needs cannot be had for a native interpreter.
            StageError: it cannot be had at all.
        """
        self._run(["uv", "venv", "--no-project", "--python", self._interpreter, ENVIRONMENT])
        write_pth(self.session, ENVIRONMENT / self.facts.site)
        self._install(self.job.plan.build_requires, is_empty=True)
        self._compile()

    def add(self, requires: Sequence[str]) -> None:
        """Install what the backend requires besides; raises as `make`."""
        self._install(requires, is_empty=False)

    def _install(self, requires: Sequence[str], *, is_empty: bool) -> None:
        if not requires:
            return
        if not self.native:
            limits = constrained(self.session, self.job)
            self._run(["uv", "pip", "install", "--python", PYTHON, *limits, "--", *requires])
        elif pins := self._pins(for_target(requires, self.facts), is_empty=is_empty):
            self._install_natively(pins)
            lay_over(self.session, self.facts, self.job.sink)

    @property
    def _interpreter(self) -> PurePosixPath:
        own = self.job.target.interpreter.python
        return self.setup.python or own if self.native else own

    def _pins(self, requires: Sequence[str], *, is_empty: bool) -> list[str]:
        """Resolve requirements to the releases that the target would be given.

        An installer that may only take native wheels would rather take an older release of
        what has none. As the target's installer, this one prefers what is installed already.
        """
        if not requires:
            return []
        if odd := [text for text in requires if not is_requirement(text)]:
            raise NotNative(f"this is no requirement by PEP 508: {odd[0]!r}")
        self.session.write(_WANTED, _as_project(requires))
        installed = "" if is_empty else self._installed()
        self.session.write(_PINS, installed.encode())
        argv: list[str | PurePosixPath]
        argv = ["uv", "pip", "compile", "--python", PYTHON, "--no-header", "--no-annotate"]
        argv += ["--python-version", ".".join(str(part) for part in self.facts.version)]
        argv += ["--python-platform", uv_platform(self.facts.libc_version)]
        argv += constrained(self.session, self.job)
        try:
            self._run([*argv, "--output-file", _PINS, _WANTED], _NO_COMPILERS)
        except CommandError as error:
            if not _NOT_BUILT.search(error.tail):
                raise
            raise NotNative(
                f"a build requirement cannot be asked natively: {_told(error)}"
            ) from error
        pins = self.session.read(_PINS, _MAX_PINS).decode(errors="replace").splitlines()
        return [pin for pin in pins if pin.strip() and not pin.startswith("#")]

    def _installed(self) -> str:
        argv = ("uv", "pip", "freeze", "--python", PYTHON)
        env, root = UV_ENVIRONMENT, PurePosixPath("/")
        return self.session.capture(argv, sink=self.job.sink, env=env, cwd=root)

    def _install_natively(self, pins: Sequence[str]) -> None:
        """Take wheels; where there is one of none, what is pure Python may be built."""
        argv = ("uv", "pip", "install", "--python", PYTHON, "--compile-bytecode", "--no-deps")
        try:
            self._run([*argv, "--only-binary", ":all:", "--", *pins])
        except CommandError as error:
            if not lacks_wheel(error.tail):
                raise
            self._build_natively([*argv, "--", *pins])

    def _build_natively(self, argv: Argv) -> None:
        try:
            self._run(argv, _NO_COMPILERS)
        except CommandError as error:
            if told := _told(error):
                raise NotNative(f"a build requirement has no x86-64 wheel: {told}") from error
            raise

    def _run(self, argv: Argv, variables: dict[str, str] | None = None) -> None:
        """Run uv out of the project, whose own settings for it are not for us."""
        env = {**self.variables, **UV_ENVIRONMENT, **(variables or {})}
        errors: list[str] = []

        def sink(line: str) -> None:
            if _LABEL.match(line) and len(errors) < _FIRST_ERRORS:
                errors.append(line)
            self.job.sink(line)

        try:
            self.session.run(argv, sink=sink, env=env, cwd=PurePosixPath("/"))
        except CommandError as error:
            raise explained(error, errors) from error

    def _compile(self) -> None:
        """Make the bytecode of an emulated environment; a native one's is made as it is filled."""
        if not self.native:
            site, magic = ENVIRONMENT / self.facts.site, self.facts.magic
            own, workers = self.setup.python, self.setup.parallel
            compile_bytecode(self.session, own, magic, site, workers, self.job.sink)


def constrained(session: Session, job: Job) -> list[str | PurePosixPath]:
    """Give uv's option for the project's constraints, if it has any."""
    if not job.given.constraints:
        return []
    session.write(_CONSTRAINTS, job.given.constraints.encode(errors="replace"))
    return ["--constraints", _CONSTRAINTS]


def explained(error: CommandError, first: Sequence[str]) -> StageError:
    """Say why uv failed, also where a failed build says much after uv's own first lines."""
    if error.status in _NOT_STARTED:
        return StageError(
            "the image has no `uv` on PATH",
            found=error.tail,
            hint="use a current manylinux or musllinux image, or `--image debian`",
        )
    # The error tells them without logins.
    lost = [line for line in first if redact_logins(line) not in error.tail]
    tail = "\n".join([*lost, error.tail])
    return CommandError(error.argv, error.status, tail, emulated=error.emulated)


def _as_project(requires: Sequence[str]) -> bytes:
    """Write requirements where none of them can pass for an option, as a line by itself could."""
    names = json.dumps(list(requires), ensure_ascii=False)
    text = f'[project]\nname = "build-requirements"\nversion = "0"\ndependencies = {names}\n'
    return text.encode(errors="replace")


def _told(error: CommandError) -> str:
    """Give the line in which uv names the requirement that it cannot give a native interpreter.

    Empty where it failed for another reason, which it would have for any interpreter.
    """
    lines = (line.strip() for line in error.tail.splitlines())
    found = (line for line in lines if lacks_wheel(line) or _NOT_BUILT.search(line))
    return _LABEL.sub("", next(found, ""))
