"""What happened: one record for each target, from which every table is drawn."""

from __future__ import annotations

import enum
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aarch64_wheels.audit.model import Finding, SymbolVersion

#: Raised whenever a field of `report.json` changes its meaning or goes away.
SCHEMA_VERSION = 1


class Stage(enum.StrEnum):
    """One step of one target, in the order they run."""

    ENVIRONMENT = "environment"
    BUILD = "build"
    REPAIR = "repair"
    AUDIT = "audit"
    TEST = "test"


class Status(enum.StrEnum):
    """How a target or a stage ended."""

    OK = "ok"
    FAILED = "failed"
    NOT_RUN = "not run"


@dataclass(frozen=True, kw_only=True)
class StageRecord:
    """One stage that ran: its name, how it ended, and its wall time in seconds."""

    stage: Stage
    status: Status
    seconds: float


@dataclass(frozen=True, kw_only=True)
class CallSummary:
    """What became of the compiler calls of one target (compilers, linkers, archivers).

    Attributes:
        native: calls that the native tools served, whatever their status; fallback: calls done
            again with the image's own programs, emulated.
        failed: those of both that ended with a status other than 0 (a probe's may be meant to).
        native_seconds, fallback_seconds: their times added up, so more than the wall time where
            several ran at once.
        reasons: the most frequent reasons of fallbacks, each with its number of calls.
    """

    native: int = 0
    fallback: int = 0
    failed: int = 0
    native_seconds: float = 0.0
    fallback_seconds: float = 0.0
    reasons: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class ObjectRecord:
    """An ELF file in a wheel: its path there, and what compiled the code in it.

    Attributes:
        path: the wheel's member.
        compilers: `clang` (native) and `gcc` (the image's own, or a fallback to it), with their
            versions where these are known, sorted; `unknown` among them stands for code whose
            compilation was not recorded, and `image` alone for a library of the image that the
            repair has put into the wheel.
        producers: compilers and linkers as they have signed it (`.comment`), sorted. What the
            image's start files and archives bring along has signatures too.
        sha256: of its bytes in the finished wheel.
        package: of a library of the image, the package there, as a purl. Empty if it is none.
    """

    path: str
    compilers: tuple[str, ...]
    producers: tuple[str, ...] = ()
    sha256: str = ""
    package: str = ""


@dataclass(frozen=True, kw_only=True)
class WheelRecord:
    """A finished wheel: file name in the output directory, SHA-256, size in bytes, policy met.

    `objects` says of each ELF file in it what compiled it; empty where that was not recorded.
    `findings` are the audit's warnings, and `versions` what its objects ask for at most.
    """

    filename: str
    sha256: str
    size: int
    policy: str
    objects: tuple[ObjectRecord, ...] = ()
    findings: tuple[Finding, ...] = ()
    versions: tuple[SymbolVersion, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SdistRecord:
    """An sdist in the output directory: file name, SHA-256, size in bytes."""

    filename: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What a wheel was made from: digests of the source and of the settings, the image's id."""

    source: str
    settings: str
    image: str


@dataclass(frozen=True, kw_only=True)
class ToolRecord:
    """A program that had a part in the work, as its makers call it, and its version."""

    name: str
    version: str


@dataclass(frozen=True, kw_only=True)
class ImageRecord:
    """An image that was built in.

    Attributes:
        reference: as it was asked for.
        id: the engine's own: of its configuration, or of its manifest where the engine keeps images
            as containerd does.
        digest: of its manifest in a registry, empty for one that came from none.
    """

    reference: str
    id: str
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class TargetRecord:
    """Everything known of one target after it ended.

    `error` holds the error's text for a failed target, `log` the path of the target's log
    relative to the output directory, with `/` separators. In mode `accelerated`, `backend` says
    how the build backend ran (`native` or `emulated`), `backend_reason` why it fell back to
    being emulated, and `calls` what became of the compiler calls, None where none was recorded.
    With `shared`, the wheel is one that another target made and this one only had to test; with
    `resumed`, an earlier run made it. `basis` says what it was made from, `tools` with what besides
    the run's own tools. `findings` are the audit's of a wheel that it refused; those of a finished
    one stand in its own record.
    """

    identifier: str
    status: Status
    stages: tuple[StageRecord, ...] = ()
    wheel: WheelRecord | None = None
    error: str = ""
    log: str = ""
    backend: str = ""
    backend_reason: str = ""
    calls: CallSummary | None = None
    shared: bool = False
    resumed: bool = False
    basis: Basis | None = None
    findings: tuple[Finding, ...] = ()
    tools: tuple[ToolRecord, ...] = ()

    @property
    def seconds(self) -> float:
        """The target's total wall time in seconds."""
        return sum(stage.seconds for stage in self.stages)

    def to_json(self) -> str:
        """Write the record in one line (`reader.read_target` reads it)."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, kw_only=True)
class Report:
    """One run: what was built from what, where, and how each target ended.

    `started` is an ISO 8601 UTC time; `seconds` the wall time of the whole run,
    image and source included. `sdist` is what the wheels were built from, where that was to be kept
    (`--sdist`), and None otherwise. `images` holds what `image` and `image_id` name in one line,
    and `tools` what the run used, by name.
    """

    tool_version: str
    project: str
    version: str
    source: str
    source_sha256: str
    image: str
    image_id: str
    mode: str
    engine: str
    started: str
    seconds: float
    targets: tuple[TargetRecord, ...] = field(default_factory=tuple)
    sdist: SdistRecord | None = None
    images: tuple[ImageRecord, ...] = ()
    tools: tuple[ToolRecord, ...] = ()

    @property
    def failed(self) -> tuple[TargetRecord, ...]:
        """The targets that did not end with a finished wheel."""
        return tuple(target for target in self.targets if target.status is not Status.OK)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that targets were to go through, in their order."""
        named = {row.stage for target in self.targets for row in target.stages}
        return tuple(stage for stage in Stage if stage in named or stage is not Stage.TEST)

    @property
    def wheels(self) -> tuple[WheelRecord, ...]:
        """The finished wheels, each once: one for the stable ABI serves several targets."""
        found = {target.wheel.filename: target.wheel for target in self.targets if target.wheel}
        return tuple(found.values())

    def to_json(self) -> str:
        """`report.json`: the record's fields as they stand here, plus `schema`."""
        data: dict[str, Any] = {"schema": SCHEMA_VERSION, **asdict(self)}
        return json.dumps(data, indent=2) + "\n"
