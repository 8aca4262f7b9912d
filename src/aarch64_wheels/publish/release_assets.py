"""Assets of a GitHub release, compared by SHA-256: what is there is not sent, what differs stays.

GitHub keeps a broken upload as an asset in the state `starter`, and the answer to an upload may
be lost. So what counts is the list of assets, asked anew after every trouble.

What replaces an asset is uploaded under a name of its own first. Only when it is there whole does
the old one go, and give it its name: a run that is killed leaves one of them at least, and the
next goes on.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from github import UnknownObjectException

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.asset_files import AssetFile
from aarch64_wheels.publish.github import send_file
from aarch64_wheels.publish.patience import persevere
from aarch64_wheels.publish.plan import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from github.GitRelease import GitRelease
    from github.GitReleaseAsset import GitReleaseAsset

    from aarch64_wheels.publish.patience import Patience

_UPLOADED = "uploaded"
#: Of what others have put there, so much is named in the checksums.
_DISTRIBUTIONS = (".whl", ".tar.gz")
_DIGEST = "sha256:"
_CHUNK = 1 << 16


def conflict(tag: str, names: Sequence[str]) -> PublishError:
    """Make the error of assets that differ, and are not to be replaced."""
    return PublishError(
        f"the release {tag} has other files of these names, which stay",
        found=", ".join(names),
        hint="--replace exchanges them; or release another version",
    )


@dataclass(kw_only=True)
class Assets:
    """The assets of one release.

    Attributes:
        release: PyGithub's. replace: exchange those that differ, also if they are not derived.
        note: told each upload. patience: how GitHub is waited for.
    """

    release: GitRelease
    replace: bool
    note: Callable[[str], None]
    patience: Patience
    _listed: dict[str, GitReleaseAsset] | None = None

    def step(self, one: AssetFile) -> Step:
        """Tell what is to be done with a file."""
        return _compare(one, self._find(one))

    def others(self, files: Sequence[AssetFile]) -> dict[str, str]:
        """Give name and hash of the distributions that are there, and not among the files."""
        ours = {asset.name for one in files if (asset := self._find(one))}
        rows = [asset for asset in self._known().values() if asset.name.endswith(_DISTRIBUTIONS)]
        whole = [asset for asset in rows if asset.state == _UPLOADED]
        return {asset.name: _hash(asset) for asset in whole if asset.name not in ours}

    def send(self, one: AssetFile) -> None:
        """Upload a file, whatever broken or other asset has its name.

        Raises:
            PublishError: another file has it, and is not to be replaced; or GitHub has not kept
                it as it was sent.
        """
        persevere(self.patience, lambda: self._clear(one), lambda: self._put(one))

    def tidy(self, files: Sequence[AssetFile]) -> None:
        """Take away what a killed run has left waiting, and nobody waits for any more."""
        for one in files:
            if waiting := self._known().get(one.waiting_name):
                self._delete(waiting)

    def _known(self) -> dict[str, GitReleaseAsset]:
        if self._listed is None:
            self._listed = {asset.name: asset for asset in self.release.get_assets()}
        return self._listed

    def _find(self, one: AssetFile) -> GitReleaseAsset | None:
        """Find it by its name there, or by ours, which is the label of what GitHub renamed."""
        labelled = (asset for asset in self._known().values() if asset.label == one.name)
        return self._known().get(one.stored_name) or next(labelled, None)

    def _clear(self, one: AssetFile) -> GitReleaseAsset | None:
        """Give a file's asset if it is there; else take away what is broken of it.

        Raises:
            PublishError: another file has its name, and is not to be replaced.
        """
        asset, waiting = self._find(one), self._known().get(one.waiting_name)
        step = _compare(one, asset)
        if step is Step.THERE:
            return asset
        if step is Step.REPLACE and not (self.replace or one.derived):
            raise conflict(self.release.tag_name, [one.name])
        if asset and step is Step.UPLOAD:
            self._delete(asset)
        if waiting and _compare(one, waiting) is not Step.THERE:
            self._delete(waiting)
        return None

    def _put(self, one: AssetFile) -> GitReleaseAsset:
        """Upload a file, in two steps if its name is not free; one may have been done before."""
        old, waiting = self._find(one), self._known().get(one.waiting_name)
        listed, self._listed = self._known(), None  # if this fails, they are listed anew
        if old is None and waiting is None:
            asset = self._uploaded(one, one.name, one.label)
        else:
            waiting = waiting or self._uploaded(one, one.waiting_name)
            if old:
                self._delete(old)
            asset = waiting.update_asset(old.name if old else one.stored_name, one.label)
        gone = (one.waiting_name, old.name if old else "")
        kept = {name: there for name, there in listed.items() if name not in gone}
        self._listed = {**kept, asset.name: asset}
        renamed = f" as {asset.name}" if asset.name != one.name else ""
        self.note(f"{one.name}: uploaded to the release {self.release.tag_name}{renamed}")
        return asset

    def _uploaded(self, one: AssetFile, name: str, label: str = "") -> GitReleaseAsset:
        asset = send_file(self.release, one.path, name, label=label, patience=self.patience)
        if _compare(one, asset) is not Step.THERE:
            raise PublishError(
                f"GitHub has not kept {one.name} as it was sent",
                found=f"{asset.name}, {asset.state}, {asset.size} bytes, {asset.digest}",
                hint="publish again: --replace exchanges it",
            )
        return asset

    def _delete(self, asset: GitReleaseAsset) -> None:
        if self._listed is not None:
            self._listed.pop(asset.name, None)
        try:
            asset.delete_asset()
        except UnknownObjectException:  # gone before; maybe by us, and the answer was lost
            self.note(f"{asset.name}: it was gone already")


def _compare(one: AssetFile, asset: GitReleaseAsset | None) -> Step:
    if asset is None or asset.state != _UPLOADED:
        return Step.UPLOAD
    same = asset.size == one.size and _hash(asset) == one.sha256
    return Step.THERE if same else Step.REPLACE


def _hash(asset: GitReleaseAsset) -> str:
    """Give an asset's SHA-256; of old ones GitHub tells none, so they are fetched and hashed."""
    if digest := (asset.digest or ""):
        return digest.removeprefix(_DIGEST)
    with tempfile.TemporaryDirectory(prefix="aarch64-wheels-") as scratch:
        path = Path(scratch) / "asset"
        asset.download_asset(str(path), chunk_size=_CHUNK)
        return AssetFile.read(path).sha256
