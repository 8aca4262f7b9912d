"""Several files at once, told apart from one after the other by nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

from tests.unit.distutils_samples import FILES, NEWER, run_with, write_place


@pytest.fixture(params=[FILES, NEWER], ids=["distutils", "setuptools-79"])
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return write_place(tmp_path, request.param)


COMPILE = "result = compiler.compile(['a.c', 'b.c', 'c.c', 'd.c'])"


def test_files_are_compiled_in_processes_of_their_own(place: Path) -> None:
    objects, said = run_with(place, COMPILE)
    assert objects == ["a.o", "b.o", "c.o", "d.o"]
    assert len({(place / name).read_text() for name in objects}) == 4
    assert said.splitlines() == [f"compiling {name}.c" for name in "abcd"]


def test_they_overlap(place: Path) -> None:
    started = time.monotonic()
    run_with(place, COMPILE, parallel=4, PAUSE="1")
    assert time.monotonic() - started < 3


def test_never_more_at_once_than_allowed(place: Path) -> None:
    code = """
import time
seen = []
def spawn(self, words):
    name = words[-1] + ".running"
    open(name, "w").close()
    time.sleep(0.1)
    with open("seen", "a") as file:
        file.write(f"{sum(one.endswith('.running') for one in os.listdir('.'))}\\n")
    os.unlink(name)
spawn.__module__ = "distutils.unixccompiler"
UnixCCompiler.spawn = spawn
extensions = [Extension(n, [f"{n}{i}.c" for i in range(3)]) for n in "xyz"]
build_ext(compiler, extensions)._build_extensions_serial()
result = [int(line) for line in open("seen")]
"""
    counts, _ = run_with(place, code, parallel=2)
    assert len(counts) == 9
    assert max(counts) == 2


def test_objects_that_are_up_to_date_are_named_and_left(place: Path) -> None:
    objects, said = run_with(place, "result = compiler.compile(['unchanged.c', 'a.c', 'b.c'])")
    assert objects == ["unchanged.o", "a.o", "b.o"]
    assert "unchanged" not in said


OWN_CLASS = """
class OwnCompiler(UnixCCompiler):
    def spawn(self, words): super().spawn(words)
compiler = OwnCompiler()
"""
THREAD = (
    "import threading, time\nthreading.Thread(target=time.sleep, args=(2,), daemon=True).start()"
)
SERIAL = {
    "one-core": (1, ""),
    "one-file": (3, "sources = ['a.c']"),
    "own-method": (3, "compiler._compile = lambda *a: UnixCCompiler._compile(compiler, *a)"),
    "own-class": (3, OWN_CLASS),
    "threads": (3, THREAD),
}


@pytest.mark.parametrize(("parallel", "code"), SERIAL.values(), ids=SERIAL.keys())
def test_where_it_might_show_it_is_one_after_the_other(
    place: Path, parallel: int, code: str
) -> None:
    compiled = "objects = compiler.compile(sources)\nresult = set(made(*objects)) == {me}"
    result, _ = run_with(place, f"sources = ['a.c', 'b.c']\n{code}\n{compiled}", parallel)
    assert result is True


CAUGHT = """
from distutils.ccompiler import CompileError
try:
    compiler.compile(['a.c', 'bad1.c', 'bad2.c', 'z.c'])
except CompileError as error:
    result = str(error), type(error).__module__
"""


def test_the_first_error_is_raised_with_its_class(place: Path) -> None:
    (error, module), said = run_with(place, CAUGHT, parallel=4)
    assert error == "bad1.c failed"
    assert module in {"distutils.ccompiler", "distutils.compilers.C.base"}
    lines = said.splitlines()
    assert lines[:3] == ["compiling a.c", "compiling bad1.c", "bad1.c: no such thing"]


def test_an_error_that_cannot_be_sent_is_raised_all_the_same(place: Path) -> None:
    code = """
class Local(Exception):
    def __init__(self, one, two): super().__init__("local")
def _compile(self, *rest): raise Local(1, 2)
_compile.__module__ = "distutils.unixccompiler"
UnixCCompiler._compile = _compile
try:
    compiler.compile(['a.c', 'b.c'])
except Local as error:
    result = str(error)
"""
    assert run_with(place, code)[0] == "local"


def test_a_step_that_is_killed_is_an_error(place: Path) -> None:
    code = """
def _compile(self, *rest): os.kill(os.getpid(), 9)
_compile.__module__ = "distutils.unixccompiler"
UnixCCompiler._compile = _compile
try:
    compiler.compile(['a.c', 'b.c'])
except ChildProcessError as error:
    result = str(error)
"""
    assert run_with(place, code)[0] == "a step of the build ended with status 9"
