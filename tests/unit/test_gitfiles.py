"""What of git's data is copied: repositories that the host's own git has made, and reads there."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.engine.archive import digest
from aarch64_wheels.gitfiles import contents, is_repository
from aarch64_wheels.hostengine.files import copy_tree
from aarch64_wheels.source.gitdata import git_data
from tests.unit.git_samples import commit, git, make_repository, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Where git and people leave tokens, in whatever git directory.
HIDING = (
    *("FETCH_HEAD", "ORIG_HEAD", "COMMIT_EDITMSG", "MERGE_MSG", "credentials", "description"),
    *("logs/HEAD", "logs/refs/heads/main", "hooks/pre-push", "config.bak", "config.lock"),
    *("info/refs", "info/notes", "rebase-merge/author-script", "svn/x", "x.txt"),
    *("modules/notes", "worktrees/notes", "worktrees/x/notes", "annex/creds/x"),
)
LOOKS = (
    ("describe", "--tags", "--dirty", "--long"),
    ("status", "--porcelain=v2", "--branch"),
    ("rev-parse", "HEAD", "v1.0"),
    ("rev-list", "--all"),
    ("submodule", "status", "--recursive"),
    ("ls-files", "--stage", "-t"),
    ("fsck", "--connectivity-only"),
)


def _hide(repository: Path) -> None:
    write(repository, dict.fromkeys(HIDING, "SECRET"))
    with (repository / "config").open("a") as config:
        config.write("[http]\n\textraheader = SECRET\n")


def _copied(place: Path, tmp_path: Path) -> Path:
    """Copy a project as into a container, where no secret gets to."""
    copy_tree(place, tmp_path, PurePosixPath("/container"), ())
    copy = tmp_path / "container"
    texts = (path.read_bytes() for path in copy.rglob("*") if path.is_file())
    assert not any(b"SECRET" in text for text in texts)
    return copy


def _seen(place: Path) -> list[str]:
    return [git(place, *words) for words in LOOKS]


def _submodule(place: Path, tmp_path: Path) -> None:
    """One with another in it, and with a name of two parts."""
    inner = make_repository(tmp_path / "inner")
    middle = make_repository(tmp_path / "middle")
    for outer, origin in ((middle, inner), (place, middle)):
        git(outer, "submodule", "--quiet", "add", "--name", "a/b", f"file://{origin}", "sub")
        commit(outer, "submodule")
    git(place, "submodule", "--quiet", "update", "--init", "--recursive")
    modules = place / ".git/modules/a/b"
    for data in (modules, modules / "modules/a/b"):
        _hide(data)


def _staged(place: Path, _tmp_path: Path) -> None:
    write(place, {"new.txt": "1"})
    git(place, "add", "new.txt")


def _sparse(place: Path, _tmp_path: Path) -> None:
    git(place, "sparse-checkout", "set", "--no-cone", "/python", "/new.txt")


def _untracked(place: Path, _tmp_path: Path) -> None:
    write(place, {"ignored": "", "other": "", ".git/info/exclude": "ignored\n"})


def _attributes(place: Path, _tmp_path: Path) -> None:
    write(place, {"second.txt": "2\n"})
    commit(place, "line")
    (place / "second.txt").write_bytes(b"2\r\n")
    write(place, {".git/info/attributes": "*.txt text eol=crlf\n"})
    git(place, "add", "second.txt")  # the same to git, which sees so only here


def _split(place: Path, _tmp_path: Path) -> None:
    git(place, "update-index", "--split-index")
    assert list((place / ".git").glob("sharedindex.*"))


def _worktree(place: Path, _tmp_path: Path) -> None:
    """Inside of the project, named as git 2.48 can name it; with a submodule's name, too."""
    git(place, "worktree", "add", "--quiet", str(place / "tree"))
    write(place, {"tree/.git": "gitdir: ../.git/worktrees/tree\n"})
    _hide(place / ".git/worktrees/tree")


def _branches(place: Path, _tmp_path: Path) -> None:
    """Whose names are those of a git directory's files."""
    for name in ("HEAD", "objects/x", "refs/y", "config", "logs/x", "FETCH_HEAD"):
        git(place, "update-ref", f"refs/remotes/origin/{name}", "HEAD")


STATES: dict[str, Callable[[Path, Path], object]] = {
    "plain": lambda _place, _tmp_path: None,
    "dirty": lambda place, _: write(place, {"second.txt": "changed"}),
    "staged": _staged,
    "packed": lambda place, _: git(place, "gc", "--quiet"),
    "detached": lambda place, _: git(place, "checkout", "--quiet", "HEAD^0"),
    "untracked": _untracked,
    "attributes": _attributes,
    "split-index": _split,
    "sparse": _sparse,
    "submodules": _submodule,
    "worktree": _worktree,
    "branches": _branches,
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES.keys())
def test_git_says_the_same_of_a_copy(tmp_path: Path, state: Callable[[Path, Path], object]) -> None:
    place = make_repository(tmp_path / "origin")
    state(place, tmp_path)
    git(place, "status")  # which may write the index
    before = _seen(place)
    _hide(place / ".git")
    assert _seen(_copied(place, tmp_path)) == before


def test_git_says_the_same_of_the_worktree_in_a_copy(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "origin")
    _worktree(place, tmp_path)
    _hide(place / ".git")
    assert _seen(_copied(place, tmp_path) / "tree") == _seen(place / "tree")


