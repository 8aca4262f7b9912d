"""What an index keeps, and how its simple pages show it."""

from __future__ import annotations

import datetime as dt
import hashlib
import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from packaging.utils import canonicalize_name

from tests.standins.traffic import Answer, json_answer, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

HTML = "application/vnd.pypi.simple.v1+html"
JSON = "application/vnd.pypi.simple.v1+json"
_PLAIN = "text/html"


@dataclass
class StoredFile:
    """A file that the index has; `asked` counts the pages of its project since."""

    project: str
    version: str
    filename: str
    content: bytes
    uploaded: float
    requires_python: str = ""
    attestations: list[dict[str, object]] = field(default_factory=list)
    asked: int = 0

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def path(self) -> str:
        return f"/files/{self.sha256}/{quote(self.filename)}"


@dataclass
class Shelf:
    """Projects and files. A file is listed after `hidden_requests` pages and `hidden_seconds`.

    `projects` has the names as given, by their normal form.
    """

    clock: Callable[[], float]
    hidden_requests: int = 0
    hidden_seconds: float = 0.0
    projects: dict[str, str] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    #: Names of files that were deleted: they can never be used again.
    deleted: set[str] = field(default_factory=set)

    def of(self, project: str) -> list[StoredFile]:
        name = canonicalize_name(project)
        return [file for file in self.files.values() if canonicalize_name(file.project) == name]

    def add_project(self, name: str) -> None:
        self.projects.setdefault(canonicalize_name(name), name)

    def add(self, file: StoredFile) -> None:
        self.add_project(file.project)
        self.files[file.filename] = file

    def delete(self, filename: str) -> None:
        del self.files[filename]
        self.deleted.add(filename)

    def download(self, path: str) -> Answer:
        for file in self.files.values():
            if file.path == path:
                return Answer(200, file.content, "application/octet-stream")
        return refusal(404)

    def page(self, path: str, accept: str, base: str) -> Answer:
        """Answer for a path below /simple/; without its slash or normal form it is redirected."""
        if path == "/simple/":
            return self._front(accept)
        name = path.removeprefix("/simple/").rstrip("/")
        normal = f"/simple/{canonicalize_name(name)}/"
        if path != normal:
            return refusal(301, headers={"Location": normal})
        known = self.of(name)
        visible = [file for file in known if self._is_visible(file)]
        for file in known:
            file.asked += 1
        if canonicalize_name(name) not in self.projects or (known and not visible):
            return refusal(404)
        if chosen_kind(accept) == JSON:
            return json_answer(_json(name, visible, base), kind=JSON)
        page = _html(name, visible, base).encode()
        return Answer(200, page, chosen_kind(accept), headers={"Vary": "Accept"})

    def _front(self, accept: str) -> Answer:
        if chosen_kind(accept) == JSON:
            projects = [{"name": name} for name in self.projects.values()]
            return json_answer({"meta": {"api-version": "1.1"}, "projects": projects}, kind=JSON)
        links = [f'<a href="/simple/{name}/">{name}</a><br />' for name in self.projects]
        page = _page("Simple index", "\n".join(links)).encode()
        return Answer(200, page, chosen_kind(accept), headers={"Vary": "Accept"})

    def _is_visible(self, file: StoredFile) -> bool:
        age = self.clock() - file.uploaded
        return file.asked >= self.hidden_requests and age >= self.hidden_seconds


def chosen_kind(accept: str) -> str:
    """Return what `accept` likes best; the plain page where it likes nothing that there is."""
    liked = {}
    for item in accept.split(","):
        kind, *options = [word.strip() for word in item.split(";")]
        quality = [option[2:] for option in options if option.startswith("q=")]
        liked[kind] = float(quality[0]) if quality else 1.0
    liked[_PLAIN] = max(liked.get(_PLAIN, 0), liked.get("*/*", 0), liked.get("text/*", 0))
    best = max((_PLAIN, HTML, JSON), key=lambda kind: liked.get(kind, 0))
    return best if liked.get(best) else _PLAIN


def _json(name: str, files: list[StoredFile], base: str) -> dict[str, object]:
    return {
        "meta": {"api-version": "1.1"},
        "name": name,
        "versions": sorted({file.version for file in files}),
        "files": [_entry(file, base) for file in files],
    }


def _entry(file: StoredFile, base: str) -> dict[str, object]:
    moment = dt.datetime.fromtimestamp(file.uploaded, dt.UTC)
    return {
        "filename": file.filename,
        "url": base + file.path,
        "hashes": {"sha256": file.sha256},
        "size": len(file.content),
        "upload-time": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "yanked": False,
        **({"requires-python": file.requires_python} if file.requires_python else {}),
    }


def _html(name: str, files: list[StoredFile], base: str) -> str:
    return _page(f"Links for {html.escape(name)}", "\n".join(_link(file, base) for file in files))


def _page(title: str, links: str) -> str:
    return f"""<!DOCTYPE html>
<html>
  <head>
    <meta name="pypi:repository-version" content="1.1">
    <title>{title}</title>
  </head>
  <body>
{links}
  </body>
</html>
"""


def _link(file: StoredFile, base: str) -> str:
    python = html.escape(file.requires_python)
    requires = f' data-requires-python="{python}"' if python else ""
    url = html.escape(f"{base}{file.path}#sha256={file.sha256}")
    return f'<a href="{url}"{requires}>{html.escape(file.filename)}</a><br />'
