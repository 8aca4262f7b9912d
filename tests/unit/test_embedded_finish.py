"""The steps that stand in for maintainer scripts."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.embedded.finish import finish_system, write_script

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """What is there of a Debian system once its packages are unpacked."""
    for name in ("passwd", "group"):
        master = tmp_path / f"usr/share/base-passwd/{name}.master"
        master.parent.mkdir(parents=True, exist_ok=True)
        master.write_text(f"root of {name}\n")
    authorities = tmp_path / "usr/share/ca-certificates/mozilla"
    authorities.mkdir(parents=True)
    (authorities / "b.crt").write_bytes(b"B\n\n")
    (authorities / "a.crt").write_bytes(b"A")
    for name in ("etc", "usr/bin"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_users_certificates_and_links(system: Path) -> None:
    (system / "usr/bin/awk").symlink_to("/etc/alternatives/awk")
    finish_system(system)
    assert (system / "etc/passwd").read_text() == "root of passwd\n"
    assert (system / "etc/group").read_text() == "root of group\n"
    assert (system / "etc/ssl/certs/ca-certificates.crt").read_bytes() == b"A\nB\n"
    assert str((system / "usr/bin/awk").readlink()) == "gawk"
    assert str((system / "usr/bin/which").readlink()) == "which.debianutils"


@pytest.mark.parametrize(("name", "mode"), [("tmp", 0o1777), ("var/tmp", 0o1777), ("root", 0o700)])
def test_places_and_who_may_write_there(system: Path, name: str, mode: int) -> None:
    finish_system(system)
    assert (system / name).stat().st_mode & 0o7777 == mode


def test_mount_points_are_there(system: Path) -> None:
    (system / "proc").mkdir()
    finish_system(system)
    assert all((system / name).is_dir() for name in ("proc", "sys", "dev", "run", "project"))


def test_a_script_replaces_a_link_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("untouched")
    (tmp_path / "script").symlink_to("other")
    write_script(tmp_path / "script", "#!/bin/sh\necho ran\n")
    answer = subprocess.run([tmp_path / "script"], capture_output=True, check=True).stdout
    assert (answer, (tmp_path / "other").read_text()) == (b"ran\n", "untouched")
