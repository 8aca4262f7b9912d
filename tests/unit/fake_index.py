"""Package indexes without a network."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import BaseAdapter

MAIN = "https://main.example/simple"
EXTRA = "https://extra.example/simple"


@dataclass
class FakeIndex(BaseAdapter):
    """Package indexes in memory: answers by URL; an exception stands for a broken network."""

    answers: dict[str, tuple[int, bytes] | Exception] = field(default_factory=dict)
    seen: list[requests.PreparedRequest] = field(default_factory=list)

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.seen.append(request)
        answer = self.answers.get(request.url or "", (404, b""))
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.status_code, content = answer
        response.raw = io.BytesIO(content)
        response.url = request.url or ""
        is_page = response.url.endswith("/")
        response.headers["Content-Type"] = (
            "application/vnd.pypi.simple.v1+json" if is_page else "application/octet-stream"
        )
        return response

    def close(self) -> None:
        pass

    def add(self, filename: str, *, base: str = MAIN, **changes: Any) -> None:
        """Add a file to the page of the project `demo`."""
        content = filename.encode()
        url = f"{base}/files/{filename}"
        item = {
            "filename": filename,
            "url": url,
            "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
            **changes,
        }
        page = self.answers.get(f"{base}/demo/", (200, b'{"files": []}'))
        assert isinstance(page, tuple)
        data = {"meta": {"api-version": "1.0"}, "name": "demo", **json.loads(page[1])}
        data["files"].append(item)
        self.answers[f"{base}/demo/"] = (200, json.dumps(data).encode())
        self.answers[url] = (200, content)

    @property
    def urls(self) -> list[str]:
        return [(request.url or "").rpartition("/simple/")[2] for request in self.seen]
