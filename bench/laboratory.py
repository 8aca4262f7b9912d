"""A plain container of the embedded image, under QEMU, with an environment to try wheels in."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.engine.network import container_environment, network_mode
from aarch64_wheels.engine.spec import ContainerSpec
from aarch64_wheels.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

    from aarch64_wheels.engine.api import Argv, Session
    from bench.workplace import Workplace

_WORK = PurePosixPath("/bench")
PROJECT = _WORK / "project"
ENVIRONMENT = _WORK / "environment"
PYTHON = ENVIRONMENT / "bin/python"
_UV = {"UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}


@dataclass(frozen=True, kw_only=True)
class Laboratory:
    """The container, and the file that all output goes to."""

    session: Session
    log: IO[str]

    def run(self, argv: Argv, *, cwd: PurePosixPath = _WORK) -> None:
        """Run a program with the environment's own first on PATH.

        Raises:
            CommandError: it failed.
        """
        self._run(argv, cwd, lines=[])

    def try_run(self, argv: Argv) -> list[str]:
        """Run a program that may fail; gives what it printed."""
        lines: list[str] = []
        with suppress(CommandError):
            self._run(argv, _WORK, lines)
        return lines

    def _run(self, argv: Argv, cwd: PurePosixPath, lines: list[str]) -> None:
        def sink(line: str) -> None:
            lines.append(line)
            self.log.write(f"{line}\n")

        path = self.session.capture(["printenv", "PATH"]).strip()
        variables = {**_UV, "PATH": f"{PYTHON.parent}:{path}"}
        self.session.run(argv, sink=sink, env=variables, cwd=cwd)

    def install(self, *what: str) -> None:
        """Install packages in the environment."""
        self.run(["uv", "pip", "install", "--python", PYTHON, *what])

    def bring(self, wheel: Path) -> str:
        """Copy a wheel in; gives its path."""
        place = _WORK / "wheels" / wheel.name
        self.session.write(place, wheel.read_bytes())
        return str(place)


@contextmanager
def laboratory(place: Workplace, log: Path, python: str) -> Iterator[Laboratory]:
    """Start the container, with an empty environment of the image's own interpreter.

    Args:
        place: the engine, the image and the network settings.
        log: gets all output.
        python: the interpreter's tag.
    """
    spec = ContainerSpec(
        environment=container_environment(place.host.environ, place.host.index),
        ca_bundle=place.host.index.ca_bundle,
        emulated=True,
        network=network_mode(place.host.environ, place.host.index),
        run_id="bench",
    )
    session = place.engine.start_session(place.image, spec)
    with session, log.open("w", encoding="utf-8", buffering=1) as file:
        found = Laboratory(session=session, log=file)
        interpreter = f"/opt/python/{python}-{python}/bin/python"
        found.run(["uv", "venv", "--python", interpreter, ENVIRONMENT], cwd=PurePosixPath("/"))
        yield found
