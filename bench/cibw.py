"""Builds by cibuildwheel under QEMU; the stages are those its own output tells the time of."""

from __future__ import annotations

import re
import shlex
import sys
from typing import TYPE_CHECKING

from aarch64_wheels.engine.network import container_environment, network_mode
from aarch64_wheels.engine.spec import CA_BUNDLE, QEMU_CPU
from bench.model import Measurement, Stages
from bench.workplace import Workplace, wheels_in

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.commands.inputs import Host
    from bench.schedule import Task

#: Marks its containers: it leaves one behind when it is ended by a signal.
LABEL = "aarch64-wheels.bench"
#: Its step's heading, and the stage it is.
_STEPS = {
    "Setting up build environment...": "environment",
    "Building wheel...": "build",
    "Repairing wheel...": "repair",
}
_HEADING = re.compile(r"[A-Z][a-z]+ing [^:]*\.\.\.")
_END = re.compile(r"\s*(?:✓|done) (\d+\.\d\d)s")


def build(task: Task, place: Workplace, log: Path, *, image: str, python: str) -> Measurement:
    """Run cibuildwheel on the unpacked source, with its defaults but for target and image.

    Raises:
        CommandError: it failed.
    """
    project, output = place.unpacked(task.source), place.fresh(f"{task.source.name}-cibw")
    defaults = place.scratch / "cibuildwheel.toml"
    defaults.write_text("[tool.cibuildwheel]\n", encoding="utf-8")
    argv: list[str | Path] = [sys.executable, "-m", "cibuildwheel", "--platform=linux"]
    # A project's own settings may be for another version of it, and run more than is compared.
    argv += ["--config-file", defaults, "--output-dir", output, "."]
    wall = place.call(argv, log, env=options(place.host, image, python), cwd=project)
    return Measurement(
        source=task.source.name,
        round=task.round,
        way=task.way,
        stages=read_stages(log.read_text(encoding="utf-8", errors="replace")),
        wall=round(wall, 3),
        wheel=next(wheels_in(output)).name,
    )


def options(host: Host, image: str, python: str) -> dict[str, str]:
    """Give cibuildwheel's settings: one target, the image, and the host's network settings."""
    return {
        "CIBW_BUILD": f"{python}-manylinux_aarch64",
        "CIBW_ARCHS": "aarch64",
        "CIBW_MANYLINUX_AARCH64_IMAGE": image,
        "CIBW_CONTAINER_ENGINE": f"docker; create_args: {shlex.join(_create_args(host))}",
        "CIBW_LOG_FOLD_MODE": "disabled",
        "PYTHONUTF8": "1",
    }


def _create_args(host: Host) -> list[str]:
    """Give its container the CPU, certificates, proxies and indexes that ours get."""
    variables = {"QEMU_CPU": QEMU_CPU, **container_environment(host.environ, host.index)}
    words = [f"--label={LABEL}", *(f"--env={name}={text}" for name, text in variables.items())]
    if host.index.ca_bundle:
        words.append(f"--volume={host.index.ca_bundle}:{CA_BUNDLE}:ro")
    if network := network_mode(host.environ, host.index):
        words.append(f"--network={network}")
    return words


def read_stages(output: str) -> Stages:
    """Read the seconds of its steps from what it printed.

    Raises:
        ValueError: a step is missing: another version prints something else.
    """
    times: dict[str, float] = {}
    heading = ""
    for line in output.splitlines():
        if _HEADING.fullmatch(line):
            heading = line
        elif (found := _END.fullmatch(line)) and heading in _STEPS:
            times[_STEPS[heading]] = float(found[1])
            heading = ""
    if missing := set(_STEPS.values()) - times.keys():
        raise ValueError(f"no time of {', '.join(sorted(missing))} in cibuildwheel's output")
    return Stages(**times)


def remove_containers(place: Workplace) -> None:
    """Remove the containers of ours that it has left behind."""
    client = place.engine.client
    for container in client.containers.list(all=True, filters={"label": LABEL}):
        container.remove(force=True)
