"""What is copied for a directory: the repository around it, and git data that lies elsewhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath

import pytest

from aarch64_wheels.hostengine.files import copy_tree
from aarch64_wheels.hostindex import IndexSettings
from aarch64_wheels.source import Source, open_source
from aarch64_wheels.source.gitdata import git_data
from aarch64_wheels.source.project import find_project
from tests.unit.git_samples import PYPROJECT, commit, git, make_repository, write

HERE = PurePosixPath()


def _found(path: Path, home: Path | None, cwd: Path | None = None) -> tuple[Path, PurePosixPath]:
    found = find_project(path, home, cwd)
    return found.root, found.package


def _open(path: Path, tmp_path: Path, cwd: Path | None = None) -> Source:
    return open_source(
        str(path),
        tmp_path / "work",
        index=IndexSettings(),
        cache_dir=tmp_path / "cache",
        no_cache=False,
        environ={"HOME": str(tmp_path / "home")},
        cwd=cwd,
    )


@pytest.mark.parametrize("kind", ["directory", "file"])
def test_the_closest_repository_is_the_project(tmp_path: Path, kind: str) -> None:
    (tmp_path / "outer/.git").mkdir(parents=True)
    (tmp_path / "outer/inner/a/b").mkdir(parents=True)
    mark = tmp_path / "outer/inner/.git"
    mark.mkdir() if kind == "directory" else mark.write_text("gitdir: x")
    inner = tmp_path / "outer/inner"
    assert _found(inner / "a/b", None) == (inner, PurePosixPath("a/b"))
    assert _found(inner, None) == (inner, HERE)


def test_without_a_repository_it_is_the_directory(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert _found(tmp_path / "a", None) == (tmp_path / "a", HERE)


def test_a_link_to_a_package_is_the_package(tmp_path: Path) -> None:
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "repo/python").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "repo/python")
    assert _found(tmp_path / "link", None) == (tmp_path / "repo", PurePosixPath("python"))


@pytest.mark.parametrize("home", ["repo", "repo/home", "."])
def test_a_home_directory_is_no_project(tmp_path: Path, home: str) -> None:
    """What is copied is shown to all that a build runs."""
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "repo/python").mkdir()
    place = tmp_path / "repo/python"
    expected = (tmp_path / "repo", PurePosixPath("python")) if home == "." else (place, HERE)
    assert _found(place, tmp_path / home) == expected
    assert ("home directory" in find_project(place, tmp_path / home).note) is (home != ".")
    assert _found(tmp_path / "repo", tmp_path / home) == (tmp_path / "repo", HERE)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_repository_of_somebody_else_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "repo/python").mkdir()
    os.chown(tmp_path / "repo/.git", 12345, 12345)
    assert _found(tmp_path / "repo/python", None) == (tmp_path / "repo/python", HERE)
    assert "another user" in find_project(tmp_path / "repo/python", None).note


@pytest.mark.parametrize("sign", ["pyvenv.cfg", "CACHEDIR.TAG"])
def test_what_is_never_copied_is_a_project_of_its_own(tmp_path: Path, sign: str) -> None:
    (tmp_path / "repo/.git").mkdir(parents=True)
    write(tmp_path, {f"repo/venv/{sign}": "", "repo/venv/src/leaf/x": ""})
    place = tmp_path / "repo/venv/src/leaf"
    assert _found(place, None) == (place, HERE)


@pytest.mark.parametrize("git", ["", "repo", "repo/a/thing"])
def test_the_working_directory_above_a_package_is_the_project(tmp_path: Path, git: str) -> None:
    """As `cibuildwheel PACKAGE_DIR` has it."""
    write(tmp_path, {"repo/a/thing/pyproject.toml": PYPROJECT})
    if git:
        (tmp_path / git / ".git").mkdir()
    (tmp_path / "link").symlink_to("repo")
    for name in ("repo", "link"):
        source = _open(tmp_path / name / "a/thing", tmp_path, tmp_path / name)
        assert (source.root, source.package) == (tmp_path / "repo", PurePosixPath("a/thing"))
        (note,) = source.notes
        assert note.endswith("repository around it" if git == "repo" else "the working directory")


@pytest.mark.parametrize("cwd", ["repo/python", "elsewhere", "repo/python/below"])
def test_a_package_that_is_not_below_the_working_directory(tmp_path: Path, cwd: str) -> None:
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "repo/python/below").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    place = tmp_path / "repo/python"
    assert _found(place, None, tmp_path / cwd) == (tmp_path / "repo", PurePosixPath("python"))
    (tmp_path / "repo/.git").rmdir()
    assert _found(place, None, tmp_path / cwd) == (place, HERE)


def test_a_working_directory_in_a_repository_is_told(tmp_path: Path) -> None:
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "repo/a/b").mkdir(parents=True)
    found = find_project(tmp_path / "repo/a/b", None, tmp_path / "repo/a")
    assert (found.root, found.package) == (tmp_path / "repo/a", PurePosixPath("b"))
    assert f"build from {tmp_path / 'repo'}" in found.note


@pytest.mark.parametrize(
    ("cwd", "why"), [("home", "home directory"), (".", "home directory"), ("/", "file system")]
)
def test_not_every_working_directory_is_copied(tmp_path: Path, cwd: str, why: str) -> None:
    place = tmp_path / "home/repo/python"
    place.mkdir(parents=True)
    home, here = tmp_path / "home", tmp_path / cwd
    assert _found(place, home, here) == (place, HERE)
    (tmp_path / "home/repo/.git").mkdir()
    found = find_project(place, home, here)
    assert (found.root, found.package) == (place.parent, PurePosixPath("python"))
    assert f"the working directory {here} is not copied" in found.note
    assert why in found.note


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_nor_is_that_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "shared/thing").mkdir(parents=True)
    os.chown(tmp_path / "shared", 12345, 12345)
    place = tmp_path / "shared/thing"
    assert _found(place, None, tmp_path / "shared") == (place, HERE)


def test_a_submodule_is_a_package_of_the_repository_it_is_built_from(tmp_path: Path) -> None:
    """Both versions can be told in what is copied."""
    origin = make_repository(tmp_path / "origin")
    outer = make_repository(tmp_path / "outer")
    git(outer, "submodule", "--quiet", "add", f"file://{origin}", "thing")
    commit(outer, "submodule")
    source = _open(outer / "thing", tmp_path, outer)
    assert (source.root, source.package) == (outer, PurePosixPath("thing"))
    assert source.git_data is None
    copy = tmp_path / "container"
    copy_tree(source.root, tmp_path, PurePosixPath("/container"), ())
    assert _described(copy) == ("v1.0-2", "")
    assert _described(copy / "thing") == ("v1.0-1", "")


@pytest.mark.parametrize("kind", ["worktree", "submodule-of-a-worktree", "absolute"])
def test_a_package_whose_git_data_lie_outside_of_the_working_directory(
    tmp_path: Path, kind: str
) -> None:
    """It is copied alone, with these data."""
    origin = make_repository(tmp_path / "origin")
    outer = make_repository(tmp_path / "outer")
    place = outer / "thing"
    if kind == "worktree":
        git(origin, "worktree", "add", "--quiet", str(place))
    elif kind == "absolute":  # as git before 1.7.10 wrote it
        git(outer, "submodule", "--quiet", "add", f"file://{origin}", "thing")
        write(place, {".git": f"gitdir: {outer}/.git/modules/thing\n"})
    else:
        git(outer, "worktree", "add", "--quiet", str(tmp_path / "tree"))
        outer, place = tmp_path / "tree", tmp_path / "tree/thing"
        git(outer, "submodule", "--quiet", "add", f"file://{origin}", "thing")
    source = _open(place, tmp_path, outer)
    assert (source.root, source.package) == (place, HERE)
    assert "its git data would not be there" in source.notes[0]
    assert _described(_as_in_a_container(source, tmp_path / "container")) == ("v1.0-1", "")


def test_a_package_reads_its_own_settings(tmp_path: Path) -> None:
    write(tmp_path, {"repo/pyproject.toml": "x = [", "repo/python/pyproject.toml": PYPROJECT})
    (tmp_path / "repo/.git").mkdir()
    source = _open(tmp_path / "repo/python", tmp_path)
    assert (source.root, source.package) == (tmp_path / "repo", PurePosixPath("python"))
    assert source.directory == tmp_path / "repo/python"
    assert source.metadata.name == "leaf"
    assert "the repository around it" in source.notes[0]


def _as_in_a_container(source: Source, place: Path) -> Path:
    shutil.copytree(source.root, place, ignore=shutil.ignore_patterns(".git"))
    assert source.git_data is not None
    shutil.copytree(source.git_data, place / ".git", symlinks=True)
    return place


def _described(place: Path) -> tuple[str, str]:
    described = git(place, "describe", "--tags", "--long", "--dirty", "--match", "v*")
    return described.rpartition("-g")[0], git(place, "status", "--short")


@pytest.mark.parametrize("kind", ["worktree", "relative", "submodule"])
def test_git_data_that_lies_elsewhere_is_brought_along(tmp_path: Path, kind: str) -> None:
    origin = make_repository(tmp_path / "origin")
    if kind == "submodule":
        outer = make_repository(tmp_path / "outer")
        git(outer, "submodule", "--quiet", "add", f"file://{origin}", "sub")
        place = outer / "sub"
    else:
        place = tmp_path / "tree"
        git(origin, "worktree", "add", "--quiet", str(place))
        if kind == "relative":  # as git 2.48 can write it
            write(place, {".git": "gitdir: ../origin/.git/worktrees/tree\n"})
            write(origin, {".git/worktrees/tree/gitdir": "../../../../tree/.git\n"})
    git(place, "pack-refs", "--all")
    source = _open(place / "python", tmp_path)
    copy = _as_in_a_container(source, tmp_path / "container")
    assert _described(copy) == ("v1.0-1", "")
    assert "worktree" not in (copy / ".git/config").read_text()
    assert not (copy / ".git/hooks").exists()


def test_a_plain_repository_needs_nothing(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "origin")
    assert git_data(place, tmp_path / "work") == (None, ())
    assert not (tmp_path / "work").exists()


def _private(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "private") / ".git"


def test_a_source_cannot_name_a_repository_of_this_host(tmp_path: Path) -> None:
    private = _private(tmp_path)
    write(tmp_path, {"evil/pyproject.toml": PYPROJECT, "evil/.git": f"gitdir: {private}\n"})
    source = _open(tmp_path / "evil", tmp_path)
    assert source.git_data is None
    assert "no version can be told" in source.notes[0]


@pytest.mark.parametrize("kind", ["worktree", "submodule", "whole"])
def test_nor_by_a_git_directory_of_its_own_making(tmp_path: Path, kind: str) -> None:
    private, evil = _private(tmp_path), tmp_path / "evil"
    write(evil, {"pyproject.toml": PYPROJECT, ".git": "gitdir: made/worktrees/x\n"})
    made = evil / "made/worktrees/x"
    if kind == "submodule":
        write(made, {"config": f"[core]\n\tworktree = {evil}\n"})
        (made / "objects").symlink_to(private / "objects")
    else:
        common = str(private) if kind == "worktree" else "../.."
        write(made, {"gitdir": str(evil / ".git"), "commondir": common, "HEAD": "x"})
        (evil / "made/config").symlink_to(private / "config")
    assert _open(evil, tmp_path).git_data is None


@pytest.mark.parametrize("linked", ["config", "worktrees/x/gitdir", "worktrees/x/commondir"])
def test_a_file_of_this_host_is_not_read_through_a_link(tmp_path: Path, linked: str) -> None:
    """Beside the project: where only a part of a hostile tree is built."""
    evil, beside = tmp_path / "tree/evil", tmp_path / "tree/beside"
    write(evil, {"pyproject.toml": PYPROJECT, ".git": "gitdir: ../beside/worktrees/x\n"})
    own = {"gitdir": "../../../evil/.git", "commondir": "../..", "HEAD": "x"}
    write(beside / "worktrees/x", own)
    write(beside, {"config": "[core]\n\tbare = false\n"})
    assert _open(evil, tmp_path).git_data is not None
    (beside / linked).rename(tmp_path / "outside")
    (beside / linked).symlink_to(tmp_path / "outside")
    data = _open(evil, tmp_path).git_data
    assert (data is None) == (linked != "config")
    assert data is None or (data / "config").read_text() == ""


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    evil, own = tmp_path / "evil", tmp_path / "beside/worktrees/x"
    write(evil, {"pyproject.toml": PYPROJECT, ".git": f"gitdir: {own}\n"})
    own.mkdir(parents=True)
    os.mkfifo(own / "commondir")
    os.mkfifo(own / "config")
    assert _open(evil, tmp_path).git_data is None


def test_objects_that_are_kept_elsewhere_are_told(tmp_path: Path) -> None:
    origin = make_repository(tmp_path / "origin")
    git(tmp_path, "clone", "--quiet", "--shared", str(origin), "copy")
    (note,) = _open(tmp_path / "copy", tmp_path).notes
    assert "git repack" in note
