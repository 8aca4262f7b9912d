"""Who can provide QEMU, in order: what is installed, the distribution's package, an image."""

from __future__ import annotations

import tomllib
import uuid
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import docker.errors
import requests

from aarch64_wheels.emulation.binfmt import diagnose
from aarch64_wheels.emulation.probe import ProbeResult, probe_engine
from aarch64_wheels.emulation.registration import find_line, register
from aarch64_wheels.engine.owner import Owner
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.host import apt_has, apt_install
from aarch64_wheels.machine import is_arm64

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aarch64_wheels.engine.api import LineSink
    from aarch64_wheels.engine.client import Engine

#: Debian up to 12, Ubuntu; from Debian 13 on `qemu-user` is the static one.
_PACKAGES = (("qemu-user-static",), ("qemu-user", "qemu-user-binfmt"))

FIX_HINT = "`aarch64-wheels doctor --fix` installs and registers QEMU (root or sudo)"
#: Where that has failed already.
BY_HAND_HINT = (
    "as root on the engine's machine, outside of containers: "
    "`apt-get install qemu-user-static binfmt-support`; or use an arm64 machine (no QEMU needed)"
)


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A way to get QEMU registered. `provide` raises UnfitError if it is of no use here."""

    name: str
    provide: Callable[[Engine, LineSink], None]


def ensure_emulation(
    engine: Engine,
    *,
    fix: bool,
    sink: LineSink,
    machine: str | None = None,
    providers: Sequence[Provider] | None = None,
    probe: Callable[[Engine], ProbeResult] = probe_engine,
) -> None:
    """See that the engine's containers run aarch64 programs; with `fix`, make them.

    Where the engine runs on arm64, nothing is asked and nothing touched.

    Raises:
        UnfitError: they do not; with the reason and what each provider said.
    """
    if is_arm64(machine or engine.architecture):
        return
    result = probe(engine)
    if result.ok:
        return
    if not fix:
        raise _unfit(engine, result.reason, FIX_HINT)
    said = []
    for provider in default_providers() if providers is None else providers:
        try:
            sink(f"aarch64 programs cannot run here: trying {provider.name}")
            provider.provide(engine, sink)
        except UnfitError as error:
            said.append(f"{provider.name}: {error.found or error.what}")
            continue
        # An installer's word is not enough: the common image's exit status is 0 on failure.
        result = probe(engine)
        if result.ok:
            return
        said.append(f"{provider.name}: {result.reason}")
    raise _unfit(engine, "; ".join(said), BY_HAND_HINT)


def default_providers() -> tuple[Provider, ...]:
    """List the providers in their order, the images last."""
    images = tuple(
        Provider(name=f"the image {image['name']}", provide=_image_provider(image))
        for image in _image_table()
    )
    return (
        Provider(name="the installed QEMU", provide=_register_installed),
        Provider(name="the distribution's package", provide=_install_package),
        *images,
    )


def _unfit(engine: Engine, found: str, hint: str) -> UnfitError:
    local = f" [this kernel: {diagnose()}]" if engine.local else ""
    return UnfitError(
        f"aarch64 programs cannot run in containers of {engine}",
        found=f"{found}{local}",
        hint=hint,
    )


def _register_installed(engine: Engine, sink: LineSink) -> None:
    if not engine.local:
        raise UnfitError("the engine runs on another machine")
    line = find_line()
    if line is None:
        raise UnfitError("no static QEMU for aarch64 is installed")
    register(line, sink)


def _install_package(engine: Engine, sink: LineSink) -> None:
    if not engine.local:
        raise UnfitError("the engine runs on another machine")
    if find_line() is not None:
        raise UnfitError("is installed already")
    packages = next((names for names in _PACKAGES if apt_has(names)), _PACKAGES[0])
    apt_install(packages, sink)
    _register_installed(engine, sink)


def _image_table() -> list[dict[str, str | list[str]]]:
    path = Path(str(files("aarch64_wheels") / "data/emulation.toml"))
    table: list[dict[str, str | list[str]]] = tomllib.loads(path.read_text())["image"]
    return table


def _image_provider(image: dict[str, str | list[str]]) -> Callable[[Engine, LineSink], None]:
    def provide(engine: Engine, sink: LineSink) -> None:
        reference = str(image["reference"])
        sink(f"running {reference} with privileges on {engine}")
        try:
            engine.client.images.pull(reference)
            output = _run_privileged(engine, reference, list(image["arguments"]))
        except (docker.errors.DockerException, requests.RequestException) as error:
            words = getattr(error, "explanation", None) or str(error)
            raise UnfitError(f"{reference} could not be run", found=str(words)) from None
        for text in output.decode(errors="replace").splitlines():
            sink(text)

    return provide


def _run_privileged(engine: Engine, reference: str, arguments: list[str]) -> bytes:
    """Run the image to its end; its container goes on every path, an interrupt too."""
    name = f"aarch64-wheels-qemu-{uuid.uuid4().hex[:16]}"
    labels = Owner.current().labels("qemu")
    engine.containers.add(name)
    try:
        output: bytes = engine.client.containers.run(
            reference, arguments, name=name, labels=labels, privileged=True
        )
        return output
    finally:
        engine.containers.remove(name)
