"""Real git repositories, made by the host's own git, and what serves them."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PYPROJECT = '[build-system]\nrequires = []\n[project]\nname = "leaf"\nversion = "1"\n'


def git_environ(home: Path) -> dict[str, str]:
    """Give git an author, and nothing of who runs the tests."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.org",
    }


def git(place: Path, *words: str) -> str:
    """Run git there; a host without git fails the test."""
    argv = ["git", "-c", "protocol.file.allow=always", *words]
    env = git_environ(place.parent)
    done = subprocess.run(argv, cwd=place, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def make_repository(place: Path, files: Mapping[str, str] | None = None) -> Path:
    """Make a repository with one commit, tagged v1.0, and another after it."""
    place.mkdir(parents=True)
    git(place, "init", "--quiet", "--initial-branch=main")
    write(place, files or {"pyproject.toml": PYPROJECT, "python/pyproject.toml": PYPROJECT})
    commit(place, "one")
    git(place, "tag", "v1.0")
    write(place, {"second.txt": "2"})
    commit(place, "two")
    return place


def write(place: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")


def commit(place: Path, message: str) -> None:
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message", message)


class _Handler(SimpleHTTPRequestHandler):
    """Serves files, to who knows the password if there is one (HTTP's basic authentication)."""

    def __init__(self, *arguments: object, login: str, seen: list[str], directory: str) -> None:
        self._login, self._seen = login, seen
        super().__init__(*arguments, directory=directory)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "")
        self._seen.append(given)
        wanted = "Basic " + base64.b64encode(self._login.encode()).decode()
        if self._login and given != wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
            self.end_headers()
        elif self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/moved/"))
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name there
        pass


@contextmanager
def served(directory: Path, login: str = "") -> Iterator[tuple[str, list[str]]]:
    """Serve a directory by HTTP; gives `host:port`, and the credentials that were sent."""
    seen: list[str] = []
    handler = partial(_Handler, login=login, seen=seen, directory=str(directory))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()
