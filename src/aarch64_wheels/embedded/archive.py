"""Writes a directory as an image archive that `docker load` and `podman load` take.

`docker import --platform` is ignored by Docker 20.10, so the archive's own configuration says
which architecture the image is of.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError
from aarch64_wheels.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Layers and configurations carry no time of their own, so equal content has an equal identity.
_EPOCH = "1970-01-01T00:00:00Z"
#: No file is newer than this. Not 1970: zip files, and so wheels, begin with 1980.
_NEWEST = "2020-01-01T00:00:00Z"


@dataclass(frozen=True, kw_only=True)
class ImageConfig:
    """What an image says of itself: name with tag, environment, labels, and its start command."""

    tag: str
    environment: Mapping[str, str]
    labels: Mapping[str, str]
    command: tuple[str, ...] = ("/bin/bash",)


def write_archive(root: Path, config: ImageConfig, archive: Path) -> None:
    """Write the files below `root`, all owned by root, as a one-layer arm64 image.

    The archive appears under its name only when it is whole.

    Raises:
        UnfitError: a file could not be read or written (a full disk).
    """
    layer = archive.with_suffix(".layer")
    partial = archive.with_suffix(".partial")
    try:
        _write_layer(root, layer)
        description = _describe(config, layer)
        with tarfile.open(partial, "w") as tar:
            _add_bytes(tar, "config.json", description)
            _add_bytes(tar, "manifest.json", _manifest(config))
            _add_file(tar, "layer.tar", layer)
        partial.replace(archive)
    except OSError as error:
        raise _unwritten(str(error)) from error
    finally:
        layer.unlink(missing_ok=True)
        partial.unlink(missing_ok=True)


def _write_layer(root: Path, layer: Path) -> None:
    argv = ["tar", "--create", f"--file={layer}", f"--directory={root}", "--sort=name"]
    argv += ["--owner=0", "--group=0", "--numeric-owner", "--format=gnu"]
    argv += ["--clamp-mtime", f"--mtime={_NEWEST}", "."]
    result = Processes().run(argv)
    if result.returncode != 0:
        raise _unwritten(result.stderr.strip()[-300:])


def _unwritten(found: str) -> UnfitError:
    return UnfitError(
        "cannot write the embedded image's archive",
        found=found,
        hint="free some disk space in the cache directory (--cache-dir) and run again",
    )


def _describe(config: ImageConfig, layer: Path) -> bytes:
    with layer.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return json.dumps(
        {
            "architecture": "arm64",
            "variant": "v8",
            "os": "linux",
            "created": _EPOCH,
            "config": {
                "Env": [f"{name}={value}" for name, value in sorted(config.environment.items())],
                "Cmd": list(config.command),
                "Labels": dict(config.labels),
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            "history": [{"created": _EPOCH, "created_by": "aarch64-wheels image build debian"}],
        },
        sort_keys=True,
    ).encode()


def _manifest(config: ImageConfig) -> bytes:
    entry = {"Config": "config.json", "RepoTags": [config.tag], "Layers": ["layer.tar"]}
    return json.dumps([entry]).encode()


def _add_file(tar: tarfile.TarFile, name: str, path: Path) -> None:
    member = tarfile.TarInfo(name)
    member.size = path.stat().st_size
    with path.open("rb") as stream:
        tar.addfile(member, stream)


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
