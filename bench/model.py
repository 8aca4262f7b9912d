"""What is measured: ways to build, measurements of them, and the whole of a run as JSON."""

from __future__ import annotations

import enum
import json
from dataclasses import asdict, dataclass, field
from typing import Any

SCHEMA_VERSION = 1


class Way(enum.StrEnum):
    """A way to make a wheel."""

    CIBUILDWHEEL = "cibuildwheel"
    EMULATED = "emulated"
    ACCELERATED = "accelerated"
    NATIVE_ONLY = "native-only"
    GCC = "native-gcc"
    CLANG = "native-clang"
    FIVE = "five"
    CIBUILDWHEEL_ACCELERATED = "cibuildwheel-accelerated"

    @property
    def label(self) -> str:
        """What tables call it."""
        return _LABELS[self]

    @property
    def is_slow(self) -> bool:
        """Whether most of it runs under QEMU: it takes minutes, and gets fewer rounds."""
        return self in (Way.CIBUILDWHEEL, Way.EMULATED)

    @property
    def keeps_environments(self) -> bool:
        """Whether its second build finds the build environment that its first has made."""
        return self in (Way.EMULATED, Way.ACCELERATED, Way.NATIVE_ONLY, Way.FIVE)


_LABELS = {
    Way.CIBUILDWHEEL: "cibuildwheel, QEMU",
    Way.EMULATED: "emulated",
    Way.ACCELERATED: "accelerated",
    Way.NATIVE_ONLY: "accelerated, native only",
    Way.GCC: "x86-64, gcc",
    Way.CLANG: "x86-64, clang",
    Way.FIVE: "accelerated, five CPythons",
    Way.CIBUILDWHEEL_ACCELERATED: "cibuildwheel, accelerated image",
}


@dataclass(frozen=True, kw_only=True)
class Stages:
    """Wall time of the stages, in seconds. None: the way has no such stage of its own."""

    environment: float | None = None
    build: float | None = None
    repair: float | None = None

    @property
    def total(self) -> float:
        """What is compared: environment + build + repair."""
        return sum(part or 0.0 for part in (self.environment, self.build, self.repair))


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One build that ran.

    Attributes:
        source: its name. round: from 1; 0 for what only fills caches. way: how it was built.
        cold: it had to make its build environment, where later ones find it kept.
        wall: seconds of the whole command, start and end of the container included.
        wheel: the file name of the wheel (the first of several). detail: what else is known.
        error: why it failed; empty: it did not.
    """

    source: str
    round: int
    way: Way
    stages: Stages = field(default_factory=Stages)
    cold: bool = False
    wall: float = 0.0
    wheel: str = ""
    detail: str = ""
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether a wheel was made."""
        return not self.error

    @property
    def seconds(self) -> float:
        """What is compared: the stages; for several targets at once, the whole command."""
        return self.wall if self.way is Way.FIVE else self.stages.total


@dataclass(frozen=True, kw_only=True)
class Check:
    """Something of the big source that is compared or tested: its name, result, and evidence."""

    name: str
    ok: bool
    found: str


@dataclass(frozen=True, kw_only=True)
class Results:
    """One run.

    Attributes:
        started: ISO 8601, UTC. machine: facts by name, none that tells whose it is.
        sources: what was asked for, `name version`. heavy: the big source, or empty.
        measurements: in the order they ran. checks: of the big source.
        complete: False while it runs, and of one that was cut off.
        notes: setting-up that failed, and what was left out.
    """

    started: str
    machine: dict[str, str]
    sources: tuple[str, ...]
    rounds: int
    python: str
    heavy: str = ""
    measurements: tuple[Measurement, ...] = ()
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()
    complete: bool = False

    def to_json(self) -> str:
        """Write everything as it stands here, plus `schema`."""
        data: dict[str, Any] = {"schema": SCHEMA_VERSION, **asdict(self)}
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Results:
        """Read what `to_json` has written.

        Raises:
            ValueError: another schema, or no JSON. KeyError, TypeError: not of that form.
        """
        data: dict[str, Any] = json.loads(text)
        if data.pop("schema") != SCHEMA_VERSION:
            raise ValueError(f"results of another schema than {SCHEMA_VERSION}")
        data["measurements"] = tuple(_measurement(row) for row in data["measurements"])
        data["checks"] = tuple(Check(**row) for row in data["checks"])
        data["sources"] = tuple(data["sources"])
        data["notes"] = tuple(data["notes"])
        return cls(**data)


def _measurement(row: dict[str, Any]) -> Measurement:
    return Measurement(**{**row, "way": Way(row["way"]), "stages": Stages(**row["stages"])})
