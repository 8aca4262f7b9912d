"""What the container answers of each import (`import_extension.py`), read without trust."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

from aarch64_wheels.text import clean

#: Longest text that is kept of an answer, which are shorter by themselves.
_MOST = 2000
_TEXTS = ("name", "type", "text", "missing", "word", "object", "below", "output")
_NUMBERS = ("signal", "status", "offset")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an import ended.

    Attributes:
        index: of the extension. name: of the module, empty if the interpreter imports none.
        state: `ok`, `error` (an exception), `signal`, `illegal` (a signal with its place),
            `ended` (the process, by itself), `timeout`, `skipped` (time ran out before its turn),
            `left-out` (it is no module of this interpreter).
        type, text: of the exception; missing: the module that it lacks.
        signal, status: of the process.
        word: the illegal instruction's bytes, in hex; object: the file it was mapped from; below:
            that file's path in site-packages; offset: where in it.
        output: the last lines that were printed.
    """

    index: int
    state: str
    name: str = ""
    type: str = ""
    text: str = ""
    missing: str = ""
    word: str = ""
    object: str = ""
    below: str = ""
    output: str = ""
    signal: int = 0
    status: int = 0
    offset: int = -1

    @classmethod
    def parse(cls, line: str) -> Self | None:
        """Read a line, None if it is no answer."""
        try:
            row: Any = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(row, dict) or not isinstance(row.get("index"), int):
            return None
        texts: dict[str, Any] = {name: str(row[name])[:_MOST] for name in _TEXTS if row.get(name)}
        numbers = {name: row[name] for name in _NUMBERS if isinstance(row.get(name), int)}
        state = str(row.get("state", ""))[:_MOST]
        return cls(index=row["index"], state=state, **texts, **numbers)

    @property
    def last_line(self) -> str:
        """The last line that was printed, but for the emulator's own."""
        lines = [clean(line) for line in self.output.splitlines()]
        told = [line for line in lines if line.strip() and not line.startswith("qemu: ")]
        return told[-1] if told else ""
