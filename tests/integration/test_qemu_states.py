"""QEMU missing, or registered without F: found out by running a program, told, and mended."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.emulation.binfmt import BINFMT, aarch64_entries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Run

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="changing binfmt_misc needs root"),
    pytest.mark.skipif(os.uname().machine != "x86_64", reason="no QEMU on arm64"),
]


@pytest.fixture
def unregistered(run: Run) -> Iterator[list[str]]:
    """No aarch64 interpreter is registered; gives the lines that would register them again."""
    lines = []
    for entry in aarch64_entries():
        parts = (entry.name, "M", "", escaped(entry.magic), escaped(entry.mask), entry.interpreter)
        lines.append(":" + ":".join(parts) + ":")
        (BINFMT / entry.name).write_text("-1")
    yield lines
    mended = run("doctor", "--fix")
    assert mended.returncode == 0, mended.stdout + mended.stderr


def escaped(data: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in data)


def build(run: Run, spring: Path, output: Path) -> tuple[int, str]:
    done = run("build", spring, "--image=debian", "--python=cp313", "--output-dir", output)
    return done.returncode, done.stderr


@pytest.mark.usefixtures("unregistered")
def test_qemu_missing(run: Run, spring: Path, tmp_path: Path) -> None:
    status, words = build(run, spring, tmp_path)
    assert status == 3
    assert "aarch64-wheels doctor --fix" in words
    assert run("doctor").returncode == 3


def test_qemu_registered_without_f(
    run: Run, spring: Path, tmp_path: Path, unregistered: list[str]
) -> None:
    (BINFMT / "register").write_text(unregistered[0] + "OC")
    assert [("F" in entry.flags) for entry in aarch64_entries()] == [False]
    status, words = build(run, spring, tmp_path)
    assert status == 3
    assert "without" in words
    assert "F" in words
    mended = run("doctor", "--fix")
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert all("F" in entry.flags for entry in aarch64_entries())
