"""The embedded image serves cibuildwheel unchanged: it is the measure of every benchmark."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from aarch64_wheels.audit.check import audit_wheel
from aarch64_wheels.engine.spec import QEMU_CPU
from aarch64_wheels.hostindex import pip_config_files, read_index_settings


def create_args() -> str:
    """What cibuildwheel's users behind a proxy give: certificates, and the CPU of the emulator."""
    index = read_index_settings(os.environ, pip_config_files(os.environ, Path.home()))
    arguments = [f"--env=QEMU_CPU={QEMU_CPU}"]
    if index.ca_bundle:
        arguments += [f"--volume={index.ca_bundle}:/etc/host-ca.pem:ro"]
        names = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
        arguments += [f"--env={name}=/etc/host-ca.pem" for name in names]
    return " ".join(arguments)


def cibuildwheel_spring(image: str, spring: Path, directory: Path) -> Path:
    """Let cibuildwheel build spring for CPython 3.13 in an image; gives the wheel."""
    options = {
        "CIBW_BUILD": "cp313-manylinux_aarch64",
        "CIBW_ARCHS": "aarch64",
        "CIBW_MANYLINUX_AARCH64_IMAGE": image,
        "CIBW_CONTAINER_ENGINE": f"docker; create_args: {create_args()}",
    }
    command = [sys.executable, "-m", "cibuildwheel", "--platform=linux"]
    done = subprocess.run(
        [*command, "--output-dir", str(directory)],
        cwd=spring,
        env={**os.environ, **options},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = directory.glob("spring-1.0-cp313-cp313-*.whl")
    return wheel


def test_cibuildwheel_builds_in_the_embedded_image(
    spring: Path, debian_image: str, tmp_path: Path
) -> None:
    wheel = cibuildwheel_spring(debian_image, spring, tmp_path)
    assert audit_wheel(wheel, plat="manylinux2014_aarch64").ok
