"""The embedded image keeps what DESIGN promises of it: layout, bytecode, one old glibc."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels import data
from aarch64_wheels.embedded.recipe import load_recipe
from aarch64_wheels.engine.spec import ContainerSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.embedded.store import EmbeddedImage
    from aarch64_wheels.engine.client import Engine
    from aarch64_wheels.engine.container import ContainerSession
    from aarch64_wheels.plan import Interpreter

#: What the recipe puts into libstdc++.a, and beside it the C it was made of.
ASSEMBLED = Path(data.__file__).parent / "thread_atexit.s"

ASK = """
import importlib.util, json, os, ssl, ctypes, sqlite3, bz2, lzma, zlib, decimal, sys, sysconfig
import build, pip
with open(json.__spec__.cached, "rb") as pyc:
    head = pyc.read(8)
assert head[:4] == importlib.util.MAGIC_NUMBER, "bytecode of another version"
assert head[4:] == bytes([1, 0, 0, 0]), "bytecode that looks at its source (PEP 552)"
assert sys.dont_write_bytecode is False
assert sysconfig.get_config_var("Py_ENABLE_SHARED") == 0
assert sysconfig.get_path("purelib").endswith("/site-packages")
assert os.path.isfile(os.path.join(sysconfig.get_path("include"), "Python.h"))
print("%d.%d" % sys.version_info[:2], sysconfig.get_config_var("EXT_SUFFIX"))
"""

NUMERIC = b"""
#include <math.h>
double f(double x, double y) { return pow(x, y) + exp(x) + log(y) + exp2(x) + log2(y); }
"""

CXX = b"""
#include <stdexcept>
#include <string>
#include <vector>
extern "C" long f(int n) {
    std::vector<std::string> v(n, std::to_string(n));
    try { return v.at(7).size(); } catch (const std::out_of_range &) { return -1; }
}
"""

CLOCKS = b"""
#include <condition_variable>
#include <shared_mutex>
std::condition_variable c; std::mutex m; std::shared_timed_mutex s;
bool f() {
    std::unique_lock<std::mutex> lock(m);
    const auto second = std::chrono::seconds(1);
    return s.try_lock_for(second) && c.wait_for(lock, second) == std::cv_status::timeout;
}
"""

FORTRAN = b"""
subroutine f(x, n) bind(c)
  use iso_c_binding
  integer(c_int), value :: n
  real(c_double) :: x(n)
  print '(i0, f6.2)', n, sum(x)**1.5d0 + log(x(1))
