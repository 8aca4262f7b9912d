"""The routes of GitHub's REST API that the stand-in knows, with their checks."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlencode

from tests.standins_github.faults import Answer, fields, invalid, problem, refuse, said
from tests.standins_github.store import BRANCH, REPOSITORY_ID, now, stored_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.standins_github.store import Document, Links, Release, Store

T = TypeVar("T")

OCTETS = "application/octet-stream"
RELEASE_FIELDS: Mapping[str, type] = {
    "tag_name": str,
    "target_commitish": str,
    "name": str,
    "body": str,
    "draft": bool,
    "prerelease": bool,
    "discussion_category_name": str,
    "make_latest": str,
}
NOT_KEPT = ("discussion_category_name", "generate_release_notes", "make_latest")
LONGEST_COMMENT = 65_536
LONGEST_NOTES = 125_000


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request; header names are in lower case, the path as it was sent."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True


def found(thing: T | None) -> T:
    if thing is None:
        refuse(404, "Not Found")
    return thing


def whole(request: Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isdecimal() else default


class Routes:
    """Answers requests from the store. A handler gets the request and its path's parts."""

    def __init__(self, store: Store, links: Links) -> None:
        self._store = store
        self._links = links
        name = re.escape(links.repository)
        self._repo = f"/api/v3/(?:repos/{name}|repositories/{REPOSITORY_ID})"
        self._uploads = f"/api/uploads/repos/{name}"
        self._table = [
            (method, re.compile(path, re.IGNORECASE), act) for method, path, act in self._routes()
        ]

    def answer(self, request: Request) -> Answer:
        for method, pattern, act in self._table:
            if method == request.method and (match := pattern.fullmatch(request.path)):
                return act(request, *(unquote(part) for part in match.groups()))
        unexpected = problem(404, "Not Found")
        return Answer(status=404, content=unexpected.content, unexpected=True)

    def _routes(self) -> list[tuple[str, str, Callable[..., Answer]]]:
        repo, one = self._repo, r"(\d+)"
        return [
            ("GET", "/api/v3/user", self._get_user),
            ("POST", "/api/graphql", self._get_viewer),
            ("GET", repo, self._get_repo),
            ("GET", f"{repo}/git/ref/tags/(.+)", self._get_tag),
            ("GET", f"{repo}/releases", self._list_releases),
            ("POST", f"{repo}/releases", self._create_release),
            ("GET", f"{repo}/releases/tags/([^/]+)", self._get_published),
            ("GET", f"{repo}/releases/{one}", self._get_release),
            ("PATCH", f"{repo}/releases/{one}", self._update_release),
            ("GET", f"{repo}/releases/{one}/assets", self._list_assets),
            ("POST", f"{self._uploads}/releases/{one}/assets", self._upload),
            ("GET", f"{repo}/releases/assets/{one}", self._get_asset),
            ("PATCH", f"{repo}/releases/assets/{one}", self._update_asset),
            ("DELETE", f"{repo}/releases/assets/{one}", self._delete_asset),
            ("GET", f"{repo}/(issues|pulls)/{one}", self._get_issue),
            ("GET", f"{repo}/issues/{one}/comments", self._list_comments),
            ("POST", f"{repo}/issues/{one}/comments", self._create_comment),
            ("PATCH", f"{repo}/issues/comments/{one}", self._update_comment),
        ]

    def _get_user(self, _request: Request) -> Answer:
        """A workflow's token belongs to no user."""
        refuse(403, "Resource not accessible by integration")

    def _get_viewer(self, request: Request) -> Answer:
        """Answer the one query that is known, by which such a token can learn who it is."""
        query = json.loads(request.body)["query"]
        if query.split() != ["query", "{", "viewer", "{", "login", "}", "}"]:
            return said({"errors": [{"message": f"Parse error on {query!r}"}]})
        if self._store.viewer is None:
            message = "Resource not accessible by integration"
            return said({"data": None, "errors": [{"type": "FORBIDDEN", "message": message}]})
        viewer = {"login": self._store.viewer} if self._store.viewer else None
        return said({"data": {"viewer": viewer}})

    def _get_repo(self, _request: Request) -> Answer:
        full = self._links.repository
        owner, _, name = full.partition("/")
        document: Document = {
            "id": REPOSITORY_ID,
            "name": name,
            "full_name": full,
            "private": False,
        }
        document |= {"owner": {"login": owner, "id": 1, "type": "User"}, "default_branch": BRANCH}
        return said(document | {"url": self._links.repo, "html_url": self._links.html})

    def _get_tag(self, _request: Request, tag: str) -> Answer:
        sha = found(self._store.tags.get(tag))
        there = {"type": "commit", "sha": sha, "url": f"{self._links.repo}/git/commits/{sha}"}
        url = f"{self._links.repo}/git/refs/tags/{tag}"
        ref = {"ref": f"refs/tags/{tag}", "node_id": f"REF_{sha}", "url": url, "object": there}
        return said(ref)

    def _list_releases(self, request: Request) -> Answer:
        return self._page(request, [one.document(self._links) for one in self._store.releases])

    def _get_published(self, _request: Request, tag: str) -> Answer:
        return self._shown(self._store.published(tag))

    def _get_release(self, _request: Request, number: str) -> Answer:
        return self._shown(self._store.release(int(number)))

    def _create_release(self, request: Request) -> Answer:
        allowed = {**RELEASE_FIELDS, "generate_release_notes": bool}
        given = fields(request.body, allowed, ("tag_name",))
        self._check_release(given, None)
        kept = {name: value for name, value in given.items() if name not in NOT_KEPT}
        if given.get("generate_release_notes"):
            notes = f"**Full Changelog**: {self._links.html}/commits/{given['tag_name']}"
            kept["body"] = f"{kept.get('body', '')}\n\n{notes}".lstrip()
        return self._shown(self._store.add_release(**kept), status=201)

    def _update_release(self, request: Request, number: str) -> Answer:
        release = found(self._store.release(int(number)))
        given = fields(request.body, RELEASE_FIELDS, ())
        names = ("tag_name", "draft", "target_commitish")
        before = {name: getattr(release, name) for name in names}
        self._check_release({**before, **given}, release)
        for name in given.keys() - set(NOT_KEPT):
            setattr(release, name, given[name])
        self._store.settle(release)
        return self._shown(release)

    def _check_release(self, given: Document, release: Release | None) -> None:
        tag = given["tag_name"]
        if not tag or re.search(r"[\s~^:?*\[\\\x00-\x1f]|\.\.|^[/-]|[/.]$", tag):
            invalid("Release", "custom", "tag_name", "tag_name is not well-formed")
        if given.get("make_latest", "true") not in ("true", "false", "legacy"):
            refuse(422, 'Invalid request.\n\nNo subschema in "properties/make_latest" matched.')
        if len(given.get("body", "")) > LONGEST_NOTES:
            message = f"body is too long (maximum is {LONGEST_NOTES} characters)"
            invalid("Release", "custom", "body", message)
        if not given.get("draft") and self._store.published(tag) not in (None, release):
            invalid("Release", "already_exists", "tag_name")
        self._check_target(given)

    def _check_target(self, given: Document) -> None:
        target = given.get("target_commitish", BRANCH)
        makes_tag = not given.get("draft") and given["tag_name"] not in self._store.tags
        if makes_tag and target != BRANCH and not re.fullmatch("[0-9a-f]{40}", target):
            invalid("Release", "invalid", "target_commitish")

    def _list_assets(self, request: Request, number: str) -> Answer:
        release = found(self._store.release(int(number)))
        tag = release.shown_tag
        return self._page(request, [one.document(self._links, tag) for one in release.assets])

    def _upload(self, request: Request, number: str) -> Answer:
        release = found(self._store.release(int(number)))
        if not (name := stored_name(request.query.get("name", ""))):
            invalid("ReleaseAsset", "missing_field", "name")
        if not (kind := request.headers.get("content-type", "")):
            invalid("ReleaseAsset", "missing_field", "content_type")
        length = request.headers.get("content-length", "")
        if "transfer-encoding" in request.headers or not length.isdecimal() or int(length) == 0:
            refuse(400, f"Bad Content-Length: {length}")
        if release.asset(name):
            invalid("ReleaseAsset", "already_exists", "name")
        self._check_open(release)
        content = request.body if request.complete else None
        label = request.query.get("label")
        asset = self._store.add_asset(release, name, content, label=label, content_type=kind)
        return said(asset.document(self._links, release.shown_tag), status=201)

    def _get_asset(self, request: Request, number: str) -> Answer:
        release, asset = found(self._store.asset(int(number)))
        if request.headers.get("accept") != OCTETS:
            return said(asset.document(self._links, release.shown_tag))
        asset.downloads += 1
        return Answer(status=200, content=found(asset.content), content_type=OCTETS)

    def _update_asset(self, request: Request, number: str) -> Answer:
        release, asset = found(self._store.asset(int(number)))
        given = fields(request.body, {"name": str, "label": str, "state": str}, ())
        name = stored_name(given.get("name", asset.name))
        if not name:
            invalid("ReleaseAsset", "missing_field", "name")
        if release.asset(name) not in (None, asset):
            invalid("ReleaseAsset", "already_exists", "name")
        self._check_open(release)
        asset.name, asset.label = name, given.get("label", asset.label)
        return said(asset.document(self._links, release.shown_tag))

    def _delete_asset(self, _request: Request, number: str) -> Answer:
        release, asset = found(self._store.asset(int(number)))
        self._check_open(release)
        release.assets.remove(asset)
        return Answer(status=204)

    def _check_open(self, release: Release) -> None:
        if release.immutable and not release.draft:
            refuse(422, "Cannot upload assets to an immutable release.")

    def _get_issue(self, _request: Request, kind: str, number: str) -> Answer:
        if int(number) not in self._store.issues:
            refuse(404, "Not Found")
        issue = f"{self._links.repo}/issues/{number}"
        document: Document = {"id": int(number), "number": int(number), "state": "open"}
        if kind == "pulls":
            fork = REPOSITORY_ID + (int(number) in self._store.forks)
            document["head"] = {"ref": "change", "repo": {"id": fork}}
        return said(document | {"url": f"{self._links.repo}/{kind}/{number}", "issue_url": issue})

    def _list_comments(self, request: Request, number: str) -> Answer:
        self._get_issue(request, "issues", number)
        comments = (one for one in self._store.comments if one.issue == int(number))
        return self._page(request, [one.document(self._links) for one in comments])

    def _create_comment(self, request: Request, number: str) -> Answer:
        self._get_issue(request, "issues", number)
        comment = self._store.add_comment(int(number), self._text(request))
        return said(comment.document(self._links), status=201)

    def _update_comment(self, request: Request, number: str) -> Answer:
        comment = found(self._store.comment(int(number)))
        comment.body, comment.updated_at = self._text(request), now()
        return said(comment.document(self._links))

    def _text(self, request: Request) -> str:
        text: str = fields(request.body, {"body": str}, ("body",))["body"]
        if not text.strip():
            invalid("IssueComment", "unprocessable", "data", "Body cannot be blank")
        if len(text) > LONGEST_COMMENT:
            message = f"Body is too long (maximum is {LONGEST_COMMENT} characters)"
            invalid("IssueComment", "unprocessable", "data", message)
        return text

    def _shown(self, release: Release | None, *, status: int = 200) -> Answer:
        return said(found(release).document(self._links), status=status)

    def _page(self, request: Request, things: Sequence[Document]) -> Answer:
        """Answer with one page, and say in `Link` where the others are."""
        size = min(max(whole(request, "per_page", 30), 1), 100)
        page = max(whole(request, "page", 1), 1)
        last = max(-(-len(things) // size), 1)
        others = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        for name in ("prev", "first") if page == 1 else ("next", "last") if page >= last else ():
            del others[name]
        below = re.sub(f"^{self._repo}", "", request.path, flags=re.IGNORECASE)
        base = f"{self._links.by_number}{below}"
        links = [
            f'<{base}?{urlencode({**request.query, "page": there})}>; rel="{name}"'
            for name, there in others.items()
        ]
        headers = {"link": ", ".join(links)} if last > 1 else {}
        return said(things[(page - 1) * size : page * size], headers=headers)
