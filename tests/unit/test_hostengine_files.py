"""Paths and files of a session on the host itself: what is copied, kept, refused."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import StageError
from aarch64_wheels.native.places import PROJECT, WORK
from tests.unit.hostengine_samples import open_session, sh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aarch64_wheels.hostengine.session import HostSession
    from aarch64_wheels.processes import Processes


@pytest.fixture
def session(tmp_path: Path, processes: Processes) -> Iterator[HostSession]:
    with open_session(tmp_path, processes) as session:
        yield session


@pytest.mark.parametrize("path", ["/etc/passwd", "/", "/aarch64-wheels/../etc", "relative"])
def test_files_elsewhere_are_refused(session: HostSession, tmp_path: Path, path: str) -> None:
    outside = PurePosixPath(path)
    (tmp_path / "a").touch()
    attempts: dict[str, Callable[[], object]] = {
        "read": lambda: session.read(outside, 1),
        "write": lambda: session.write(outside, b""),
        "copy in": lambda: session.copy_in(tmp_path / "a", outside),
        "copy out": lambda: session.copy_out(outside, tmp_path / "out"),
        "copy file": lambda: session.copy_file(outside, tmp_path / "b", 1 << 20),
        "link": lambda: session.link({outside: WORK}),
    }
    for attempt in attempts.values():
        with pytest.raises(StageError, match="is no place of this build"):
            attempt()


def test_files_behind_a_link_that_leads_elsewhere_are_refused(
    session: HostSession, tmp_path: Path
) -> None:
    (tmp_path / "victim").mkdir()
    session.link({WORK / "way": PurePosixPath(tmp_path / "victim")})
    with pytest.raises(StageError, match="is no place of this build"):
        session.write(WORK / "way/a", b"")
    assert list((tmp_path / "victim").iterdir()) == []


def test_a_tree_goes_in_with_modes_and_links_and_without_what_is_left_out(
    session: HostSession, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "sub/run.sh").write_text("#!/bin/sh\necho ran\n")
    (source / "sub/run.sh").chmod(0o755)
    (source / "dangling").symlink_to("/nowhere/at/all")
    (source / "wheelhouse").mkdir()
    session.copy_in(source, PROJECT, exclude=(source / "wheelhouse",))
    assert session.capture([PROJECT / "sub/run.sh"]) == "ran\n"
    assert session.capture(["ls", PROJECT]).split() == ["dangling", "sub"]
    assert session.capture(["readlink", PROJECT / "dangling"]) == "/nowhere/at/all\n"


def test_files_come_out(session: HostSession, tmp_path: Path) -> None:
    session.write(WORK / "built/a.whl", b"wheel", mode=0o600)
    (copy,) = session.copy_out(WORK / "built", tmp_path / "out")
    assert (copy.name, copy.read_bytes()) == ("a.whl", b"wheel")
    session.copy_file(WORK / "built/a.whl", tmp_path / "b.whl", 5)
    assert (tmp_path / "b.whl").read_bytes() == b"wheel"
    with pytest.raises(StageError, match="too large"):
        session.copy_file(WORK / "built/a.whl", tmp_path / "c.whl", 4)
    assert session.read(WORK / "built/a.whl", 3) == b"whe"


def test_links_and_missing_files_do_not_come_out(session: HostSession, tmp_path: Path) -> None:
    """A project's code must not have this program read or publish what it links to."""
    session.link({WORK / "built/a.whl": PurePosixPath("/etc/passwd")})
    with pytest.raises(StageError):
        session.copy_out(WORK / "built", tmp_path / "out")
    with pytest.raises(StageError):
        session.read(WORK / "built/a.whl", 10)
    with pytest.raises(StageError, match="cannot read"):
        session.read(WORK / "nothing", 10)


def test_a_link_leads_to_the_mapped_place(session: HostSession) -> None:
    session.write(WORK / "a", b"first")
    session.write(WORK / "b", b"second")
    session.link({WORK / "links/x": WORK / "a"})
    session.link({WORK / "links/x": WORK / "b"})
    assert session.capture(["cat", WORK / "links/x"]) == "second"


def test_what_is_saved_can_be_restored(session: HostSession, tmp_path: Path) -> None:
    session.write(WORK / "kept/a", b"1")
    session.save(WORK / "kept", tmp_path / "kept.tar")
    session.run(["rm", "-r", WORK / "kept"], sink=print)
    session.restore(tmp_path / "kept.tar", WORK)
    assert session.read(WORK / "kept/a", 1) == b"1"


#: Lays out what `before-all` may: an archive's members with the path of the project in them.
LAY = r"""
root=$(pwd) && printf 'prefix=%s\n' "$root" >a.pc && printf '\0%s/lib\0%s\0' "$root" "$root" >lib.so
ln -s "$root/a.pc" way && ln lib.so second && : >empty && printf '/usr' >short
chmod 444 a.pc && chmod 755 lib.so && touch -d @1000000000 a.pc lib.so && mkdir shut
cp lib.so shut && ln -s "$root/lib.so" shut/way && chmod 555 shut
"""


def test_what_is_restored_elsewhere_knows_its_new_place(
    tmp_path: Path, processes: Processes
) -> None:
    parent, archive = tmp_path.resolve(), tmp_path / "kept.tar"
    with open_session(parent, processes) as first:
        first.write(PROJECT / "sub/x", b"")
        first.run(sh(LAY), sink=print, cwd=PROJECT)
        first.save(PROJECT, archive)
        old = first.root
    with open_session(parent, processes) as second:
        second.restore(archive, PROJECT.parent, made_in=old)
        place = second.root / "project"
        assert second.read(PROJECT / "a.pc", 1 << 10) == f"prefix={place}\n".encode()
        assert second.read(PROJECT / "shut/lib.so", 1 << 10) == f"\0{place}/lib\0{place}\0".encode()
        assert (place / "way").readlink() == place / "a.pc"
        assert (place / "shut/way").readlink() == place / "lib.so"
        assert (place / "second").samefile(place / "lib.so")
        assert (place / "short").read_bytes() == b"/usr"
        modes = [(place / name).stat().st_mode & 0o777 for name in ("a.pc", "lib.so", "shut")]
        assert modes == [0o444, 0o755, 0o555]
        assert {(place / name).stat().st_mtime for name in ("a.pc", "lib.so")} == {1_000_000_000}
        assert second.capture(sh(f'grep -rlF "{old}" . || echo none'), cwd=PROJECT) == "none\n"


def test_a_place_whose_name_has_another_length_is_refused(
    session: HostSession, tmp_path: Path
) -> None:
    session.write(WORK / "kept/a", b"1")
    session.save(WORK / "kept", tmp_path / "kept.tar")
    with pytest.raises(StageError, match="cannot restore files") as caught:
        session.restore(tmp_path / "kept.tar", WORK, made_in=session.root / "longer")
    assert "not of the same length" in caught.value.found
