"""The git data of a project whose `.git` is a file: a worktree, or a submodule.

Such a file leads out of the project, so a container would be given a `.git` that leads nowhere,
and no version could be told from it. What it leads to is assembled into a directory that stands
for it there. A source may be hostile, and must not bring any repository of this host into a
container by naming it. So what it names has to name it back, from a place that is not the
source's to write: git keeps such a link for worktrees (`gitdir`) and submodules (`core.worktree`).
Nothing in the source itself is such a place, and no file is read through a link.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from aarch64_wheels import gitfiles
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.gitconfig import MAX_CONFIG, cleaned
from aarch64_wheels.gitfiles import GIT, Part

_WORKTREE = re.compile(r'^[ \t]*worktree[ \t]*=[ \t]*"?([^"\n]*?)"?[ \t]*$', re.MULTILINE)


def git_data(root: Path, workdir: Path) -> tuple[Path | None, tuple[str, ...]]:
    """Assemble the git data of a project, where that is needed.

    Args:
        root: the project's directory.
        workdir: a new directory is made below it.

    Returns:
        What stands for `.git`, None where the project's own will do or nothing can stand for it,
        and notes for the user.

    Raises:
        UnfitError: there is no room for it.
    """
    if not (root / GIT).is_file():
        return None, _alternates(root / GIT)
    found = _places(root)
    if found is None:
        why = f"{root / GIT} leads to git data that does not belong to this directory alone"
        return None, (f"{why}: builds see none, so no version can be told from it",)
    own, common = found
    workdir.mkdir(parents=True, exist_ok=True)
    target = Path(tempfile.mkdtemp(prefix="git-", dir=workdir))
    try:
        _assemble(own, common, target)
    except OSError as error:
        what = f"cannot copy the git data of {root} to {target}"
        raise UnfitError(what, found=str(error), hint="make room there, or set TMPDIR") from error
    return target, _alternates(common)


def _places(root: Path) -> tuple[Path, Path] | None:
    """Find the project's own git directory and the repository's, if both can be believed."""
    found = _named(root)
    if found is None or any(place.is_relative_to(root.resolve()) for place in found):
        return None
    return found


def _named(root: Path) -> tuple[Path, Path] | None:
    """Find the two directories, if they name the project back."""
    name = _read(root / GIT).partition("gitdir:")[2].strip()
    if not name:
        return None
    own = (root / name).resolve()
    if common := _read(own / "commondir").strip():
        back, shared = _read(own / "gitdir").strip(), (own / common).resolve()
        is_ours = bool(back) and (own / back).resolve() == root.resolve() / GIT
        return (own, shared) if is_ours and own.parent == shared / "worktrees" else None
    named = _WORKTREE.search(_read(own / "config"))
    return (own, own) if named and (own / named[1]).resolve() == root.resolve() else None


def _read(file: Path) -> str:
    """Read a file itself: no link, which may lead to any file of this host, and no pipe."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return ""
            data = stream.read(MAX_CONFIG + 1)
    except OSError:
        return ""
    return "" if len(data) > MAX_CONFIG else data.decode(errors="replace")


def _assemble(own: Path, common: Path, target: Path) -> None:
    for place, entries in ((common, gitfiles.shared(common)), (own, gitfiles.own(own))):
        for path, part in entries:
            _take(path, target / path.relative_to(place), part)
    (target / "refs").mkdir(exist_ok=True)  # without it git takes this for no repository


def _take(path: Path, copy: Path, part: Part) -> None:
    """Take a file or make a directory; links, which may lead anywhere, stay out."""
    mode = path.lstat().st_mode
    if part is Part.CONFIG:
        copy.write_text(cleaned(_read(path)), encoding="utf-8")
    elif stat.S_ISDIR(mode):
        copy.mkdir(exist_ok=True)
    elif stat.S_ISREG(mode):
        _link_or_copy(path, copy)


def _link_or_copy(path: Path, copy: Path) -> None:
    """Give a file a second name where that can be: objects are many, and only read."""
    try:
        copy.hardlink_to(path)
    except OSError:
        shutil.copy2(path, copy, follow_symlinks=False)


def _alternates(data: Path) -> tuple[str, ...]:
    """Say so where objects are kept elsewhere, as `git clone --shared` leaves them."""
    if not (data / "objects/info/alternates").is_file():
        return ()
    why = f"{data} takes objects from another repository, which builds do not see"
    return (f"{why}: `git repack -a -d` brings them here, if a version must be told from it",)
