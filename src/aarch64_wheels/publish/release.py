"""A GitHub release that gets files.

One that is made here is a draft until all its files are there. Its text begins with `MARKER`, by
which a later run knows the draft of one that was killed, goes on, and publishes it. A draft
without that line is a maintainer's: it gets the files, and stays a draft.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests
from github import GithubException, UnknownObjectException
from github.GithubObject import NotSet

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.asset_files import require_fit
from aarch64_wheels.publish.assets import complete
from aarch64_wheels.publish.github import told
from aarch64_wheels.publish.patience import USUAL, Patience, persevere
from aarch64_wheels.publish.plan import Step
from aarch64_wheels.publish.release_assets import Assets, conflict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from github.GithubObject import Opt
    from github.GitRelease import GitRelease
    from github.Repository import Repository

    from aarch64_wheels.publish.asset_files import AssetFile

#: Shown in the editor of the draft only: pages do not show HTML comments.
MARKER = "<!-- aarch64-wheels publishes this draft; to keep it a draft, take this line away -->"
_NEEDS = "give the job `permissions: contents: write`"


@dataclass(frozen=True, kw_only=True)
class ReleasePlan:
    """What is to be done at a release.

    Attributes:
        tag: its tag. exists: there is such a release already.
        steps: what becomes of each file, by name. files: those, as they are to be there.
    """

    tag: str
    exists: bool
    steps: dict[str, Step]
    files: Sequence[AssetFile] = ()


@dataclass(kw_only=True)
class Release:
    """A release of a repository; made, as a draft, when its first asset is sent.

    Attributes:
        repository: PyGithub's. tag: which one.
        note: told each step. replace: exchange assets that differ.
        prerelease: what a release made here is marked as.
        commit: where GitHub puts the tag if there is none; empty: the default branch's newest.
        patience: how GitHub is waited for.
    """

    repository: Repository
    tag: str
    note: Callable[[str], None]
    replace: bool = False
    prerelease: bool = False
    commit: str = ""
    patience: Patience = USUAL
    _assets: Assets | None = None

    def plan(self, files: Sequence[AssetFile]) -> ReleasePlan:
        """Compare files with the release's assets.

        Raises:
            PublishError: GitHub does not answer, or would not take a file; or an asset differs
                that is not derived from others, and is not to be replaced.
        """
        require_fit(files)
        steps = dict.fromkeys((one.name for one in files), Step.UPLOAD)
        with told(f"look for the release {self.tag}", needs=_NEEDS):
            found, self._assets = self._find(), None
            if found:
                self._assets = self._assets_of(found)
                files = complete(files, self._assets.others(files))
                steps = {one.name: self._assets.step(one) for one in files}
                self._require_open(found, steps)
        other = [one.name for one in files if _is_other(one, steps)]
        if other and not self.replace:
            raise conflict(self.tag, other)
        return ReleasePlan(tag=self.tag, exists=found is not None, steps=steps, files=files)

    def publish(self, plan: ReleasePlan) -> None:
        """Do what was planned. A release made here is published when all is there.

        Raises:
            PublishError: GitHub does not take something.
        """
        assets = self._assets = self._assets or self._assets_of(self._make())
        for one in plan.files:
            if plan.steps[one.name] is not Step.THERE:
                with told(f"upload {one.name} to the release {self.tag}", needs=_NEEDS):
                    assets.send(one)
        if not _is_closed(assets.release):
            with told(f"tidy up the release {self.tag}", needs=_NEEDS):
                assets.tidy(plan.files)
        if _is_ours(assets.release):
            self._finish(assets.release.id)
        elif assets.release.draft:
            self.note(f"the release {self.tag} is a draft that was not made here: it stays one")

    def _assets_of(self, release: GitRelease) -> Assets:
        return Assets(release=release, replace=self.replace, note=self.note, patience=self.patience)

    def _require_open(self, release: GitRelease, steps: dict[str, Step]) -> None:
        """Refuse what GitHub would refuse: to change a release that it keeps from changes."""
        wanted = [name for name, step in steps.items() if step is not Step.THERE]
        if wanted and _is_closed(release):
            raise PublishError(
                f"the release {self.tag} is immutable, it takes no more files",
                found=f"not there as they are here: {', '.join(wanted)}",
                hint="release another version, and let this make the release: it fills a draft",
            )

    def _find(self) -> GitRelease | None:
        """Find it by its tag; drafts have none yet, and are found in the list only."""
        try:
            return self.repository.get_release(self.tag)
        except GithubException as error:
            if error.status != requests.codes.not_found:
                raise
        drafts = [row for row in self.repository.get_releases() if row.tag_name == self.tag]
        if len(drafts) > 1:
            raise PublishError(
                f"there are {len(drafts)} drafts for the release {self.tag}",
                found=", ".join(row.html_url for row in drafts),
                hint="delete all but one of them",
            )
        return drafts[0] if drafts else None

    def _make(self) -> GitRelease:
        """Make a draft: nobody must see a release before its files are there."""
        self.note(f"making the release {self.tag}, a draft until its files are there")
        with told(f"make the release {self.tag}", needs=_NEEDS):
            target = self._target()
            return persevere(self.patience, self._find, lambda: self._create(target))

    def _create(self, target: Opt[str]) -> GitRelease:
        return self.repository.create_git_release(
            self.tag,
            self.tag,
            MARKER,
            draft=True,
            prerelease=self.prerelease,
            generate_release_notes=True,
            target_commitish=target,
        )

    def _target(self) -> Opt[str]:
        """Give the commit for a tag that is not there: the default branch may have gone on."""
        try:
            self.repository.get_git_ref(f"tags/{self.tag}")
        except UnknownObjectException:
            place = self.commit or "the head of the default branch"
            self.note(f"there is no tag {self.tag} yet: GitHub will put it at {place}")
            return self.commit or NotSet
        return NotSet

    def _finish(self, number: int) -> None:
        """Publish our draft, as it is now: somebody may have worked on it while we sent files.

        `legacy`: the release of an older version does not become the latest one.
        """
        with told(f"publish the release {self.tag}", needs=_NEEDS):
            release = self.repository.get_release(number)
            if not _is_ours(release):
                self.note(f"the release {self.tag} was taken over by somebody: it stays as it is")
                return
            release.update_release(
                release.name or self.tag,
                (release.body or "").replace(MARKER, "").strip(),
                draft=False,
                prerelease=release.prerelease,
                make_latest="legacy",
            )
        self.note(f"the release {self.tag} is published")


def _is_other(one: AssetFile, steps: dict[str, Step]) -> bool:
    return steps[one.name] is Step.REPLACE and not one.derived


def _is_closed(release: GitRelease) -> bool:
    return not release.draft and release.immutable


def _is_ours(release: GitRelease) -> bool:
    return release.draft and MARKER in (release.body or "")
