"""Constraints of a project (`dependency-versions`): words, files, and hostile names of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aarch64_wheels.errors import UsageError
from aarch64_wheels.source.constraints import read_constraints

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with constraints, and a file beside it that is none of its business."""
    project = tmp_path / "project"
    (project / "ci").mkdir(parents=True)
    (project / "ci/limits.txt").write_text("numpy<2\n")
    (project / "ci/limits-python313.txt").write_text("numpy<3\n")
    (project / "a b;c.txt").write_text("odd==1\n")
    (tmp_path / "secret.txt").write_text("password\n")
    (project / "away.txt").symlink_to(tmp_path / "secret.txt")
    (project / "away-python313.txt").symlink_to(tmp_path / "secret.txt")
    (project / "here.txt").symlink_to("ci/limits.txt")
    (project / "loop.txt").symlink_to("loop.txt")
    return project


LINES = {
    "nothing": ("", "3.13", ""),
    "blank": ("  ", "3.13", ""),
    "pinned": ("pinned", "3.13", ""),
    "latest": ("latest", "3.13", ""),
    "packages": ("packages: numpy==1.0 'a >= 2'", "3.13", "numpy==1.0\na >= 2\n"),
    "no-packages": ("packages:", "3.13", ""),
    "file": ("ci/limits.txt", "3.9", "numpy<2\n"),
    "file-of-the-version": ("ci/limits.txt", "3.13", "numpy<3\n"),
    "another-version": ("ci/limits.txt", "3.1", "numpy<2\n"),
    "by-key": ("file: ci/limits.txt", "3.13", "numpy<3\n"),
    "by-key-quoted": ("file: 'a b;c.txt'", "3.13", "odd==1\n"),
    "path-with-what-separates": ("a b;c.txt", "3.13", "odd==1\n"),
    "link-inside": ("here.txt", "3.13", "numpy<2\n"),
}


@pytest.mark.parametrize(("wanted", "version", "lines"), LINES.values(), ids=LINES.keys())
def test_what_it_says(root: Path, wanted: str, version: str, lines: str) -> None:
    assert read_constraints(wanted, root, version) == lines


REFUSED = {
    "missing": ("none.txt", "has not got"),
    "directory": ("ci", "has not got"),
    "two-files": ("file: a b", "one file, or packages"),
    "both": ("file: a; packages: b", "one file, or packages"),
    "lost-words": ("packages: a==1; b==2", "one file, or packages"),
    "another-key": ("packages: a; pins: b", "has no `pins`"),
    "open-quote": ("packages: 'a", "cannot be read"),
    "parent": ("../secret.txt", "leads out of the project"),
    "parent-by-key": ("file: ci/../../secret.txt", "leads out of the project"),
    "link-outside": ("away.txt", "leads out of the project"),
    "root-directory": ("/", "has not got"),
    "the-project": (".", "has not got"),
    "link-to-itself": ("loop.txt", "has not got"),
    "too-long": ("x" * 5000, "cannot be read"),
    "nul": ("a\0b", "has not got"),
}


@pytest.mark.parametrize("version", ["3.9", "3.13"])
@pytest.mark.parametrize(("wanted", "what"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(root: Path, wanted: str, what: str, version: str) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        read_constraints(wanted, root, version)
    assert "password" not in str(caught.value)


def test_a_file_of_the_host_by_its_whole_path(root: Path) -> None:
    with pytest.raises(UsageError, match="leads out of the project"):
        read_constraints(str(root.parent / "secret.txt"), root, "3.9")


def test_a_file_without_end_is_refused_and_not_cut(root: Path) -> None:
    (root / "large.txt").write_bytes(b"numpy==1\n" * (1 << 17))
    with pytest.raises(UsageError, match="more than 1048576 bytes"):
        read_constraints("large.txt", root, "3.13")


def test_a_file_that_may_not_be_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(UsageError, match="cannot be read") as caught:
        read_constraints("ci/limits.txt", root, "3.9")
    assert caught.value.found == "ci/limits.txt: Permission denied"


@given(wanted=st.text(max_size=40), prefix=st.sampled_from(["", "file:", "packages:", "../"]))
def test_any_text_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, wanted: str, prefix: str
) -> None:
    root = tmp_path_factory.getbasetemp() / "empty"
    root.mkdir(exist_ok=True)
    try:
        assert isinstance(read_constraints(prefix + wanted, root, "3.13"), str)
    except UsageError as error:
        assert "dependency-versions" in str(error)  # noqa: PT017 - either is right
