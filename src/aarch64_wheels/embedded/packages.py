"""Lets apt in the embedded image: tells it what is there, where more is, and how it is placed.

A library's development files must come from the suite of the sysroot, whose glibc they go with;
`data/dpkg.sh` says what becomes of them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import resources
from typing import TYPE_CHECKING

from aarch64_wheels.embedded.fetch import require_program, source_of
from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.embedded.toolchain import TRIPLET
from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path, PurePosixPath

    from aarch64_wheels.processes import Processes

#: What a record of dpkg's database needs. Dependencies are left out: unpacked packages without
#: some of theirs are whole for our ends, and apt would refuse to work before it has mended them.
_FIELDS = (
    *("Package", "Version", "Architecture", "Multi-Arch", "Provides"),
    *("Maintainer", "Description"),
)

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

#: The system is merged, which Debian's packages of that time are not: as in `data/dpkg.sh`.
_UNMERGED = re.compile(r"^/(bin|lib|sbin)/")

_SCRIPTS = {"dpkg": "dpkg.sh", "apt-get": "apt-get.sh", "apt": "apt-get.sh"}


def install_apt(
    root: Path,
    sysroot: PurePosixPath,
    *,
    system: Path,
    compiled_against: Path,
    processes: Processes,
) -> None:
    """Make `apt-get install` work in the image: what it installs can be compiled against.

    Args:
        root: the image's root on this host; apt and dpkg are unpacked there.
        sysroot: a directory of the image.
        system: where the fetched packages of the image's userland are on this host.
        compiled_against: those of the sysroot; apt takes more of the suite they came from.
        processes: runs dpkg-deb.

    Raises:
        UnfitError: a package cannot be read.
    """
    libraries = sorted(compiled_against.glob("*.deb"))
    debs = sorted([*libraries, *filter(_is_program, system.glob("*.deb"))])
    require_program("dpkg-deb")
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        records = dict(zip(debs, pool.map(partial(_record, processes), debs), strict=True))
        files = dict(zip(libraries, pool.map(partial(_files, processes), libraries), strict=True))
    _write_database(root / "var/lib/dpkg", records.values())
    for deb, listed in files.items():
        # Whose a library is will be asked when it is grafted.
        path = root / f"var/lib/dpkg/info/{_list_name(records[deb])}"
        path.write_text(listed, encoding="utf-8")
    mirror, suite = source_of(compiled_against)
    _write_configuration(root / "etc/apt", mirror, suite)
    _pin(root / "etc/apt/preferences.d/embedded", records.values(), suite)
    for name in ("var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/log/apt"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name, data in _SCRIPTS.items():
        text = _data(data).replace("@sysroot@", str(sysroot)).replace("@triplet@", TRIPLET)
        write_script(root / "usr/local/bin" / name, text)


def share_local(root: Path, sysroot: PurePosixPath) -> None:
    """Let the compilers see what a project installs below /usr/local, as they do elsewhere."""
    link = root / str(sysroot).lstrip("/") / "usr/local"
    (root / "usr/local").mkdir(parents=True, exist_ok=True)
    link.symlink_to("../" * len(sysroot.parts) + "usr/local")


def _is_program(deb: Path) -> bool:
    """Leave out the system's libraries: they are not those to compile against."""
    return not deb.name.startswith(("lib", "zlib")) or deb.name.startswith("libtool_")


def _record(processes: Processes, deb: Path) -> str:
    """Give a package's record in dpkg's database, as if it were installed."""
    result = processes.run(["dpkg-deb", "--field", deb, *_FIELDS])
    if result.returncode != 0:
        raise _unreadable(deb, result.stderr.strip())
    return f"{result.stdout.strip()}\nStatus: install ok installed\n"


def _files(processes: Processes, deb: Path) -> str:
    """Give a package's files as dpkg lists them, one a line, by their places in the image."""
    words: list[str | Path] = ["dpkg-deb", "--fsys-tarfile", deb]
    with processes.started(words, stderr=subprocess.DEVNULL) as data:
        try:
            with tarfile.open(fileobj=data.stdout, mode="r|") as tar:
                names = [f"/{member.name.removeprefix('.').strip('/') or '.'}" for member in tar]
        except tarfile.TarError as error:
            raise _unreadable(deb, str(error)) from error
    return "".join(_UNMERGED.sub(r"/usr/\1/", name) + "\n" for name in names)


def _list_name(record: str) -> str:
    """Name a package's list: after its architecture where there may be several of it."""
    fields = dict(line.partition(": ")[::2] for line in record.splitlines())
    several = f":{fields['Architecture']}" if fields.get("Multi-Arch") == "same" else ""
    return f"{fields['Package']}{several}.list"


def _unreadable(deb: Path, said: str) -> UnfitError:
    return UnfitError(
        f"cannot read what {deb.name} is",
        found=said[-300:],
        hint="run again with --no-cache to fetch it anew",
    )


def _write_database(admin: Path, records: Iterable[str]) -> None:
    for name in ("info", "updates", "triggers", "parts"):
        (admin / name).mkdir(parents=True, exist_ok=True)
    (admin / "info/format").write_text("1\n", encoding="ascii")
    (admin / "status").write_text("\n".join(records) + "\n", encoding="utf-8")
    (admin / "available").touch()


def _write_configuration(directory: Path, mirror: str, suite: str) -> None:
    shutil.rmtree(directory / "sources.list.d", ignore_errors=True)
    (directory / "apt.conf.d").mkdir(parents=True, exist_ok=True)
    # What asks questions beforehand takes seconds under QEMU to find nobody there.
    (directory / "apt.conf.d/70debconf").unlink(missing_ok=True)
    (directory / "apt.conf.d/90embedded").write_text(_data("apt.conf"), encoding="utf-8")
    line = f"deb [signed-by={_KEYRING}] {mirror} {suite} main\n"
    (directory / "sources.list").write_text(line, encoding="utf-8")


def _pin(path: Path, records: Iterable[str], suite: str) -> None:
    """Keep apt from replacing what is there: the sysroot's glibc is not as Debian made it."""
    names = " ".join(record.splitlines()[0].removeprefix("Package: ") for record in records)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = f"Package: {names}\nPin: release n={suite}\nPin-Priority: -1\n"
    path.write_text(text, encoding="utf-8")


def _data(name: str) -> str:
    return (resources.files("aarch64_wheels.data") / name).read_text(encoding="utf-8")
