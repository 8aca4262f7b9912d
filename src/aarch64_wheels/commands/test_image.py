"""Another image to test wheels in (`--test-image`), such as a clean distribution."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.errors import CommandError, StageError
from aarch64_wheels.native.places import BIN
from aarch64_wheels.stages.project import place_project
from aarch64_wheels.stages.test import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.commands.containers import Containers
    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.native.backend import BackendSetup
    from aarch64_wheels.native.setup import NativeTools
    from aarch64_wheels.plan import Interpreter
    from aarch64_wheels.stages.job import Job

#: Prints the first of its arguments that can be run.
_FIRST = 'for name in "$@"; do command -v "$name" && exit; done; exit 1'


@dataclass(frozen=True, kw_only=True)
class TestImage:
    """Makes containers to test in: nothing is in them but the project and the wheel.

    Attributes:
        containers: of that image. tools: native ones, of which an installer is used.
    """

    #: For test runners that collect by name.
    __test__ = False

    containers: Containers
    tools: NativeTools | None

    @contextmanager
    def bench(self, job: Job, setup: BackendSetup) -> Iterator[Bench]:
        """Make one for a target.

        Args:
            job: what is tested.
            setup: knows the native interpreter.

        Raises:
            StageError: the image has no such interpreter.
        """
        own = self.containers.engine.image_path(self.containers.reference)
        # Native tools only stand in for what the image has not got.
        path = f"{own}:{BIN}" if self.tools else own
        mounts = self.tools.mounts(job.target.interpreter) if self.tools else ()
        with self.containers.plain(mounts, path) as session:
            python = _find_python(session, job.target.interpreter)
            place_project(session, job)
            native, parallel = setup.python, setup.parallel
            yield Bench(session=session, python=python, path=path, native=native, parallel=parallel)


def _find_python(session: Session, interpreter: Interpreter) -> PurePosixPath:
    suffix = "t" if interpreter.tag.endswith("t") else ""
    named = f"{'pypy' if interpreter.tag.startswith('pp') else 'python'}{interpreter.version}"
    try:
        found = session.capture(["/bin/sh", "-c", _FIRST, "sh", interpreter.python, named + suffix])
    except CommandError as error:
        raise StageError(
            f"the test image has no {named}{suffix}",
            found=error.tail or f"neither {interpreter.python} nor {named}{suffix} on PATH",
            hint="leave such targets out with --test-skip, or use another --test-image",
        ) from None
    return PurePosixPath(found.strip())
