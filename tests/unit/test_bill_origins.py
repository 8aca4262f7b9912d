"""What a run knows of its images, sources and tools before anything is built."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from aarch64_wheels import __version__
from aarch64_wheels.commands.origins import (
    engine_record,
    from_sdist,
    image_record,
    origins_of,
    source_name,
    told_image,
    tool_records,
    wheel_tools,
    with_commit,
)
from aarch64_wheels.embedded.recipe import load_recipe
from aarch64_wheels.engine.client import Engine
from aarch64_wheels.engine.sockets import Endpoint
from aarch64_wheels.hostengine.engine import HostEngine
from aarch64_wheels.report.model import ImageRecord, SdistRecord, ToolRecord
from aarch64_wheels.source import Metadata, Source, SourceKind
from tests.unit.pipeline_samples import Listener, make_pipeline
from tests.unit.report_samples import DEBIAN, GOOD, plan

if TYPE_CHECKING:
    from aarch64_wheels.commands.rooms import ImageRoom

ID = "1" * 64
OTHER = replace(DEBIAN, name="i", reference="registry.example/i:1", embedded=False)
DIGEST = f"sha256:{'2' * 64}"


def engine(*digests: str) -> Engine:
    """An engine with one image, which has come from these places."""
    image = SimpleNamespace(attrs={"Id": f"sha256:{ID}", "RepoDigests": list(digests) or None})
    client = SimpleNamespace(
        version=lambda: {"Version": "27.1"},
        info=lambda: {"Architecture": "x86_64"},
        images=SimpleNamespace(get=lambda _name: image),
    )
    return Engine(client, endpoint=Endpoint(url="unix:///no.sock", origin="test"))


def room(image_id: str = f"sha256:{ID}", tools: Path | None = None) -> ImageRoom:
    """As much of a room as is asked here."""
    native = tools and SimpleNamespace(tools=SimpleNamespace(directory=tools))
    setups = SimpleNamespace(tools=native)
    image = replace(DEBIAN, reference="aarch64-wheels/debian")
    return cast("ImageRoom", SimpleNamespace(image=image, image_id=image_id, setups=setups))


IMAGES = {
    "from-nowhere": ((), f"sha256:{ID}", ""),
    "from-a-registry": ((f"registry.example/i@{DIGEST}",), f"sha256:{ID}", DIGEST),
    "without-a-digest": (("registry.example/i:tag",), f"sha256:{ID}", ""),
    "an-id-without-its-kind": ((), ID, ""),
}


@pytest.mark.parametrize(("digests", "image_id", "digest"), IMAGES.values(), ids=IMAGES.keys())
def test_an_image_has_an_id_and_perhaps_a_digest(
    digests: tuple[str, ...], image_id: str, digest: str
) -> None:
    assert image_record(engine(*digests), room(image_id)) == ImageRecord(
        reference="aarch64-wheels/debian", id=f"sha256:{ID}", digest=digest
    )


def test_without_an_engine_there_is_no_image() -> None:
    own = HostEngine("aarch64")
    try:
        assert image_record(own, room()) is None
        assert engine_record(own) == ()
    finally:
        own.close_all()


def test_the_engine_is_a_tool() -> None:
    assert engine_record(engine()) == (ToolRecord(name="docker", version="27.1"),)


def test_tools_are_ours_and_those_of_the_bundle(tmp_path: Path) -> None:
    parts = {"clang": "22.1.8", "shim": "0.1.0", "uv": "0.13.9", "libraries": "x", "cmake": ""}
    rows = [{"name": name, "version": version} for name, version in parts.items()]
    (tmp_path / "manifest.json").write_text(json.dumps({"components": rows}))
    found = {row.name: row.version for row in tool_records([room(tools=tmp_path), room()])}
    assert list(found) == ["aarch64-wheels", "auditwheel", "clang", "uv"]
    assert found["auditwheel"] == metadata.version("auditwheel")
    assert (found["aarch64-wheels"], found["clang"]) == (__version__, "22.1.8")


BUNDLES = {
    "its-own": ({"auditwheel": "6.7.0"}, ["aarch64-wheels", "auditwheel"]),
    "the-image-s": ({}, ["aarch64-wheels"]),
}


@pytest.mark.parametrize(("parts", "names"), BUNDLES.values(), ids=BUNDLES)
def test_a_wheel_names_the_auditwheel_that_repaired_it_or_none(
    tmp_path: Path, parts: dict[str, str], names: list[str]
) -> None:
    rows = [{"name": name, "version": version} for name, version in parts.items()]
    (tmp_path / "manifest.json").write_text(json.dumps({"components": rows}))
    found = wheel_tools([room(tools=tmp_path)])
    assert [row.name for row in found] == names
    assert {row.name: row.version for row in found}.items() >= parts.items()


def source(kind: SourceKind, origin: str, **fields: Any) -> Source:
    root = Path("/home/me/secret-project")
    return Source(
        kind=kind, origin=origin, root=root, sha256="", metadata=Metadata(name="spring"), **fields
    )


COMMIT = "0123abc" * 5
SOURCES = {
    "a-directory": (source(SourceKind.DIRECTORY, "/home/me/secret-project"), "spring"),
    "an-sdist": (
        source(SourceKind.SDIST, "/home/me/x.tar.gz", file=Path("/home/me/spring-1.0.tar.gz")),
        "spring-1.0.tar.gz",
    ),
    "a-requirement": (
        source(SourceKind.REQUIREMENT, "spring==1.0", file=Path("/cache/spring-1.0.tar.gz")),
        "spring-1.0.tar.gz",
    ),
    "a-repository": (
        source(SourceKind.VCS, f"git+https://h.example/spring@{COMMIT}", commit=COMMIT),
        f"git+https://h.example/spring@{COMMIT}",
    ),
    "a-repository-at-a-port": (
        source(SourceKind.VCS, f"git+https://gitea:3000/o/x@{COMMIT}", commit=COMMIT),
        f"git+https://gitea:3000/o/x@{COMMIT}",
    ),
    "a-repository-of-this-machine": (
        source(SourceKind.VCS, f"git+file:///home/me/spring@{COMMIT}", commit=COMMIT),
        f"spring {COMMIT}",
    ),
}


@pytest.mark.parametrize(("given", "expected"), SOURCES.values(), ids=SOURCES.keys())
def test_a_source_is_named_without_this_machine_s_paths(given: Source, expected: str) -> None:
    assert source_name(given, plan()) == expected


def test_each_target_has_an_origin() -> None:
    sample = plan()
    given, _ = SOURCES["a-directory"]
    found = origins_of(sample, given, "3" * 64, engine(), {DEBIAN: room()})
    assert found.keys() == {target.identifier for target in sample.targets}
    origin = found[GOOD]
    assert (origin.source, origin.source_sha256, origin.mode) == ("spring", "3" * 64, "emulated")
    assert origin.image == told_image(engine(), room())


def test_a_wheel_knows_its_image_by_what_all_engines_say() -> None:
    """One that keeps images as containerd does has a digest for what came from no registry."""
    embedded = told_image(engine(f"aarch64-wheels/debian@{DIGEST}"), room())
    assert embedded is not None
    assert (embedded.reference, embedded.digest) == (
        f"aarch64-wheels/debian:{load_recipe().key}",
        "",
    )
    other = cast("ImageRoom", SimpleNamespace(**{**vars(room()), "image": OTHER}))
    found = told_image(engine(f"registry.example/i@{DIGEST}"), other)
    assert found is not None
    assert (found.reference, found.digest) == (OTHER.reference, DIGEST)


def test_a_directory_s_commit_is_that_of_its_own_repository(tmp_path: Path) -> None:
    own, linked = tmp_path / "own", tmp_path / "linked"
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    subprocess.run(["git", "init", "-q", own], check=True)
    words = (*who, "commit", "-q", "--allow-empty", "-m", "x")
    subprocess.run(["git", *words], cwd=own, check=True)
    linked.mkdir()
    (linked / ".git").write_text(f"gitdir: {own / '.git'}\n")
    given = source(SourceKind.DIRECTORY, "x")
    found = with_commit(replace(given, root=own), os.environ).commit
    assert re.fullmatch("[0-9a-f]{40}", found)
    assert (
        origins_of(plan(), replace(given, commit=found), "", engine(), {DEBIAN: room()})[
            GOOD
        ].commit
        == found
    )
    # What nobody has seen to belong to it, and what has none.
    assert with_commit(replace(given, root=linked), os.environ).commit == ""
    assert with_commit(replace(given, root=tmp_path), os.environ).commit == ""
    assembled = replace(given, root=linked, git_data=own / ".git")
    assert with_commit(assembled, os.environ).commit == found


def test_wheels_from_the_sdist_of_this_run_say_so(tmp_path: Path) -> None:
    origins = origins_of(plan(), SOURCES["a-directory"][0], "3" * 64, engine(), {DEBIAN: room()})
    before = replace(make_pipeline(tmp_path, list, Listener()), origins=origins)
    record = SdistRecord(filename="spring-1.0.tar.gz", sha256="4" * 64, size=1)
    origin = from_sdist(before, record).origins[GOOD]
    assert (origin.source, origin.source_sha256) == ("spring", "3" * 64)
    assert origin.sdist == "spring-1.0.tar.gz"
    same = {GOOD: replace(origin, source="spring-1.0.tar.gz", sdist="")}
    assert from_sdist(replace(before, origins=same), record).origins == same
