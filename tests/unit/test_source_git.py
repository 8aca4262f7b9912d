"""Sources from git repositories: real ones, by file and by HTTP, cloned by the host's git."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import AarchWheelsError, ExitCode, UnfitError, UsageError
from aarch64_wheels.hostindex import IndexSettings
from aarch64_wheels.source import Source, SourceKind, open_source
from tests.unit.git_samples import (
    PYPROJECT,
    commit,
    git,
    git_environ,
    make_repository,
    served,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "origin/leaf.git")


def _open(text: str, tmp_path: Path, environ: Mapping[str, str] | None = None) -> Source:
    return open_source(
        text,
        tmp_path / "work",
        index=IndexSettings(),
        cache_dir=tmp_path / "cache",
        no_cache=False,
        environ={**git_environ(tmp_path), **(environ or {})},
    )


def _refused(text: str, tmp_path: Path) -> AarchWheelsError:
    with pytest.raises(AarchWheelsError) as caught:
        _open(text, tmp_path)
    return caught.value


def _head(repository: Path, name: str = "HEAD") -> str:
    return git(repository, "rev-parse", f"{name}^{{commit}}")


def test_the_default_branch_with_its_history(repository: Path, tmp_path: Path) -> None:
    source = _open(f"git+file://{repository}", tmp_path)
    assert (source.kind, source.sha256) == (SourceKind.VCS, "")
    assert source.commit == _head(repository)
    assert source.origin == f"git+file://{repository}@{source.commit}"
    assert source.metadata.name == "leaf"
    assert source.root.name == "leaf"
    assert git(source.root, "describe", "--tags", "--dirty").startswith("v1.0-1-g")


@pytest.mark.parametrize("name", ["tag", "commit", "short", "branch", "full"])
def test_a_tag_a_commit_and_a_branch(repository: Path, tmp_path: Path, name: str) -> None:
    git(repository, "branch", "side", "v1.0")
    commit_ = _head(repository, "v1.0")
    names = {"tag": "v1.0", "commit": commit_, "short": commit_[:10], "branch": "side"}
    ref = names.get(name, "refs/tags/v1.0")
    source = _open(f"leaf @ git+file://{repository}@{ref}", tmp_path)
    assert source.commit == commit_
    assert source.origin.endswith(f"@{commit_}")
    assert not (source.root / "second.txt").exists()


def test_what_no_branch_leads_to_is_fetched_by_its_name(repository: Path, tmp_path: Path) -> None:
    """A server shows proposed changes as `refs/pull/1/head`, which no clone brings."""
    git(repository, "update-ref", "refs/pull/1/head", _head(repository))
    git(repository, "reset", "--quiet", "--hard", "v1.0")
    source = _open(f"git+file://{repository}@refs/pull/1/head", tmp_path)
    assert (source.root / "second.txt").is_file()


def test_a_package_in_a_subdirectory(repository: Path, tmp_path: Path) -> None:
    source = _open(f"git+file://{repository}@v1.0#subdirectory=python", tmp_path)
    assert (str(source.package), source.directory) == ("python", source.root / "python")
    assert source.origin.endswith("#subdirectory=python")
    error = _refused(f"git+file://{repository}#subdirectory=nowhere", tmp_path)
    assert "has no directory nowhere" in str(error)


def test_another_project_than_was_named(repository: Path, tmp_path: Path) -> None:
    error = _refused(f"tree @ git+file://{repository}", tmp_path)
    assert (error.exit_code, error.found) == (ExitCode.USAGE, "leaf")


def test_no_such_ref_and_no_such_repository(repository: Path, tmp_path: Path) -> None:
    error = _refused(f"git+file://{repository}@nope", tmp_path)
    assert isinstance(error, UsageError)
    assert "has no nope" in str(error)
    error = _refused(f"git+file://{tmp_path}/nowhere", tmp_path)
    assert isinstance(error, UnfitError)
    assert "does not appear to be a git repository" in error.found


def test_an_empty_repository(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "--quiet")
    assert "no commit at all" in str(_refused(f"git+file://{tmp_path}/empty", tmp_path))


def test_a_host_without_git(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    with pytest.raises(UnfitError, match="git is needed") as caught:
        _open(f"git+file://{repository}", tmp_path, {"PATH": str(tmp_path / "bin")})
    assert "apt-get install git" in caught.value.hint


def test_no_hook_and_no_monitor_runs(repository: Path, tmp_path: Path) -> None:
    """Not even the user's own, which are for the user's own repositories."""
    program = tmp_path / "hooks/post-checkout"
    write(tmp_path, {"hooks/post-checkout": f"#!/bin/sh\ntouch {tmp_path}/ran\n"})
    program.chmod(0o755)
    text = f"[core]\nhooksPath = {tmp_path}/hooks\nfsmonitor = {program}\n"
    text += f"[init]\ntemplateDir = {tmp_path}/template\n"
    write(tmp_path, {".gitconfig": text, "template/hooks/x": "", "template/description": "mine"})
    source = _open(f"git+file://{repository}", tmp_path)
    assert not (tmp_path / "ran").exists()
    assert not (source.root / ".git/hooks").exists()


def test_variables_of_another_repository_have_no_say(repository: Path, tmp_path: Path) -> None:
    """As they are set where this program is run by a hook of git."""
    other = make_repository(tmp_path / "other")
    environ = {"GIT_DIR": str(other / ".git"), "GIT_INDEX_FILE": str(other / ".git/index")}
    before = (other / ".git/index").read_bytes()
    assert _open(f"git+file://{repository}", tmp_path, environ).metadata.name == "leaf"
    assert (other / ".git/index").read_bytes() == before


def test_an_error_names_the_repository_that_was_asked_for(tmp_path: Path) -> None:
    """Also if there is an `@` in its path, before which `redact` suspects a login."""
    (tmp_path / "empty").mkdir()
    with served(tmp_path / "empty") as (host, _):
        error = _refused(f"git+http://me:secret@{host}/o/n@x@v1", tmp_path)
    assert f"'http://{host}/o/n@x/'" in error.found
    assert "secret" not in str(error)


def test_people_may_have_git_ask_by_ssh(repository: Path, tmp_path: Path) -> None:
    ssh = tmp_path / "ssh"
    write(tmp_path, {"ssh": '#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n'})
    ssh.chmod(0o755)
    instead = f'[url "git@h.example:{repository.parent}/"]\ninsteadOf = https://h.example/\n'
    write(tmp_path, {".gitconfig": instead})
    source = _open("git+https://h.example/leaf.git", tmp_path, {"GIT_SSH_COMMAND": str(ssh)})
    assert source.commit == _head(repository)
    assert source.origin == f"git+https://h.example/leaf.git@{source.commit}"


def test_but_not_by_file(repository: Path, tmp_path: Path) -> None:
    instead = f'[url "file://{repository.parent}/"]\ninsteadOf = https://h.example/\n'
    write(tmp_path, {".gitconfig": instead})
    error = _refused("git+https://h.example/leaf.git", tmp_path)
    assert "transport 'file' not allowed" in error.found


def test_a_submodule_cannot_bring_a_repository_of_this_host(
    repository: Path, tmp_path: Path
) -> None:
    secret = make_repository(tmp_path / "secret")
    git(repository, "submodule", "--quiet", "add", f"file://{secret}", "sub")
    commit(repository, "submodule")
    error = _refused(f"git+file://{repository}", tmp_path)
    assert isinstance(error, UnfitError)
    assert "transport 'file' not allowed" in error.found


def test_a_submodule_cannot_run_a_program(repository: Path, tmp_path: Path) -> None:
    git(repository, "submodule", "--quiet", "add", f"file://{repository}", "sub")
    evil = f'[submodule "sub"]\npath = sub\nurl = ext::sh -c touch% {tmp_path}/ran\n'
    write(repository, {".gitmodules": evil})
    commit(repository, "submodule")
    assert "not allowed" in _refused(f"git+file://{repository}", tmp_path).found
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["pyproject.toml", "python"])
def test_links_out_of_the_repository_are_not_read(
    repository: Path, tmp_path: Path, name: str
) -> None:
    write(tmp_path, {"outside/pyproject.toml": PYPROJECT})
    outside = tmp_path / "outside"
    if name == "python":
        git(repository, "rm", "-r", "--quiet", "python")
        (repository / "python").symlink_to(outside)
    else:
        (repository / "python" / name).unlink()
        (repository / "python" / name).symlink_to(outside / name)
    commit(repository, "link")
    error = _refused(f"git+file://{repository}#subdirectory=python", tmp_path)
    assert "is a link that leads out of it" in str(error)


def test_by_http_with_credentials_that_stay_here(repository: Path, tmp_path: Path) -> None:
    git(repository, "update-server-info")
    with served(repository.parent, "me:se/cret") as (host, seen):
        url = f"http://me:se%2Fcret@{host}/leaf.git/.git@v1.0"
        source = _open(f"git+{url}", tmp_path)
        assert source.origin == f"git+http://{host}/leaf.git/.git@{source.commit}"
        error = _refused(f"git+http://me:wrong@{host}/leaf.git/.git", tmp_path)
    assert source.commit == _head(repository, "v1.0")
    assert any(seen)
    kept = [path for path in (source.root / ".git").rglob("*") if path.is_file()]
    assert not any(b"cret" in path.read_bytes() for path in kept)
    assert "wrong" not in str(error)
    assert "Authentication failed" in error.found


def test_credentials_do_not_follow_to_another_host(repository: Path, tmp_path: Path) -> None:
    git(repository, "update-server-info")
    with served(repository.parent) as (other, heard), served(repository, "me:pw") as (host, _):
        aim = f"http://{other.replace('127.0.0.1', 'localhost')}/leaf.git/.git"
        _refused(f"git+http://me:pw@{host}/moved/{aim}", tmp_path)  # the objects do not move
    assert heard
    assert not any(heard)


def test_nobody_is_asked_for_a_password(repository: Path, tmp_path: Path) -> None:
    write(tmp_path, {"ask": f"#!/bin/sh\ntouch {tmp_path}/asked\n"})
    (tmp_path / "ask").chmod(0o755)
    asking = {"GIT_ASKPASS": str(tmp_path / "ask"), "SSH_ASKPASS": str(tmp_path / "ask")}
    with served(repository, "me:pw") as (host, _), pytest.raises(UnfitError, match="cannot clone"):
        _open(f"git+http://{host}/.git", tmp_path, asking)
    assert not (tmp_path / "asked").exists()


def test_ssh_is_asked_without_a_terminal(repository: Path, tmp_path: Path) -> None:
    """A program in its place: it says how it was called, and serves the repository."""
    script = f'#!/bin/sh\necho "$@" >> {tmp_path}/called\nexec git-upload-pack {repository}\n'
    write(tmp_path, {"bin/ssh": script})
    (tmp_path / "bin/ssh").chmod(0o755)
    environ = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    source = _open("git+ssh://git@h.example/o/leaf@v1.0", tmp_path, environ)
    assert source.metadata.name == "leaf"
    assert source.origin.startswith("git+ssh://git@h.example/o/leaf@")
    assert "-oBatchMode=yes" in (tmp_path / "called").read_text()
