"""What every session does with the output of a command, wherever the command runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from aarch64_wheels.engine.exec import STDERR, STDOUT
from aarch64_wheels.engine.lines import LineSplitter

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import PurePosixPath

    from aarch64_wheels.engine.api import Argv, LineSink
    from aarch64_wheels.engine.exec import OnOutput

#: Lines of output that an error quotes.
TAIL_LINES = 30

#: How a command ended, as a session knows it.
Ending = TypeVar("Ending")


class Commands(ABC, Generic[Ending]):
    """`run` and `capture` of `api.Session`, over what a session does with one command."""

    @abstractmethod
    def _execute(
        self,
        argv: Argv,
        env: Mapping[str, str] | None,
        cwd: PurePosixPath | None,
        on_output: OnOutput,
    ) -> Ending:
        """Run a command, giving (stream number, bytes) to `on_output`; says how it ended."""

    @abstractmethod
    def _check(self, argv: Argv, ending: Ending, lines: Collection[str]) -> None:
        """Raise the error of a command that did not end well; `lines` are its last, or all."""

    def run(
        self,
        argv: Argv,
        *,
        sink: LineSink,
        env: Mapping[str, str] | None = None,
        cwd: PurePosixPath | None = None,
    ) -> None:
        """See `api.Session.run`."""
        tail: deque[str] = deque(maxlen=TAIL_LINES)

        def both(line: str) -> None:
            tail.append(line)
            sink(line)

        splitters = {stream: LineSplitter(both) for stream in (STDOUT, STDERR)}
        ending = self._execute(argv, env, cwd, lambda stream, data: splitters[stream].feed(data))
        for splitter in splitters.values():
            splitter.close()
        self._check(argv, ending, tail)

    def capture(
        self,
        argv: Argv,
        *,
        sink: LineSink | None = None,
        env: Mapping[str, str] | None = None,
        cwd: PurePosixPath | None = None,
    ) -> str:
        """See `api.Session.capture`."""
        output: dict[int, list[bytes]] = {STDOUT: [], STDERR: []}
        ending = self._execute(argv, env, cwd, lambda stream, data: output[stream].append(data))
        texts = {stream: b"".join(data).decode(errors="replace") for stream, data in output.items()}
        if sink is not None:
            for line in texts[STDERR].splitlines():
                sink(line)
        self._check(argv, ending, (texts[STDOUT] + texts[STDERR]).splitlines())
        return texts[STDOUT]
