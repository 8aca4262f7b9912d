"""Runs of the publisher at the stand-in's release `v1.0`, and what they left there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aarch64_wheels.publish.release import Release
from tests.standins_github.entering import patient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from github.Repository import Repository

    from aarch64_wheels.publish.asset_files import AssetFile
    from aarch64_wheels.publish.release import ReleasePlan
    from tests.standins_github import store
    from tests.standins_github.server import GitHubServer

WRITES = ("POST", "PATCH", "DELETE")


@dataclass
class Job:
    """One run; `meanwhile` says what else happens when it tells something that begins so."""

    repository: Repository
    options: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    meanwhile: Mapping[str, Callable[[], None]] = field(default_factory=dict)

    def note(self, text: str) -> None:
        self.notes.append(text)
        for beginning, act in self.meanwhile.items():
            if text.startswith(beginning):
                act()

    def release(self) -> Release:
        return Release(
            repository=self.repository,
            tag="v1.0",
            note=self.note,
            patience=patient(self.waits),
            **self.options,
        )

    def run(self, files: Sequence[AssetFile]) -> ReleasePlan:
        release = self.release()
        plan = release.plan(files)
        release.publish(plan)
        return plan


def kill() -> None:
    raise KeyboardInterrupt


def run(repository: Repository, files: Sequence[AssetFile], **options: Any) -> ReleasePlan:
    return Job(repository, options).run(files)


def contents(release: store.Release) -> dict[str, bytes | None]:
    return {asset.name: asset.content for asset in release.assets}


def writes(server: GitHubServer) -> list[str]:
    """Return the requests that change something."""
    return [str(one) for one in server.records if one.request.method in WRITES]
