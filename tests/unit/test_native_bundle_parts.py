"""Small parts of the bundle: hashes of what it holds, and links to its loader."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.native.loader import LINKS, make_links
from aarch64_wheels.native.manifest import Entry, digest, write_manifest
from aarch64_wheels.native.places import LIBRARIES, LOADER

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/tool").write_bytes(b"tool")
    (tmp_path / "bin/link").symlink_to("tool")
    (tmp_path / "other").write_bytes(b"other")
    return tmp_path


def _replace(path: Path, aim: str) -> None:
    path.unlink()
    path.symlink_to(aim)


CHANGES: dict[str, tuple[Callable[[Path], object], bool]] = {
    "content": (lambda tree: (tree / "bin/tool").write_bytes(b"else"), True),
    "name": (lambda tree: (tree / "bin/tool").rename(tree / "bin/t"), True),
    "new file": (lambda tree: (tree / "bin/new").touch(), True),
    "link": (lambda tree: _replace(tree / "bin/link", "../other"), True),
    "another part": (lambda tree: (tree / "other").write_bytes(b""), False),
    "mode": (lambda tree: (tree / "bin/tool").chmod(0o500), False),
}


@pytest.mark.parametrize(("change", "counts"), CHANGES.values(), ids=CHANGES.keys())
def test_what_a_digest_is_over(
    tree: Path, change: Callable[[Path], object], *, counts: bool
) -> None:
    before = digest(tree, ["bin"])
    change(tree)
    assert (digest(tree, ["bin"]) != before) is counts


def test_parts_in_any_order_and_twice_give_one_digest(tree: Path) -> None:
    assert digest(tree, ["bin", "other"]) == digest(tree, ["other", "bin/tool", "bin"])


def test_the_manifest_is_in_the_names_order(tmp_path: Path) -> None:
    rows = [Entry(name=name, version="1", sha256="0") for name in ("uv", "cmake")]
    write_manifest(tmp_path, "k3y", rows)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["key"] == "k3y"
    assert [row["name"] for row in manifest["components"]] == ["cmake", "uv"]


def test_links_lead_to_the_native_loader_and_libraries() -> None:
    expected = {"/lib64/ld-linux-x86-64.so.2": LOADER, "/lib/x86_64-linux-gnu": LIBRARIES}
    assert {PurePosixPath(link): aim for link, aim in expected.items()} == dict(LINKS)


def test_links_are_made_where_a_linked_directory_leads_to(tmp_path: Path) -> None:
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    make_links(tmp_path)
    made = {path: path.readlink() for path in tmp_path.rglob("*") if path.is_symlink()}
    assert made == {
        tmp_path / "lib": Path("usr/lib"),
        tmp_path / "usr/lib/x86_64-linux-gnu": Path(LIBRARIES),
        tmp_path / "lib64/ld-linux-x86-64.so.2": Path(LOADER),
    }


def test_what_an_image_has_already_stays(tmp_path: Path) -> None:
    own = tmp_path / "lib/x86_64-linux-gnu/libc.so.6"
    own.parent.mkdir(parents=True)
    own.touch()
    make_links(tmp_path)
    make_links(tmp_path)
    assert own.is_file()
    assert (tmp_path / "lib64/ld-linux-x86-64.so.2").readlink() == Path(LOADER)
