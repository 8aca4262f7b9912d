"""Where a run works: directories, the host's index settings, the engine, the image; and calls."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from aarch64_wheels.commands.inputs import Host
from aarch64_wheels.embedded.store import EmbeddedImage
from aarch64_wheels.engine.client import Engine, connect
from aarch64_wheels.engine.kept import remove_kept
from aarch64_wheels.errors import AarchWheelsError, CommandError
from aarch64_wheels.processes import Processes
from aarch64_wheels.settings.layers import load
from aarch64_wheels.settings.schema import EngineName
from aarch64_wheels.source.archive import unpack
from aarch64_wheels.source.cache import SdistCache
from aarch64_wheels.source.requirement import fetch_sdist

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import ExitStack

    from bench.sources import Source

REPOSITORY = Path(__file__).resolve().parent.parent
#: Variables that would change what a build does, and differ from machine to machine.
_DROPPED = ("CIBW_", "CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "PYTHONPATH", "MAKE")
_TAIL = 12
#: Characters of a reason that are shown.
_LONGEST = 200


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """What the runners share.

    Attributes:
        scratch: a directory outside of any checkout; goes when the run ends.
        logs: what builds printed, one file for each. cache_dir: the command's own.
        host: variables and index settings. engine: the one the command uses.
        image: the embedded image's name in the engine.
    """

    scratch: Path
    logs: Path
    cache_dir: Path
    host: Host
    engine: Engine
    image: str

    @classmethod
    def open(cls, logs: Path, stack: ExitStack) -> Workplace:
        """Connect to the engine, have it hold the embedded image, and make a scratch directory.

        Raises:
            UnfitError: no engine, or no image.
        """
        host = Host.current(os.environ)
        cache_dir = load({"source": str(REPOSITORY)}, os.environ).cache_dir
        engine = connect(EngineName.AUTO, os.environ)
        stack.callback(engine.close_all)
        image = EmbeddedImage.of_this_version(cache_dir, host.index).ensure(engine, tell)
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        logs.mkdir(parents=True, exist_ok=True)
        return cls(
            scratch=scratch, logs=logs, cache_dir=cache_dir, host=host, engine=engine, image=image
        )

    def sdist(self, source: Source) -> Path:
        """Fetch a source's sdist, or take it from the cache: the same file for every way."""
        cache = SdistCache(self.cache_dir / "sdists")
        return fetch_sdist(Requirement(source.requirement), self.host.index, cache, reuse=True)

    def unpacked(self, source: Source) -> Path:
        """Unpack it anew: no build is to find what an earlier one has left."""
        return unpack(self.sdist(source), self.scratch)

    def fresh(self, name: str) -> Path:
        """Make an empty directory."""
        directory = self.scratch / name
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        return directory

    def call(
        self,
        argv: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> float:
        """Run a program, its output going to a log; gives its wall time in seconds.

        Args:
            argv: the program and its arguments.
            log: gets what it prints, after what is there.
            env: variables on top of the process's own, less those of `_DROPPED`.
            cwd: where it runs; the scratch directory if None.

        Raises:
            CommandError: it failed; with the last lines it printed.
        """
        own = {name: text for name, text in os.environ.items() if not name.startswith(_DROPPED)}
        started = time.monotonic()
        with log.open("ab") as output, Processes() as processes:
            done = processes.run(
                argv, env={**own, **(env or {})}, cwd=cwd or self.scratch, stdout=output
            )
        if done.returncode:
            words = tuple(str(word) for word in argv)
            raise CommandError(words, done.returncode, done.stderr or tail_of(log))
        return time.monotonic() - started

    def command(self, arguments: Sequence[str | Path], log: Path) -> float:
        """Run `aarch64-wheels` as users do, in a process of its own; gives its wall time."""
        argv = [sys.executable, "-P", "-m", "aarch64_wheels", *arguments]
        env = {"PYTHONPATH": str(REPOSITORY / "src"), "COLUMNS": "120"}
        # Not above the sources: the working directory would be copied with each.
        return self.call(argv, log, env=env, cwd=self.fresh("elsewhere"))

    def forget_environments(self) -> None:
        """Remove the build environments that the command keeps, and nothing else."""
        remove_kept(self.engine, older_than=-1)

    def without_paths(self, text: str) -> str:
        """Replace this machine's directories in a text that is to be published."""
        places = {
            "SCRATCH": self.scratch,
            "LOGS": self.logs,
            "CACHE": self.cache_dir,
            "CHECKOUT": REPOSITORY,
            "PYTHON": Path(sys.prefix),
            "HOME": Path.home(),
        }
        for name, place in sorted(places.items(), key=lambda item: -len(str(item[1]))):
            text = text.replace(str(place), f"<{name.lower()}>")
        return text

    def reason(self, error: Exception) -> str:
        """Tell in one line why something failed, with nothing of this machine in it."""
        if not isinstance(error, AarchWheelsError):
            return self._short(f"{type(error).__name__}: {error}")
        what = error.what
        if isinstance(error, CommandError):
            what = f"{_name(error.argv)} ended with status {error.status}"
        lines = [line.strip() for line in error.found.splitlines() if line.strip()]
        telling = [line for line in lines if "error" in line.lower()] or lines[-1:]
        return ": ".join(self._short(part) for part in (what, *telling[-1:]))

    def _short(self, text: str) -> str:
        text = self.without_paths(" ".join(text.split()))
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _name(argv: Sequence[str]) -> str:
    """Name the program of a command: a module's name where Python runs it."""
    return argv[argv.index("-m") + 1] if "-m" in argv else Path(argv[0]).name


def tail_of(log: Path) -> str:
    """Give the last lines of a log."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL:])


def wheels_in(directory: Path) -> Iterator[Path]:
    """List the wheels of a directory."""
    yield from sorted(directory.glob("*.whl"))


def tell(text: str) -> None:
    """Say what is being done."""
    print(text, flush=True)
