"""Assets of a GitHub release, compared by SHA-256: what is there is not sent, what differs stays.

GitHub keeps a broken upload as an asset in the state `starter`, and the answer to an upload may
be lost. So what counts is the list of assets, asked anew after every trouble.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from github import UnknownObjectException

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.github import send_file
from aarch64_wheels.publish.patience import persevere
from aarch64_wheels.publish.plan import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from github.GitRelease import GitRelease
    from github.GitReleaseAsset import GitReleaseAsset

    from aarch64_wheels.publish.patience import Patience

_UPLOADED = "uploaded"
_DIGEST = "sha256:"
_CHUNK = 1 << 16
#: GitHub wants files to be smaller than this, and not empty.
_TOO_LARGE = 1 << 31


@dataclass(frozen=True, kw_only=True)
class AssetFile:
    """A file for a release: its place here, its SHA-256 in hex."""

    path: Path
    sha256: str

    @classmethod
    def read(cls, path: Path) -> AssetFile:
        """Hash a file."""
        with path.open("rb") as stream:
            return cls(path=path, sha256=hashlib.file_digest(stream, "sha256").hexdigest())

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def stored_name(self) -> str:
        """The asset's name: GitHub puts a period for what it does not like, such as `!`.

        It does not say what that is; this is what its own client `gh` takes it to be.
        """
        return re.sub(r"[^A-Za-z0-9_+@-]+", ".", self.name).strip(".")

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return self.path.stat().st_size


def require_fit(files: Sequence[AssetFile]) -> None:
    """Refuse what GitHub would refuse in the middle.

    Raises:
        PublishError: a file's size, or names that would become the same.
    """
    if wrong := [one.name for one in files if not 0 < one.size < _TOO_LARGE]:
        raise PublishError(
            "a GitHub release takes no empty files, and none of 2 GiB or more",
            found=", ".join(wrong),
            hint="publish the others (--dists), or without --github-release",
        )
    names = [one.stored_name for one in files]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PublishError(
            "files would have the same name in a GitHub release",
            found=", ".join(twice),
            hint="rename one of them, or publish them in different releases",
        )


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
        release: PyGithub's. replace: exchange those that differ.
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

    def send(self, one: AssetFile) -> None:
        """Upload a file, whatever broken or other asset has its name.

        Raises:
            PublishError: another file has it, and is not to be replaced; or GitHub has not kept
                it as it was sent.
        """
        persevere(self.patience, lambda: self._clear(one), lambda: self._upload(one))

    def _known(self) -> dict[str, GitReleaseAsset]:
        if self._listed is None:
            self._listed = {asset.name: asset for asset in self.release.get_assets()}
        return self._listed

    def _find(self, one: AssetFile) -> GitReleaseAsset | None:
        """Find it by its name there, or by ours, which is the label of what GitHub renamed."""
        labelled = (asset for asset in self._known().values() if asset.label == one.name)
        return self._known().get(one.stored_name) or next(labelled, None)

    def _clear(self, one: AssetFile) -> GitReleaseAsset | None:
        """Give a file's asset if it is there; else take away what must not have its name."""
        asset = self._find(one)
        step = _compare(one, asset)
        if asset is None or step is Step.THERE:
            return asset
        if step is Step.REPLACE and not self.replace:
            raise conflict(self.release.tag_name, [one.name])
        try:
            asset.delete_asset()
        except UnknownObjectException:  # gone before; maybe by us, and the answer was lost
            self.note(f"{asset.name}: it was gone already")
        return None

    def _upload(self, one: AssetFile) -> GitReleaseAsset:
        listed, self._listed = self._known(), None  # if this fails, they are listed anew
        label = one.name if one.stored_name != one.name else ""
        asset = send_file(self.release, one.path, one.name, label=label, patience=self.patience)
        if _compare(one, asset) is not Step.THERE:
            raise PublishError(
                f"GitHub has not kept {one.name} as it was sent",
                found=f"{asset.name}, {asset.state}, {asset.size} bytes, {asset.digest}",
                hint="publish again: --replace exchanges it",
            )
        self._listed = {**listed, asset.name: asset}
        renamed = f" as {asset.name}" if asset.name != one.name else ""
        self.note(f"{one.name}: uploaded to the release {self.release.tag_name}{renamed}")
        return asset


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
