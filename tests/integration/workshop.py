"""A place in an accelerated container where tests write sources and build them."""

from __future__ import annotations

import io
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from elftools.elf.elffile import ELFFile

from aarch64_wheels.errors import CommandError
from aarch64_wheels.native.places import CALLS

if TYPE_CHECKING:
    from aarch64_wheels.engine.api import Session

#: The image's own compilers, past the links.
REAL = "/usr/bin"


class Workshop:
    """A directory of a container, to write sources in and build them."""

    def __init__(self, session: Session, place: PurePosixPath) -> None:
        self._session, self._place = session, place

    @classmethod
    def of_test(cls, session: Session, name: str) -> Workshop:
        """Make a place for one test, with an empty record of calls."""
        shop = cls(session, PurePosixPath("/shim-test") / re.sub(r"\W+", "-", name))
        shop.write(its_place="")
        shop.calls()
        return shop

    def write(self, **sources: str) -> None:
        """Write files: `main_cpp="…"` is main.cpp."""
        for name, text in sources.items():
            self._session.write(self._place / name.replace("_", "."), text.encode())

    def run(self, command: str, **env: str) -> str:
        """Run words of a compiler or program; give its standard output."""
        return self._session.capture(command.split(), sink=print, env=env, cwd=self._place)

    def fails(self, command: str) -> str:
        """Give what a command says that must fail."""
        said = list[str]()
        with pytest.raises(CommandError):
            self._session.run(command.split(), sink=said.append, cwd=self._place)
        return "\n".join(said)

    def elf(self, name: str) -> ELFFile:
        return ELFFile(io.BytesIO(self._session.read(self._place / name, 1 << 26)))

    def calls(self) -> list[tuple[str, str]]:
        """Give how each call since the last question was served, and why."""
        text = self._session.read(CALLS, 1 << 22).decode()
        self._session.write(CALLS, b"", mode=0o666)
        return [(line.split("\t")[0], line.split("\t")[4]) for line in text.splitlines()]
