"""What the corpus is made of: wheels with one fault each, and what must be found in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.integration.sample_wheel import EXTENSION, SampleWheel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from aarch64_wheels.audit.model import Level

#: What was compiled, by its name in `audit_sources.OBJECTS`.
Objects = dict[str, bytes]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One wheel, and what must be found in it.

    Attributes:
        check: the only check that finds something; level: of what it finds, where that is not the
            check's own.
        what: is wrong, for a test's name.
        make: makes the wheel; spoil: does to its bytes what no archiver does.
        file: the member that is named; says: words of the finding.
    """

    check: str
    what: str
    make: Callable[[Objects], SampleWheel]
    file: str = ""
    says: tuple[str, ...] = ()
    level: Level | None = None
    spoil: Callable[[bytes], bytes] = bytes

    @property
    def name(self) -> str:
        return f"{self.check}: {self.what}"

    def write(self, objects: Objects, directory: Path) -> Path:
        """Write the wheel to a directory."""
        path = self.make(objects).write(directory)
        path.write_bytes(self.spoil(path.read_bytes()))
        return path


def good(objects: Objects) -> SampleWheel:
    return SampleWheel.of(objects["good"])


def but(**fields: object) -> Callable[[Objects], SampleWheel]:
    """Make the good wheel with other values of fields."""
    return lambda objects: good(objects).but(**fields)


def adding(files: Mapping[str, bytes]) -> Callable[[Objects], SampleWheel]:
    """Make the good wheel with other files."""
    return lambda objects: good(objects).adding(files)


def holding(name: str, member: str = EXTENSION) -> Callable[[Objects], SampleWheel]:
    """Make the good wheel around another object."""
    return lambda objects: SampleWheel.of(objects[name], member)
