"""The image archive: what it says of itself is true, and the same content gives the same image."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.embedded.archive import ImageConfig, write_archive
from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = ImageConfig(
    tag="aarch64-wheels/debian:key",
    environment={"PATH": "/usr/bin", "LANG": "C.UTF-8"},
    labels={"recipe": "key"},
)


def _root(directory: Path, time: int = 1_700_000_000) -> Path:
    """A small system: a directory, a file, a link, a program, all of that time."""
    (directory / "usr/bin").mkdir(parents=True)
    (directory / "bin").symlink_to("usr/bin")
    (directory / "hello").write_text("hello\n")
    write_script(directory / "usr/bin/run", "#!/bin/sh\n")
    for path in [*directory.rglob("*"), directory]:
        os.utime(path, (time, time), follow_symlinks=False)
    return directory


def _parts(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        streams = {member.name: tar.extractfile(member) for member in tar.getmembers()}
        return {name: stream.read() for name, stream in streams.items() if stream}


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, bytes]:
    write_archive(_root(tmp_path / "root"), CONFIG, tmp_path / "image.tar")
    return _parts(tmp_path / "image.tar")


def test_the_manifest_names_what_is_in_the_archive(parts: dict[str, bytes]) -> None:
    (entry,) = json.loads(parts["manifest.json"])
    assert entry["RepoTags"] == ["aarch64-wheels/debian:key"]
    assert {entry["Config"], *entry["Layers"], "manifest.json"} == set(parts)


def test_the_configuration_says_arm64_and_the_layers_real_hash(parts: dict[str, bytes]) -> None:
    said: dict[str, Any] = json.loads(parts["config.json"])
    assert (said["architecture"], said["variant"], said["os"]) == ("arm64", "v8", "linux")
    digest = hashlib.sha256(parts["layer.tar"]).hexdigest()
    assert said["rootfs"] == {"type": "layers", "diff_ids": [f"sha256:{digest}"]}
    assert said["config"]["Env"] == ["LANG=C.UTF-8", "PATH=/usr/bin"]
    assert said["config"]["Cmd"] == ["/bin/bash"]
    assert said["config"]["Labels"] == {"recipe": "key"}


def test_the_layer_holds_the_files_all_owned_by_root(parts: dict[str, bytes]) -> None:
    with tarfile.open(fileobj=io.BytesIO(parts["layer.tar"])) as layer:
        members = {member.name: member for member in layer.getmembers()}
    assert set(members) == {".", "./bin", "./hello", "./usr", "./usr/bin", "./usr/bin/run"}
    assert {(m.uid, m.gid, m.uname, m.gname) for m in members.values()} == {(0, 0, "", "")}
    assert members["./bin"].linkname == "usr/bin"
    assert members["./usr/bin/run"].mode == 0o755


def test_equal_files_make_an_equal_image(tmp_path: Path) -> None:
    """The image's identity is the hash of its configuration, which holds the layer's."""
    for name in ("one", "two"):
        write_archive(_root(tmp_path / name), CONFIG, tmp_path / f"{name}.tar")
    assert _parts(tmp_path / "one.tar") == _parts(tmp_path / "two.tar")


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    root = _root(tmp_path / "root")
    for name in ("one", "two"):
        write_archive(root, CONFIG, tmp_path / f"{name}.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_the_time_of_assembly_does_not_show(tmp_path: Path) -> None:
    for name, time in (("one", 1_800_000_000), ("two", 1_800_000_999)):
        write_archive(_root(tmp_path / name, time), CONFIG, tmp_path / f"{name}.tar")
    assert _parts(tmp_path / "one.tar") == _parts(tmp_path / "two.tar")


def test_nothing_but_the_archive_is_left(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    write_archive(_root(tmp_path / "root"), CONFIG, tmp_path / "cache/image.tar")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["image.tar"]


def test_a_failure_leaves_the_old_archive_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`tar` stops in the middle, as on a full disk."""
    script = '#!/bin/sh\nfor a; do case $a in --file=*) echo half > "${a#--file=}"; esac; done\n'
    write_script(tmp_path / "bin/tar", script + "echo 'tar: no space left' >&2\nexit 2\n")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/image.tar").write_text("of the last run")
    with pytest.raises(UnfitError, match="embedded image's archive") as caught:
        write_archive(_root(tmp_path / "root"), CONFIG, tmp_path / "cache/image.tar")
    assert (caught.value.found, "--cache-dir" in caught.value.hint) == ("tar: no space left", True)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["image.tar"]
    assert (tmp_path / "cache/image.tar").read_text() == "of the last run"


def test_a_disk_that_is_full_after_the_layer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "addfile", refuse)
    with pytest.raises(UnfitError, match="cannot write the embedded image") as caught:
        write_archive(_root(tmp_path / "root"), CONFIG, tmp_path / "image.tar")
    assert "No space left" in caught.value.found
    assert [path.name for path in tmp_path.iterdir()] == ["root"]
