"""What the stand-in holds: releases, assets, comments and tags, and how GitHub shows them."""

from __future__ import annotations

import hashlib
import itertools
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Document = dict[str, Any]

REPOSITORY_ID = 4711
BRANCH = "main"
BOT: Document = {
    "login": "github-actions[bot]",
    "id": 41898282,
    "node_id": "MDM6Qm90NDE4OTgyODI=",
    "type": "Bot",
    "site_admin": False,
}


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stored_name(name: str) -> str:
    """Return the name an asset gets: GitHub drops accents, and puts periods for the rest.

    It does not document what it likes; its client `gh` takes it to be this.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    clean = re.sub(r"[^A-Za-z0-9_.+@-]+", ".", plain)
    clean = re.sub(r"\.{2,}", ".", clean).rstrip(".")
    return f"default{clean}" if clean.startswith(".") else clean


@dataclass(frozen=True)
class Links:
    """Addresses as GitHub Enterprise Server lays them out; uploads may have their own host."""

    root: str
    repository: str
    upload_root: str

    @property
    def base(self) -> str:
        return f"{self.root}/api/v3"

    @property
    def repo(self) -> str:
        return f"{self.base}/repos/{self.repository}"

    @property
    def by_number(self) -> str:
        """The form that `Link` headers use."""
        return f"{self.base}/repositories/{REPOSITORY_ID}"

    @property
    def uploads(self) -> str:
        return f"{self.upload_root}/api/uploads/repos/{self.repository}"

    @property
    def html(self) -> str:
        return f"{self.root}/{self.repository}"


@dataclass(kw_only=True)
class Asset:
    """A file of a release; one whose upload was cut off has `content` None.

    Files from before GitHub told digests have none: `hashed` is False.
    """

    id: int
    name: str
    label: str | None
    content_type: str
    content: bytes | None
    downloads: int = 0
    hashed: bool = True
    created_at: str = field(default_factory=now)

    @property
    def state(self) -> str:
        return "starter" if self.content is None else "uploaded"

    @property
    def size(self) -> int:
        return len(self.content or b"")

    @property
    def digest(self) -> str | None:
        if self.content is None or not self.hashed:
            return None
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"

    def document(self, links: Links, tag: str) -> Document:
        return {
            "url": f"{links.repo}/releases/assets/{self.id}",
            "id": self.id,
            "node_id": f"RA_{self.id}",
            "name": self.name,
            "label": self.label,
            "uploader": BOT,
            "content_type": self.content_type,
            "state": self.state,
            "size": self.size,
            "digest": self.digest,
            "download_count": self.downloads,
            "created_at": self.created_at,
            "updated_at": self.created_at,
            "browser_download_url": f"{links.html}/releases/download/{tag}/{self.name}",
        }


@dataclass(kw_only=True)
class Release:
    """A release, published or a draft."""

    id: int
    tag_name: str
    name: str | None = None
    body: str | None = None
    draft: bool = False
    prerelease: bool = False
    immutable: bool = False
    target_commitish: str = BRANCH
    published_at: str | None = None
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)
    assets: list[Asset] = field(default_factory=list)

    @property
    def shown_tag(self) -> str:
        """The tag in addresses for readers: a draft has a made-up one."""
        return f"untagged-{self.id:020x}" if self.draft else self.tag_name

    def asset(self, name: str) -> Asset | None:
        return next((asset for asset in self.assets if asset.name == name), None)

    def document(self, links: Links) -> Document:
        url = f"{links.repo}/releases/{self.id}"
        uploads = f"{links.uploads}/releases/{self.id}/assets"
        plain = ("id", "tag_name", "name", "body", "draft", "prerelease", "immutable")
        others = ("target_commitish", "created_at", "updated_at", "published_at")
        return {
            **{name: getattr(self, name) for name in (*plain, *others)},
            "url": url,
            "assets_url": f"{url}/assets",
            "upload_url": f"{uploads}{{?name,label}}",
            "html_url": f"{links.html}/releases/tag/{self.shown_tag}",
            "node_id": f"RE_{self.id}",
            "author": BOT,
            "tarball_url": None if self.draft else f"{links.repo}/tarball/{self.tag_name}",
            "zipball_url": None if self.draft else f"{links.repo}/zipball/{self.tag_name}",
            "assets": [asset.document(links, self.shown_tag) for asset in self.assets],
        }


@dataclass(kw_only=True)
class Comment:
    """A comment on an issue or a pull request."""

    id: int
    issue: int
    body: str
    user: Document
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)

    def document(self, links: Links) -> Document:
        return {
            "url": f"{links.repo}/issues/comments/{self.id}",
            "html_url": f"{links.html}/issues/{self.issue}#issuecomment-{self.id}",
            "issue_url": f"{links.repo}/issues/{self.issue}",
            "id": self.id,
            "node_id": f"IC_{self.id}",
            "user": self.user,
            "author_association": "NONE",
            "body": self.body,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }


@dataclass(kw_only=True)
class Store:
    """One repository's contents.

    `issues` says which numbers exist, `forks` which of them are pull requests from a fork,
    `viewer` who the token is (None: it may not ask, empty: it is nobody).
    """

    releases: list[Release] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    issues: set[int] = field(default_factory=set)
    forks: set[int] = field(default_factory=set)
    viewer: str | None = BOT["login"]
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1001))

    def add_release(self, tag_name: str, **changes: Any) -> Release:
        """Add a release; a published one brings its tag along."""
        release = Release(id=next(self._ids), tag_name=tag_name, **changes)
        self.releases.insert(0, release)
        self.settle(release)
        return release

    def settle(self, release: Release) -> None:
        """Do what publishing does: date the release, and make the tag if there is none."""
        release.updated_at = now()
        if not release.draft:
            release.published_at = release.published_at or now()
            commit = hashlib.sha1(release.target_commitish.encode(), usedforsecurity=False)
            self.tags.setdefault(release.tag_name, commit.hexdigest())

    def add_asset(
        self, release: Release, name: str, content: bytes | None, **changes: Any
    ) -> Asset:
        """Add a file; without content, what a cut-off upload leaves behind."""
        fixed = {"label": None, "content_type": "application/octet-stream", **changes}
        asset = Asset(id=next(self._ids), name=stored_name(name), content=content, **fixed)
        release.assets.append(asset)
        return asset

    def add_comment(self, issue: int, body: str, login: str = BOT["login"]) -> Comment:
        self.issues.add(issue)
        user = BOT if login == BOT["login"] else {"login": login, "id": 7, "type": "User"}
        comment = Comment(id=next(self._ids), issue=issue, body=body, user=user)
        self.comments.append(comment)
        return comment

    def release(self, number: int) -> Release | None:
        return next((one for one in self.releases if one.id == number), None)

    def published(self, tag: str) -> Release | None:
        found = (one for one in self.releases if one.tag_name == tag and not one.draft)
        return next(found, None)

    def asset(self, number: int) -> tuple[Release, Asset] | None:
        pairs = ((release, asset) for release in self.releases for asset in release.assets)
        return next((pair for pair in pairs if pair[1].id == number), None)

    def comment(self, number: int) -> Comment | None:
        return next((one for one in self.comments if one.id == number), None)
