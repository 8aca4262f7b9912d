"""What a build requires, installed into an environment that is kept for later runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.errors import CommandError, StageError
from aarch64_wheels.native.backend import NotNative
from aarch64_wheels.native.markers import for_target
from aarch64_wheels.native.overlay import lay_over
from aarch64_wheels.native.placement import PTH, write_pth
from aarch64_wheels.stages.hooks import NOT_STARTED
from aarch64_wheels.stages.job import ENVIRONMENT, PYTHON, UV_ENVIRONMENT, Job

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aarch64_wheels.engine.api import Argv, Session
    from aarch64_wheels.native.backend import BackendSetup
    from aarch64_wheels.native.facts import Facts

#: A native interpreter compiles for the machine it runs on, and these are no such compilers: only
#: what needs none can be built from source for it.
_NO_COMPILERS = dict.fromkeys(("CC", "CXX", "LD", "AR", "FC"), "no-x86-64-compiler")
#: Bytecode is the same on every machine (PEP 3147), if the interpreters agree on its form.
_COMPILE = """\
import compileall, importlib.util, sys
if importlib.util.MAGIC_NUMBER.hex() == sys.argv[1]:
    compileall.compile_dir(sys.argv[2], quiet=2, workers=int(sys.argv[3]))
"""


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """The environment of one build, in its container.

    Attributes:
        session, job, setup: where, for what, and with which interpreters.
        facts: of the target's interpreter.
        native: it is for the native backend.
    """

    session: Session
    job: Job
    setup: BackendSetup
    facts: Facts
    native: bool

    def prepare(self) -> bool:
        """Take the environment of an earlier run, or make one.

        Returns:
            True if it is an earlier one, which nobody has looked at yet.

        Raises:
            NotNative: what it needs cannot be had for a native interpreter.
            StageError: it cannot be had at all.
        """
        archive = self._archive
        if not self.job.environments.holds(archive):
            self._make()
            return False
        self.job.sink(f"using the build environment kept in {archive}")
        try:
            self.session.restore(archive, ENVIRONMENT.parent)
        except StageError as error:
            self.make_anew(error)
            return False
        return True

    def make_anew(self, error: StageError) -> None:
        """Forget a kept environment that has turned out to be damaged; raises as `prepare`."""
        self.job.sink(f"the kept build environment is damaged, and made anew: {error}")
        self._archive.unlink(missing_ok=True)
        self.session.run(["rm", "-rf", ENVIRONMENT], sink=self.job.sink)
        self._make()

    @property
    def _archive(self) -> Path:
        made_by = (PTH, self.setup.key) if self.native else (PTH,)
        requires = self.job.plan.build_requires
        return self.job.environments.archive(self.job.target.interpreter, requires, made_by)

    def _make(self) -> None:
        """Make it with what `pyproject.toml` requires, and keep it."""
        self._run(["uv", "venv", "--no-project", "--python", self._interpreter, ENVIRONMENT])
        write_pth(self.session, ENVIRONMENT / self.facts.site)
        self.install(self.job.plan.build_requires)
        self._compile()
        try:
            self._save(self._archive)
        except OSError as error:  # a full disk costs the next run some time, not this its wheel
            self.job.sink(f"the build environment is not kept for later runs: {error}")

    def install(self, requires: Sequence[str]) -> None:
        """Install requirements.

        Raises:
            NotNative: one of them cannot be had for a native interpreter.
            StageError: one of them cannot be had at all.
        """
        if not requires:
            return
        argv = ("uv", "pip", "install", "--python", PYTHON)
        if not self.native:
            self._run([*argv, "--", *requires])
            return
        if native := for_target(requires, self.facts):
            self._install_natively((*argv, "--compile-bytecode"), ("--", *native))
            lay_over(self.session, self.facts, self.job.sink)

    @property
    def _interpreter(self) -> PurePosixPath:
        own = self.job.target.interpreter.python
        return self.setup.python or own if self.native else own

    def _install_natively(self, argv: Argv, requires: Sequence[str]) -> None:
        """Take wheels; where there is one of none, what is pure Python may be built."""
        try:
            self._run([*argv, "--only-binary", ":all:", *requires])
        except CommandError:
            try:
                self._run([*argv, *requires], _NO_COMPILERS)
            except CommandError as error:
                last = (error.tail.strip() or "uv failed").splitlines()[-1].strip()
                raise NotNative(f"a build requirement has no x86-64 wheel: {last}") from error

    def _run(self, argv: Argv, variables: dict[str, str] | None = None) -> None:
        """Run uv out of the project, whose own settings for it are not for us."""
        env = {**UV_ENVIRONMENT, **(variables or {})}
        try:
            self.session.run(argv, sink=self.job.sink, env=env, cwd=PurePosixPath("/"))
        except CommandError as error:
            if error.status not in NOT_STARTED:
                raise
            raise StageError(
                "the image has no `uv` on PATH",
                found=error.tail,
                hint="use a current manylinux or musllinux image, or `--image debian`",
            ) from error

    def _compile(self) -> None:
        """Make the bytecode of an emulated environment natively, where that can be done."""
        if self.native or self.setup.python is None:
            return
        site, workers = ENVIRONMENT / self.facts.site, str(self.setup.parallel)
        argv = (self.setup.python, "-I", "-c", _COMPILE, self.facts.magic, site, workers)
        try:
            self.session.run(argv, sink=self.job.sink)
        except CommandError as error:  # the interpreters make it themselves, only slower
            self.job.sink(f"no bytecode was made natively: {error.what}")

    def _save(self, archive: Path) -> None:
        draft = self.job.environments.draft(archive)
        try:
            self.session.save(ENVIRONMENT, draft)
            draft.replace(archive)
        finally:
            draft.unlink(missing_ok=True)
