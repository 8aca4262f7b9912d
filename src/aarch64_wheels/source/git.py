"""Clones git repositories by the host's own `git`, which is told to trust nothing it finds there.

Neither hooks nor monitors nor templates run, no transport is used but those that were asked for,
nothing is asked of a terminal, and no URL or name can become an option. The history is whole, for
versions are told from it; where the server can, its files come only as far as they are needed
(a blobless clone).
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aarch64_wheels.errors import UnfitError, UsageError
from aarch64_wheels.hostindex import CA_VARIABLES, login_of
from aarch64_wheels.processes import Processes
from aarch64_wheels.redaction import redact

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
    from pathlib import Path

    from aarch64_wheels.source.urls import GitLocation

#: What a repository is cloned with, whatever the user's own configuration says.
_CONFIGURATION = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
    # A server that sends less than so many bytes a second for a minute has gone.
    "http.lowSpeedLimit=100",
    "http.lowSpeedTime=60",
)
#: Answers git's questions with what stands in variables, for no command line may show it. git
#: asks it for the one host alone, also after a redirection to another.
_HELPER = (
    "!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n'"
    ' "$AARCH64_WHEELS_GIT_USER" "$AARCH64_WHEELS_GIT_PASSWORD"; }; f'
)
#: Variables of git that come from a hook or an alias, and would lead to another repository.
_LOCAL = re.compile(
    r"GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR"
    r"|CONFIG|CONFIG_PARAMETERS|PREFIX|NAMESPACE|GRAFT_FILE|SHALLOW_FILE|TEMPLATE_DIR"
    r"|QUARANTINE_PATH|TRACE\w*|CURL_VERBOSE|EXTERNAL_DIFF|CEILING_DIRECTORIES)"
)
#: By which transports a URL may be reached: people have git write `https` as `ssh`, or the other
#: way round (`url.….insteadOf`). So may submodules, whatever a repository says, but not by `file`:
#: it would bring any repository of this host into a build (CVE-2022-39253).
_TRANSPORTS = {"https": "https:ssh", "http": "http:https:ssh", "ssh": "https:ssh", "file": "file"}
_SUBMODULES = {**_TRANSPORTS, "file": "https"}
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, kw_only=True)
class Clone:
    """A repository on this host, at one commit (its full name)."""

    root: Path
    commit: str


def clone(location: GitLocation, workdir: Path, environ: Mapping[str, str]) -> Clone:
    """Clone a repository with its submodules.

    Args:
        location: what, and which branch, tag or commit of it; a branch goes before a tag of the
            same name, as pip has it.
        workdir: an empty directory, in which one with the repository's name is made.
        environ: the process's variables, with proxies, credentials' helpers and the like.

    Raises:
        UnfitError: there is no git, or the repository cannot be had.
        UsageError: it has no such branch, tag or commit.
    """
    if shutil.which("git", path=environ.get("PATH")) is None:
        raise UnfitError(
            "git is needed to fetch a source from its repository, and is not installed",
            found=location.shown,
            hint="install it (Debian, Ubuntu: apt-get install git), or give the URL of an sdist",
        )
    root = workdir / _directory_name(location.shown)
    with Processes() as processes:
        work = _Work(location=location, root=root, environ=environ, processes=processes)
        return Clone(root=root, commit=work.run())


def without_local(environ: Mapping[str, str]) -> dict[str, str]:
    """Leave out variables that would lead git to another repository."""
    return {name: text for name, text in environ.items() if not _LOCAL.fullmatch(name)}


def _directory_name(url: str) -> str:
    """Name the directory as git would; some backends take it for the project's name."""
    name = urlsplit(url).path.rstrip("/").rpartition("/")[2].removesuffix(".git")
    return name if re.fullmatch(r"[\w-][\w.-]{0,99}", name, re.ASCII) else "project"


