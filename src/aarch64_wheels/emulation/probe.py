"""Can aarch64 programs run? Asked by running one in a container of the engine."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import docker.errors
import requests

from aarch64_wheels.emulation.probe_elf import STATUS, TAG, image_archive
from aarch64_wheels.engine.owner import Owner
from aarch64_wheels.engine.pulling import PLATFORM
from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from aarch64_wheels.engine.client import Engine

#: Seconds for a program that ends at once. Other tools are known to hang here.
PATIENCE = 20

NOT_REGISTERED = "no QEMU is registered for aarch64 programs (exec format error)"
WITHOUT_F = (
    "QEMU is registered without the flag F, so containers do not find it "
    "(no such file or directory)"
)


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """Whether an aarch64 program ran, and if not, why."""

    ok: bool
    reason: str = ""


def probe_engine(engine: Engine) -> ProbeResult:
    """Run the program in a container of the engine: the answer that counts, wherever it runs.

    Leaves no container behind; the image (a few hundred bytes) stays.

    Raises:
        UnfitError: the engine itself fails.
    """
    try:
        return run_probe(engine, probe_image(engine))
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise UnfitError(f"{engine} cannot run the probe", found=str(error)) from None


def judge(status: int, words: str) -> ProbeResult:
    """Conclude the result from the exit status and what the engine or the log said."""
    if status == STATUS:
        return ProbeResult(ok=True)
    lower = words.lower()
    if "exec format error" in lower:
        return ProbeResult(ok=False, reason=NOT_REGISTERED)
    if "no such file" in lower:
        return ProbeResult(ok=False, reason=WITHOUT_F)
    return ProbeResult(ok=False, reason=f"the aarch64 probe ended with status {status}: {words}")


def probe_image(engine: Engine) -> str:
    """Have the engine hold the image of a few hundred bytes; returns its id."""
    return engine.image_id(TAG) if engine.has_image(TAG) else engine.load_stream(image_archive())


def run_probe(engine: Engine, image: str) -> ProbeResult:
    """Run the image's program in a container of the engine, which is removed in any case."""
    name = f"aarch64-wheels-probe-{uuid.uuid4().hex[:16]}"
    engine.containers.add(name)
    try:
        return _started(engine.client.api, image, name)
    finally:
        engine.containers.remove(name)


def _started(api: Any, image: str, name: str) -> ProbeResult:
    api.create_container(
        image,
        name=name,
        labels=Owner.current().labels("probe"),
        platform=PLATFORM,
        host_config=api.create_host_config(network_mode="none"),
    )
    try:
        api.start(name)
    except docker.errors.APIError as error:
        return judge(-1, str(error.explanation or error))
    try:
        status = api.wait(name, timeout=PATIENCE)["StatusCode"]
    except (requests.ReadTimeout, requests.ConnectionError):
        return ProbeResult(ok=False, reason=f"the aarch64 probe hung for {PATIENCE} s")
    return judge(status, _log(api, name))


def _log(api: Any, name: str) -> str:
    """Read the container's log: older engines report a failed start only there."""
    with suppress(docker.errors.APIError):
        return str(api.logs(name, tail=5).decode(errors="replace").strip())
    return ""
