"""Small wheels, sdists and reports for the tests of publishing."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from aarch64_wheels.publish.distributions import Distribution
from aarch64_wheels.report.model import Report, Status, TargetRecord, WheelRecord
from aarch64_wheels.report.writer import write_report
from tests.standins.samples import make_wheel
from tests.unit.audit_samples import elf, write_wheel
from tests.unit.report_samples import report

if TYPE_CHECKING:
    from collections.abc import Sequence

WHEEL, SDIST = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"


def metadata(name: str = "demo", version: str = "1.0", *fields: str, text: str = "") -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *fields]
    return "\n".join(lines) + "\n\n" + text


def make_sdist(
    folder: Path, text: str = "", *, name: str = "demo", version: str = "1.0", info: str = ""
) -> Path:
    """Write an sdist with one module of `text`; `info` is its PKG-INFO instead of the fitting one.

    Equal arguments make equal bytes.
    """
    stem = f"{name}-{version}"
    contents = {"PKG-INFO": info or metadata(name, version), f"{name}.py": text}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for member, content in contents.items():
            row = tarfile.TarInfo(f"{stem}/{member}")
            row.size = len(content.encode())
            archive.addfile(row, io.BytesIO(content.encode()))
    path = folder / f"{stem}.tar.gz"
    path.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    return path


def make_aarch64(
    folder: Path,
    number: int = 313,
    text: str = "",
    *,
    version: str = "1.0",
    platform: str = "manylinux2014_aarch64",
) -> Path:
    """Write a wheel that passes the audit where auditwheel is answered for (`_judged`)."""
    info = f"demo-{version}.dist-info"
    files = {
        f"demo.cpython-{number}-aarch64-linux-gnu.so": elf(),
        "demo.py": text.encode(),
        f"{info}/METADATA": metadata(version=version).encode(),
    }
    name = f"demo-{version}-cp{number}-cp{number}-{platform}.whl"
    return write_wheel(folder, name, files, info=info)


def with_metadata(folder: Path, content: str, *, filename: str = WHEEL) -> Path:
    """Write a wheel of which METADATA says this."""
    path = make_wheel(folder)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["demo-1.0.dist-info/METADATA"] = content.encode()
    path.unlink()
    with zipfile.ZipFile(folder / filename, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return folder / filename


def named(filename: str = WHEEL, sha256: str = "a" * 64, version: str = "1.0") -> Distribution:
    """A distribution without its file."""
    return Distribution(
        path=Path(filename), project="demo", version=Version(version), sha256=sha256, size=1000
    )


def built(*wheels: Path, failed: Sequence[str] = (), version: str = "1.0") -> Report:
    """The report of the build that made these wheels."""
    good = [
        TargetRecord(
            identifier=path.name.split("-")[2],
            status=Status.OK,
            wheel=WheelRecord(
                filename=path.name,
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                size=path.stat().st_size,
                policy="manylinux_2_17_aarch64",
            ),
        )
        for path in wheels
    ]
    bad = [TargetRecord(identifier=name, status=Status.FAILED) for name in failed]
    return replace(report(*good, *bad), project="Demo", version=version)


def write_built(folder: Path, *wheels: Path, failed: Sequence[str] = ()) -> Path:
    """Write the report of the build that made these wheels."""
    return write_report(built(*wheels, failed=failed), folder)
