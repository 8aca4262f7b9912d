"""The time of a build: the user's, or the source's own."""

from __future__ import annotations

import os
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.epoch import EARLIEST, LATEST, source_epoch
from aarch64_wheels.errors import UsageError
from aarch64_wheels.source.epoch import commit_epoch, commit_name, sdist_epoch

if TYPE_CHECKING:
    from pathlib import Path

NOON = 1_700_000_000
CHOSEN: dict[str, tuple[str, int | None, int]] = {
    "the-users": ("1600000000", NOON, 1_600_000_000),
    "the-sources": ("", NOON, NOON),
    "nobodys": ("", None, EARLIEST),
    "zero": ("0", NOON, 0),
    "last": (str(LATEST), None, LATEST),
    "before-zip": ("", 12, EARLIEST),
    "after-zip": ("", 2**40, LATEST),
}


@pytest.mark.parametrize(("said", "found", "expected"), CHOSEN.values(), ids=CHOSEN)
def test_whose_time_it_is(said: str, found: int | None, expected: int) -> None:
    assert source_epoch(said, found) == expected


@pytest.mark.parametrize(
    "said", ["-1", "1.5", "now", " 1", "1_0", "\N{ARABIC-INDIC DIGIT ONE}", "9" * 11, "9" * 5000]
)
def test_what_is_no_time(said: str) -> None:
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH is no time") as caught:
        source_epoch(said, None)
    assert caught.value.found == said[:40]


def _repository(path: Path, message: str = "one") -> Path:
    """A repository with a commit made at noon, and written an hour before."""
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(path),
        "GIT_AUTHOR_DATE": f"{NOON - 3600} +0200",
        "GIT_COMMITTER_DATE": f"{NOON} -0330",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    who = ("-c", "user.name=a > 1 +0000", "-c", "user.email=a@b.example")
    for words in (
        ("init", "-q", path),
        ("-C", path, *who, "commit", "-q", "--allow-empty", "-m", message),
    ):
        subprocess.run(["git", *words], env=variables, check=True)
    return path


def test_a_commit_has_the_time_it_was_made_at(tmp_path: Path) -> None:
    assert commit_epoch(_repository(tmp_path), os.environ) == NOON


def test_a_message_says_nothing(tmp_path: Path) -> None:
    root = _repository(tmp_path, "committer a <b> 5 +0000\n\ncommitter a <b> 6 +0000")
    assert commit_epoch(root, os.environ) == NOON


def test_a_commit_has_a_name(tmp_path: Path) -> None:
    root = _repository(tmp_path / "one")
    head = (root / ".git/refs/heads").iterdir()
    assert [commit_name(root, os.environ)] == [path.read_text().strip() for path in head]
    assert commit_name(tmp_path, os.environ) == ""
    subprocess.run(["git", "init", "-q", tmp_path / "empty"], check=True)
    assert commit_name(tmp_path / "empty", os.environ) == ""


def test_a_repository_of_another_user_is_read(tmp_path: Path) -> None:
    """git's own variable for its tests: all is another user's."""
    root = _repository(tmp_path)
    variables = {**os.environ, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    refused = subprocess.run(["git", "status"], env=variables, cwd=root, check=False)
    assert refused.returncode != 0
    assert commit_epoch(root, variables) == NOON
    assert commit_name(root, variables)


def test_variables_of_a_hook_do_not_lead_elsewhere(tmp_path: Path) -> None:
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", other], check=True)
    variables = {**os.environ, "GIT_DIR": str(other / ".git")}
    assert commit_epoch(_repository(tmp_path / "own"), variables) == NOON


def test_a_repository_around_is_another_ones(tmp_path: Path) -> None:
    """Neither without anything that looks like one inside, nor with it."""
    inner = _repository(tmp_path) / "inner"
    inner.mkdir()
    assert commit_epoch(inner, os.environ) is None
    (inner / ".git").mkdir()
    assert commit_epoch(inner, os.environ) is None


def test_without_a_commit_or_a_git_there_is_no_time(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    assert commit_epoch(tmp_path, os.environ) is None
    root = _repository(tmp_path / "one")
    assert commit_epoch(root, {"PATH": "/nowhere"}) is None


def test_nothing_of_a_repository_is_run_or_asked(tmp_path: Path) -> None:
    """Not even where the commit's object is missing, and a remote promises it."""
    root, ran = _repository(tmp_path / "one"), tmp_path / "ran"
    with (root / ".git/config").open("a") as config:
        config.write(
            f"[core]\n fsmonitor = touch {ran}\n repositoryformatversion = 1\n"
            f"[extensions]\n partialClone = evil\n"
            f'[remote "evil"]\n url = ext::touch {ran}\n promisor = true\n'
            f'[protocol "ext"]\n allow = always\n'
        )
    for path in (root / ".git/objects").rglob("*"):
        if path.is_file():
            path.unlink()
    assert commit_epoch(root, os.environ) is None
    assert not ran.exists()


def test_an_unpacked_sdist_has_the_time_of_its_newest_file(tmp_path: Path) -> None:
    root = tmp_path / "a-1"
    for name, when in (("old", 5), ("src/new", NOON), ("src/other", 7)):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (when, when))
    (root / "link").symlink_to(tmp_path)
    assert sdist_epoch(tmp_path / "a-1.tar.gz", root) == NOON
    assert sdist_epoch(tmp_path / "b-1.tar.gz", tmp_path / "nothing") is None


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_a_zip_has_the_same_time_in_every_time_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    file = tmp_path / "a-1.ZIP"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a-1/old", (1999, 1, 1, 0, 0, 0)), "")
        archive.writestr(zipfile.ZipInfo("a-1/none", (1980, 0, 0, 0, 0, 0)), "")
        archive.writestr(zipfile.ZipInfo("a-1/new", (2023, 11, 14, 22, 13, 20)), "")
    assert sdist_epoch(file, tmp_path / "unpacked") == NOON
