"""Files that go into a container session and come out, against a real engine."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.engine.spec import ContainerSpec
from aarch64_wheels.errors import StageError
from tests.integration.session_samples import TMP, WORK, shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.engine.client import Engine
    from aarch64_wheels.engine.container import ContainerSession


@pytest.fixture(scope="module")
def session(shared_engine: Engine, debian_image: str) -> Iterator[ContainerSession]:
    with shared_engine.start_session(debian_image, ContainerSpec(emulated=True)) as session:
        yield session


def test_copy_in_keeps_modes_times_and_links(session: ContainerSession, tmp_path: Path) -> None:
    secret = tmp_path / "outside.txt"
    secret.write_text("not for the container")
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "script.sh").write_text("#!/bin/sh\n")
    (tree / "script.sh").chmod(0o750)
    os.utime(tree / "script.sh", (1_000_000_000, 1_000_000_000))
    (tree / "sub/link").symlink_to("../script.sh")
    (tree / "sub/out").symlink_to(secret)
    os.mkfifo(tree / "pipe")
    session.copy_in(tree, WORK / "kept")
    listing = session.capture(
        ["find", WORK / "kept", "-mindepth", "1", "-printf", r"%P %m %U:%G %T@ %y %l\n"]
    ).splitlines()
    facts = {line.split(" ")[0]: line.split(" ")[1:] for line in listing}
    assert facts["script.sh"][:2] == ["750", "0:0"]
    assert facts["script.sh"][2].startswith("1000000000.")
    assert facts["sub/link"][3:] == ["l", "../script.sh"]
    assert facts["sub/out"][3:] == ["l", str(secret)]
    assert set(facts) == {"script.sh", "sub", "sub/link", "sub/out"}


def test_copy_in_leaves_out_what_is_made_anew(session: ContainerSession, tmp_path: Path) -> None:
    for name in ("src", "venv", "cache", "wheelhouse"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "content").write_text(name)
    (tmp_path / "venv/pyvenv.cfg").touch()
    (tmp_path / "cache/CACHEDIR.TAG").touch()
    session.copy_in(tmp_path, WORK / "picked", exclude={tmp_path / "wheelhouse"})
    assert session.capture(["ls", WORK / "picked"]) == "src\n"


def test_copy_in_of_a_file(session: ContainerSession, tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"wheel")
    session.copy_in(tmp_path / "a.whl", WORK / "deep/b.whl")
    assert session.capture(["cat", WORK / "deep/b.whl"]) == "wheel"


def test_write_makes_parents_and_leaves_others_alone(session: ContainerSession) -> None:
    before = session.capture(["stat", "-c", "%a", TMP])
    session.write(TMP / "new/dir/file", b"content", mode=0o755)
    found = session.capture(["stat", "-c", "%a %s", TMP / "new/dir/file"])
    assert found == "755 7\n"
    assert session.capture(["stat", "-c", "%a", TMP]) == before


def test_copy_out_gives_the_files(session: ContainerSession, tmp_path: Path) -> None:
    session.run(
        shell("mkdir -p /out/ok && cd /out/ok && echo 1 >a.whl && echo 2 >b.whl"), sink=print
    )
    found = session.copy_out(PurePosixPath("/out/ok"), tmp_path / "new")
    assert {path.name: path.read_text() for path in found} == {"a.whl": "1\n", "b.whl": "2\n"}
    assert {path.parent for path in found} == {tmp_path / "new"}


HOSTILE = {
    "symbolic link": "ln -s /etc/passwd a.whl",
    "hard link": "echo 1 >a && ln a b",
    "directory": "mkdir sub",
    "fifo": "mkfifo a.whl",
    "control character": r'touch "$(printf "a\033[2J.whl")"',
}


@pytest.mark.parametrize("script", HOSTILE.values(), ids=HOSTILE.keys())
def test_copy_out_refuses(session: ContainerSession, tmp_path: Path, script: str) -> None:
    session.run(shell(f"rm -rf /out/bad; mkdir -p /out/bad && cd /out/bad && {script}"), sink=print)
    with pytest.raises(StageError, match="other than plain files"):
        session.copy_out(PurePosixPath("/out/bad"), tmp_path)


def test_copy_out_refuses_a_link_as_the_directory(
    session: ContainerSession, tmp_path: Path
) -> None:
    session.run(shell("mkdir -p /out && ln -sfn /etc /out/link"), sink=print)
    with pytest.raises(StageError, match="other than plain files"):
        session.copy_out(PurePosixPath("/out/link"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_copy_out_of_nothing(session: ContainerSession, tmp_path: Path) -> None:
    with pytest.raises(StageError, match="copy /no/such out of"):
        session.copy_out(PurePosixPath("/no/such"), tmp_path)
