"""The digest of a directory: of what is copied to a container, and of nothing else."""

from __future__ import annotations

import errno
import os
import subprocess
import tarfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.engine.archive import digest, pack
from aarch64_wheels.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "pkg").mkdir(parents=True)
    (root / "pkg/a.py").write_text("1")
    (root / "b").write_text("2")
    (root / "link").symlink_to("b")
    return root


def _execute(root: Path) -> None:
    (root / "b").chmod(0o755)


def _link_elsewhere(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").symlink_to("pkg")


def _make_no_link(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").write_text("b")


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda root: (root / "pkg/a.py").write_text("2"),
    "new-file": lambda root: (root / "c").touch(),
    "new-directory": lambda root: (root / "pkg/deep").mkdir(),
    "name": lambda root: (root / "b").rename(root / "c"),
    "place": lambda root: (root / "b").rename(root / "pkg/b"),
    "gone": lambda root: (root / "b").unlink(),
    "may-be-run": _execute,
    "link": _link_elsewhere,
    "no-link": _make_no_link,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_counts(tree: Path, change: Callable[[Path], object]) -> None:
    before = digest(tree, ())
    change(tree)
    assert digest(tree, ()) != before


def _dated(root: Path) -> None:
    os.utime(root / "b", (1, 1))


def _put_out(root: Path) -> None:
    (root / "out").mkdir()
    (root / "out/x.whl").touch()


def _cached(root: Path) -> None:
    (root / ".cache").mkdir()
    (root / ".cache/CACHEDIR.TAG").touch()
    (root / ".cache/x").touch()


def _environment(root: Path) -> None:
    (root / ".venv").mkdir()
    (root / ".venv/pyvenv.cfg").touch()


SAME: dict[str, Callable[[Path], object]] = {
    "time": _dated,
    "cache": _cached,
    "environment": _environment,
    "left-out": _put_out,
    "mode-of-others": lambda root: (root / "b").chmod(0o600),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME.keys())
def test_what_does_not_count(tree: Path, change: Callable[[Path], object]) -> None:
    (tree / "b").chmod(0o644)
    before = digest(tree, (tree / "out",))
    change(tree)
    assert digest(tree, (tree / "out",)) == before


def test_the_place_of_the_whole_does_not_count(tree: Path, tmp_path: Path) -> None:
    before = digest(tree, ())
    (tmp_path / "alias").symlink_to(tree)
    assert digest(tmp_path / "alias", ()) == before
    assert digest(tree.rename(tmp_path / "moved"), ()) == before


def test_links_are_not_followed(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("1")
    (tree / "away").symlink_to(tmp_path / "secret")
    (tree / "round").symlink_to(".")
    before = digest(tree, ())
    (tmp_path / "secret").write_text("2")
    assert digest(tree, ()) == before


def test_names_cannot_pass_for_content(tmp_path: Path) -> None:
    """No two trees have the same rows, whatever their files are called."""
    one, two = tmp_path / "one", tmp_path / "two"
    for root in (one, two):
        root.mkdir()
    (one / "a', 32768, False, ''").touch()
    (two / "a").touch()
    assert digest(one, ()) != digest(two, ())


def test_names_that_are_no_text(tree: Path) -> None:
    before = digest(tree, ())
    (tree / os.fsdecode(b"\xff\xfe")).touch()
    assert digest(tree, ()) != before


def test_pipes_and_files_that_cannot_be_read(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tree / "pipe")
    assert digest(tree, ())

    def refuse(path: Path) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("aarch64_wheels.engine.archive.sha256_of", refuse)
    with pytest.raises(UsageError, match=f"{tree / 'b'} cannot be read"):
        digest(tree, ())


@pytest.mark.parametrize("gone", ["pkg", "pkg/a.py", "b"])
def test_what_goes_while_it_is_read_is_no_fault(
    tree: Path, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    """Editors and servers write into a working directory while it is copied."""
    listed = Path.iterdir

    def vanishing(self: Path) -> Iterator[Path]:
        rows = list(listed(self))
        if self == tree / (PurePosixPath(gone).parent):
            subprocess.run(["rm", "-rf", tree / gone], check=True)
        return iter(rows)

    monkeypatch.setattr(Path, "iterdir", vanishing)
    assert digest(tree, ()) == digest(tree, ())
    with pack(tree, PurePosixPath("/p"), ()) as stream, tarfile.open(fileobj=stream) as tar:
        assert f"p/{gone}" not in tar.getnames()
        assert "p/link" in tar.getnames()


def test_what_may_not_be_read_is_told(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> Iterator[Path]:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(UsageError, match=f"{tree} cannot be read") as caught:
        digest(tree, ())
    assert (caught.value.found, "let this user" in caught.value.hint) == ("Permission denied", True)


def test_what_is_not_there_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        pack(tmp_path / "nothing", PurePosixPath("/p"), ())