def test_git_says_the_same_of_a_shallow_clone(tmp_path: Path) -> None:
    origin = make_repository(tmp_path / "origin")
    git(origin, "tag", "v2.0")
    git(origin, "tag", "-d", "v1.0")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{origin}", "clone")
    git(tmp_path / "clone", "tag", "v1.0")
    before = _seen(tmp_path / "clone")
    _hide(tmp_path / "clone/.git")
    assert _seen(_copied(tmp_path / "clone", tmp_path)) == before


def test_a_bare_repository_that_is_committed_is_copied_as_it_is(tmp_path: Path) -> None:
    """Tests of programs that read git have such; to git it is a directory as any."""
    place = make_repository(tmp_path / "origin")
    git(tmp_path, "clone", "--quiet", "--bare", str(place), "origin/tests/x.git")
    commit(place, "tests")
    assert "tests/x.git/config" in git(place, "ls-files")
    before = _seen(place)
    assert _seen(_copied(place, tmp_path)) == before


@pytest.mark.parametrize("outer", [True, False])
def test_git_says_the_same_of_a_sparse_worktree(tmp_path: Path, outer: bool) -> None:  # noqa: FBT001 - a table
    """Be it the repository's own that is sparse, or the other one."""
    origin, place = make_repository(tmp_path / "origin"), tmp_path / "tree"
    git(origin, "worktree", "add", "--quiet", str(place))
    git(origin if outer else place, "sparse-checkout", "set", "--no-cone", "/python")
    write(origin, {".git/info/exclude": "ignored\n"})
    write(place, {"ignored": ""})
    before, patterns = _seen(place), (origin / ".git/worktrees/tree/info/sparse-checkout")
    for directory in (origin / ".git", origin / ".git/worktrees/tree"):
        _hide(directory)
    data, _ = git_data(place, tmp_path / "work")
    assert data is not None
    assert (data / "info/sparse-checkout").exists() is patterns.exists() is not outer
    copy_tree(place, tmp_path, PurePosixPath("/container"), [place / ".git"])
    copy_tree(data, tmp_path, PurePosixPath("/container/.git"), ())
    copy = _copied(tmp_path / "container", tmp_path / "again")
    assert _seen(copy) == before


def test_what_only_looks_like_git_is_copied(tmp_path: Path) -> None:
    files = {"HEAD": "of a story", "objects/a": "SECRET", "refs/b": "SECRET", "other": "SECRET"}
    write(tmp_path / "story", files)
    assert not is_repository(tmp_path / "story")
    copy_tree(tmp_path / "story", tmp_path, PurePosixPath("/container"), ())
    assert (tmp_path / "container/other").exists()


@pytest.mark.parametrize(
    ("head", "expected"),
    [("ref: refs/heads/main\n", True), ("0" * 40, True), ("0" * 64, True), ("x", False)],
)
def test_what_git_takes_for_its_own(tmp_path: Path, head: str, expected: bool) -> None:  # noqa: FBT001 - a table
    write(tmp_path, {"HEAD": head, "objects/x": "", "refs/x": ""})
    assert is_repository(tmp_path) is expected


def test_an_old_link_to_a_branch(tmp_path: Path) -> None:
    write(tmp_path, {"objects/x": "", "refs/x": ""})
    (tmp_path / "HEAD").symlink_to("refs/heads/main")
    assert is_repository(tmp_path)
    (tmp_path / "HEAD").unlink()
    (tmp_path / "HEAD").symlink_to("elsewhere")
    assert not is_repository(tmp_path)


def test_links_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {"out/exclude": "SECRET", "out/HEAD": "SECRET"})
    (tmp_path / "data").mkdir()
    for name in ("info", "modules", "objects"):
        (tmp_path / "data" / name).symlink_to(tmp_path / "out")
    assert [path.name for path, _ in contents(tmp_path / "data")] == ["objects"]


def test_what_the_annex_holds_is_copied(tmp_path: Path) -> None:
    """Files of the project are links to it."""
    place = make_repository(tmp_path / "origin")
    write(place, {".git/annex/objects/k/k": "large", ".git/annex/creds/x": "SECRET"})
    (place / "large").symlink_to(".git/annex/objects/k/k")
    assert (_copied(place, tmp_path) / "large").read_text() == "large"


COUNTING: dict[str, Callable[[Path], object]] = {
    "tag": lambda place: git(place, "tag", "v2.0"),
    "tag-in-a-submodule": lambda place: git(place / "sub", "tag", "v2.0"),
    "packed": lambda place: git(place, "pack-refs", "--all"),
    "shallow": lambda place: write(place, {".git/shallow": f"{'0' * 40}\n"}),
}
NOT_COUNTING: dict[str, Callable[[Path], object]] = {
    "index": lambda place: git(place, "update-index", "--index-version=4"),
    "object": lambda place: git(place, "hash-object", "-w", "second.txt.new"),
    "fetched": lambda place: write(place, {".git/FETCH_HEAD": "x"}),
    "settings": lambda place: git(place, "config", "remote.origin.url", "/x"),
    "log": lambda place: write(place, {".git/logs/HEAD": "x"}),
}


@pytest.mark.parametrize("name", [*COUNTING, *NOT_COUNTING])
def test_of_gits_data_commits_count(tmp_path: Path, name: str) -> None:
    place = make_repository(tmp_path / "origin")
    _submodule(place, tmp_path)
    write(place, {"second.txt.new": "3"})
    before = digest(place)
    (COUNTING.get(name) or NOT_COUNTING[name])(place)
    assert (digest(place) != before) is (name in COUNTING)
