"""`image accelerate REF --tag TAG`, and `image bundle DIR` for those who build it themselves."""

from __future__ import annotations

import json
import shutil
import time
from typing import TYPE_CHECKING

from aarch64_wheels.catalogue import EMBEDDED_REFERENCE, find_image
from aarch64_wheels.commands.inputs import Host, native_system
from aarch64_wheels.commands.notes import timed_notes
from aarch64_wheels.embedded.store import EmbeddedImage
from aarch64_wheels.emulation.providers import ensure_emulation
from aarch64_wheels.engine.client import connect
from aarch64_wheels.engine.images import ensure_image
from aarch64_wheels.errors import ExitCode, UnfitError, UsageError
from aarch64_wheels.machine import is_x86_64
from aarch64_wheels.native.accelerate import accelerate
from aarch64_wheels.native.bundle import ensure_bundle
from aarch64_wheels.native.manifest import NAME as MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from aarch64_wheels.engine.client import Engine
    from aarch64_wheels.native.bundle import Bundle
    from aarch64_wheels.settings.schema import Settings


def run_accelerate(
    settings: Settings, environ: Mapping[str, str], *, reference: str, tag: str
) -> int:
    """Have the engine hold an accelerated image.

    Args:
        settings: engine and cache directory.
        environ: the process's environment.
        reference: the image below, by short name or reference.
        tag: the new image's name.

    Raises:
        UsageError: a name is none, or the image is accelerated already.
        UnfitError: the machine is no x86-64 one, or something cannot be fetched or made.
    """
    note = timed_notes()
    host = Host.current(environ)
    _require_x86(host.machine, "this machine")
    engine = connect(settings.engine, environ)
    _require_x86(engine.architecture, str(engine))
    try:
        ensure_emulation(engine, fix=False, sink=note)
        kept = EmbeddedImage.of_this_version(settings.cache_dir, host.index)
        embedded = reference in (find_image("debian").name, EMBEDDED_REFERENCE, kept.tag)
        base = kept.ensure(engine, note) if embedded else _pulled(engine, reference, note)
        bundle = _bundle(settings, host, embedded=embedded, note=note)
        accelerate(engine, base, tag, bundle, note)
    finally:
        engine.close_all()
    note(f"{tag} is ready")
    return ExitCode.OK


def run_bundle(settings: Settings, environ: Mapping[str, str], *, directory: Path) -> int:
    """Export the native tools to a directory, for the Dockerfile.

    Args:
        settings: the cache directory.
        environ: the process's environment.
        directory: a new one, or an earlier export, which is replaced.

    Raises:
        UsageError: the directory holds something else.
        UnfitError: something cannot be fetched or made.
    """
    note = timed_notes()
    host = Host.current(environ)
    _require_x86(host.machine, "this machine")
    bundle = _bundle(settings, host, embedded=False, note=note)
    if _exported_key(directory) != bundle.key:
        _export(bundle, directory)
    note(f"{directory} is ready")
    return ExitCode.OK


def _pulled(engine: Engine, reference: str, note: Callable[[str], None]) -> str:
    image = find_image(reference)
    ensure_image(engine, image, note)
    return image.reference


def _bundle(
    settings: Settings, host: Host, *, embedded: bool, note: Callable[[str], None]
) -> Bundle:
    with native_system(embedded, settings.cache_dir, host, note) as system:
        return ensure_bundle(system, settings.cache_dir, host.index, note)


def _require_x86(machine: str, where: str) -> None:
    if not is_x86_64(machine):
        raise UnfitError(
            "native tools are x86-64 programs",
            found=f"{where} is {machine or 'of an unknown kind'}",
            hint="on arm64 the plain image is as fast: nothing is emulated there",
        )


def _exported_key(directory: Path) -> str | None:
    """Give the key of an earlier export, None if there is nothing at all.

    Raises:
        UsageError: there is something else.
    """
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return None
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        # Others have manifests with a key, too.
        return str(manifest["key"] if manifest["components"][0]["sha256"] else "")
    except (OSError, ValueError, LookupError, TypeError):
        raise UsageError(
            f"{directory} is in the way",
            found="it holds something that is no export of the native tools",
            hint="name a directory that is not there yet",
        ) from None


def _export(bundle: Bundle, directory: Path) -> None:
    """Copy beside the directory first: what has its name is whole, or an earlier export."""
    draft = directory.with_name(f".{directory.name}.{time.monotonic_ns()}.partial")
    try:
        shutil.copytree(bundle.directory, draft, symlinks=True)
        if directory.exists():
            shutil.rmtree(directory)
        draft.rename(directory)
    except (OSError, shutil.Error) as error:
        raise UnfitError(
            f"cannot write {directory}", found=str(error)[-300:], hint="free some disk space"
        ) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