@dataclass(frozen=True, kw_only=True)
class _Work:
    location: GitLocation
    root: Path
    environ: Mapping[str, str] = field(repr=False)
    processes: Processes

    def run(self) -> str:
        self._clone()
        commit = self._commit()
        self._done("checkout", "--quiet", "--detach", commit, "--")
        if (self.root / ".gitmodules").is_file():
            self._done("submodule", "--quiet", "update", "--init", "--recursive", submodules=True)
        return commit

    def _clone(self) -> None:
        words = ("clone", "--quiet", "--no-checkout", "--template=", "--no-recurse-submodules")
        aim = ("--", self.location.shown, str(self.root))
        done = self._git(*words, "--filter=blob:none", *aim, inside=False)
        if done.returncode and "filter" in done.stderr:  # a git or a server that knows none
            shutil.rmtree(self.root, ignore_errors=True)
            done = self._git(*words, *aim, inside=False)
        self._check(done)

    def _commit(self) -> str:
        ref = self.location.ref
        names = [f"refs/remotes/origin/{ref}", f"refs/tags/{ref}"] if ref else ["HEAD"]
        names += [ref] if _COMMIT.fullmatch(ref) or ref.startswith("refs/") else []
        for name in names:
            if commit := self._parsed(name):
                return commit
        # A commit that no branch leads to, or a name such as `refs/pull/1/head`.
        if ref and self._git("fetch", "--quiet", "origin", "--", ref).returncode == 0:
            return self._parsed("FETCH_HEAD") or self._nothing()
        return self._nothing()

    def _parsed(self, name: str) -> str:
        done = self._git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return done.stdout.strip() if done.returncode == 0 else ""

    def _nothing(self) -> str:
        ref = self.location.ref
        raise UsageError(
            f"the repository {self.location.shown} has no {ref or 'commit at all'}",
            found="neither a branch nor a tag nor a commit of that name" if ref else "",
            hint="write the branch, tag or commit after an `@`, as in …/name@v1.0",
        )

    def _done(self, *words: str, submodules: bool = False) -> None:
        self._check(self._git(*words, submodules=submodules))

    def _check(self, done: subprocess.CompletedProcess[str]) -> None:
        if done.returncode == 0:
            return
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
        raise UnfitError(
            f"cannot clone {self.location.shown}",
            found=self._redacted("; ".join(errors[-3:]))[-500:]
            or f"git's status {done.returncode}",
            hint="check the URL, the network, its proxy and the credentials; or clone it yourself, "
            "and give the directory",
        )

    def _redacted(self, words: str) -> str:
        """Redact what git says, but for the URL as it was asked, in which an `@` is no login's."""
        asked = self.location.shown
        return asked.join(redact(part) for part in words.split(asked))

    def _git(
        self, *words: str, inside: bool = True, submodules: bool = False
    ) -> subprocess.CompletedProcess[str]:
        argv = ["git", *(item for pair in self._configuration() for item in ("-c", pair))]
        scheme = urlsplit(self.location.shown).scheme
        allowed = _SUBMODULES if submodules else _TRANSPORTS
        env = {**self._variables(), "GIT_ALLOW_PROTOCOL": allowed[scheme]}
        place = self.root if inside else self.root.parent
        return self.processes.run([*argv, *words], env=env, cwd=place)

    def _configuration(self) -> tuple[str, ...]:
        parts = urlsplit(self.location.url)
        if login_of(self.location.url) is None or parts.scheme not in ("http", "https"):
            return _CONFIGURATION
        key = f"credential.{parts.scheme}://{parts.netloc.rpartition('@')[2]}.helper"
        # The empty one takes away the user's own, which would be asked first.
        return (*_CONFIGURATION, f"{key}=", f"{key}={_HELPER}")

    def _variables(self) -> dict[str, str]:
        kept = without_local(self.environ)
        user, password = login_of(self.location.url) or ("", "")
        bundle = next((kept[name] for name in CA_VARIABLES if kept.get(name)), "")
        return {
            **({"GIT_SSL_CAINFO": bundle} if bundle else {}),
            "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
            **kept,
            "LC_ALL": "C",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",
            "AARCH64_WHEELS_GIT_USER": user,
            "AARCH64_WHEELS_GIT_PASSWORD": password,
        }
