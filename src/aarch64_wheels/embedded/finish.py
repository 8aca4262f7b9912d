"""The few steps that maintainer scripts would have done: users, certificates, links."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def finish_system(root: Path) -> None:
    """Make an unpacked Debian userland usable: users, certificates, alternatives, places."""
    _add_users(root)
    _add_certificates(root)
    _link(root / "usr/bin/awk", "gawk")
    _link(root / "usr/bin/which", "which.debianutils")
    for name in ("automake", "aclocal"):
        for versioned in (root / "usr/bin").glob(f"{name}-1.*"):
            _link(root / "usr/bin" / name, versioned.name)
    for name in ("proc", "sys", "dev", "run", "root", "project"):
        (root / name).mkdir(exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name).chmod(0o1777)
    (root / "root").chmod(0o700)


def write_script(path: Path, text: str) -> None:
    """Write an executable text file, replacing a link or file of that name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def _link(path: Path, destination: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(destination)


def _add_users(root: Path) -> None:
    for name in ("passwd", "group"):
        master = root / f"usr/share/base-passwd/{name}.master"
        shutil.copyfile(master, root / "etc" / name)


def _add_certificates(root: Path) -> None:
    authorities = sorted((root / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_bytes(b"\n".join(path.read_bytes().rstrip() for path in authorities) + b"\n")