end subroutine
"""

#: Destroyed in the reverse order, also when a destructor registers another, in each thread,
#: and before static objects.
THREAD_LOCAL = b"""
#include <cstdio>
#include <string>
#include <thread>
struct Static { ~Static() { std::puts("static"); } } s;
struct Late { ~Late() { std::puts("late"); } };
struct Local {
    std::string name;
    ~Local() { static thread_local Late late; std::puts(name.c_str()); }
};
thread_local Local a{"a"}, b{"b"};
extern "C" void f() {
    std::thread other([] { a.name = "a of thread"; b.name = "b of thread"; });
    other.join();
    a.name += " of main";
}
"""
DESTROYED = ["b of thread", "late", "a of thread", "b", "late", "a of main", "static"]

FILES = b"""
#define _FILE_OFFSET_BITS 64 /* as Python.h says */
#include <fcntl.h>
int f(int file) { return fcntl(file, F_SETFL, O_NONBLOCK); }
"""


@pytest.fixture(scope="module")
def session(shared_engine: Engine, debian_image: str) -> Iterator[ContainerSession]:
    with shared_engine.start_session(debian_image, ContainerSpec(emulated=True)) as session:
        yield session


@pytest.mark.parametrize("interpreter", load_recipe().interpreters, ids=lambda row: row.tag)
def test_each_interpreter_is_whole(session: ContainerSession, interpreter: Interpreter) -> None:
    version, suffix = session.capture([interpreter.python, "-c", ASK]).split()
    assert version == interpreter.version
    assert suffix == f".cpython-{interpreter.tag.removeprefix('cp')}-aarch64-linux-gnu.so"


@pytest.mark.parametrize("tag", ["cp39", "cp315"])
def test_venv_gives_an_environment_with_pip(session: ContainerSession, tag: str) -> None:
    python = f"/opt/python/{tag}-{tag}/bin/python"
    session.capture([python, "-m", "venv", f"/fresh-{tag}"])
    assert session.capture([f"/fresh-{tag}/bin/pip", "--version"]).startswith("pip ")


@pytest.mark.parametrize(
    "program", ["auditwheel", "patchelf", "uv", "git", "make", "curl", "automake"]
)
def test_the_tools_start(session: ContainerSession, program: str) -> None:
    assert re.search(r"\d+\.\d+", session.capture([program, "--version"]))


@pytest.mark.parametrize(
    ("compiler", "name", "source"),
    [
        ("gcc", "a.c", NUMERIC),
        ("g++", "a.cpp", CXX),
        ("aarch64-linux-gnu-gcc", "b.c", NUMERIC),
        ("gcc", "files.c", FILES),
        ("g++", "clocks.cpp", CLOCKS),
        ("g++", "locals.cpp", THREAD_LOCAL),
        ("gfortran", "a.f90", FORTRAN),
    ],
    ids=["c", "c++", "triplet", "fcntl", "clocks", "thread-local", "fortran"],
)
def test_what_is_compiled_asks_for_the_old_glibc_only(
    session: ContainerSession, compiler: str, name: str, source: bytes
) -> None:
    path = PurePosixPath("/compiled") / name
    library = path.with_suffix(f".{compiler}.so")
    session.write(path, source)
    session.capture([compiler, "-O2", "-fPIC", "-shared", path, "-o", library, "-lm"])
    symbols = session.capture(["objdump", "-T", library])
    wanted = {int(minor) for minor in re.findall(r"GLIBC_2\.(\d+)", symbols)}
    assert wanted
    assert max(wanted) <= 17, symbols
    needed = re.findall(r"NEEDED\s+(\S+)", session.capture(["objdump", "-p", library]))
    assert set(needed) <= {"libm.so.6", "libc.so.6"}


def test_fortran_works(session: ContainerSession) -> None:
    place = PurePosixPath("/fortran")
    session.write(place / "a.f90", FORTRAN)
    session.capture(["gfortran", "-O2", "-fPIC", "-shared", place / "a.f90", "-o", place / "a.so"])
    call = "import ctypes; ctypes.CDLL('/fortran/a.so').f((ctypes.c_double * 2)(1, 3), 2)"
    assert session.capture(["/opt/python/cp313-cp313/bin/python", "-c", call]) == "2  8.00\n"


@pytest.mark.parametrize("glibc", ["new", "2.17"])
def test_thread_local_objects_are_destroyed_in_order(session: ContainerSession, glibc: str) -> None:
    """With glibc's own register of them, and without, as on the oldest system."""
    place = PurePosixPath("/locals") / glibc
    source = ASSEMBLED.with_suffix(".c").read_bytes()
    absent = source.replace(b"__cxa_thread_atexit_impl", b"absent_from_this_glibc")
    session.write(place / "own.c", absent)
    session.write(place / "a.cpp", THREAD_LOCAL)
    session.capture(["gcc", "-O2", "-fPIC", "-c", "own.c"], cwd=place)
    objects = ["own.o"] if glibc == "2.17" else []
    options = ["-O2", "-fPIC", "-shared", "-pthread", "-Wl,--no-undefined"]
    session.capture(["g++", *options, "a.cpp", *objects, "-o", "a.so"], cwd=place)
    call = f"import ctypes; ctypes.CDLL('{place}/a.so').f()"
    said = session.capture(["/opt/python/cp313-cp313/bin/python", "-c", call])
    assert said.splitlines() == DESTROYED


def test_the_assembly_is_what_the_images_compiler_makes_of_its_source(
    session: ContainerSession,
) -> None:
    place = PurePosixPath("/assembly")
    session.write(place / "thread_atexit.c", ASSEMBLED.with_suffix(".c").read_bytes())
    options = ["-O2", "-fPIC", "-fno-asynchronous-unwind-tables", "-S"]
    session.capture(["gcc", *options, "thread_atexit.c"], cwd=place)
    made = session.read(place / "thread_atexit.s", 1 << 20).decode()
    assert ASSEMBLED.read_text("utf-8").partition("\n")[2] == made


def test_there_is_one_set_of_glibc_development_files(session: ContainerSession) -> None:
    names = ["libm.so", "libc.so", "crt1.o", "libpthread.a", "stdio.h", "libc.a"]
    tests = [word for name in names for word in ("-o", "-name", name)][1:]
    found = session.capture(["find", "/", "-xdev", "-type", "f", "(", *tests, ")"]).split()
    found += session.capture(["find", "/", "-xdev", "-name", "libm.so"]).split()
    assert found
    assert [path for path in found if not path.startswith("/opt/gcc-10/")] == []


def test_a_kept_image_needs_nothing_done(
    shared_engine: Engine, embedded_image: EmbeddedImage, debian_image: str
) -> None:
    notes: list[str] = []
    assert embedded_image.ensure(shared_engine, notes.append) == debian_image
    assert notes == []
