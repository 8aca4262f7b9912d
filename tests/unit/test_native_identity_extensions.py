"""Several extensions at once, told apart from one after the other by nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

from tests.unit.distutils_samples import run_with, write_place


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return write_place(tmp_path)


def _extensions(*rows: tuple[str, list[str]], more: str = "") -> str:
    listed = ", ".join(f"Extension({name!r}, {sources!r})" for name, sources in rows)
    return (
        f"command = build_ext(compiler, [{listed}])\n{more}\n"
        "command._build_extensions_serial()\n"
        "objects = sorted(n for n in os.listdir('.') if n.endswith('.o'))\n"
        "result = {n: open(n).read() for n in objects}, me"
    )


TWO = (("x", ["a.c", "b.c"]), ("y", ["c.c"]))


def test_extensions_are_built_at_once_and_told_in_order(place: Path) -> None:
    (made, me), said = run_with(place, _extensions(*TWO))
    assert sorted(made) == ["a.o", "b.o", "c.o"]
    assert me not in made.values()
    assert said.splitlines() == [
        *("building x", "compiling a.c", "compiling b.c"),
        *("building y", "compiling c.c"),
    ]


NOT_APART = {
    "same-source": (("x", ["a.c"]), ("y", ["./a.c"])),
    "same-object": (("x", ["a.c"]), ("y", ["a.cpp"])),
    "only-one": (("x", ["a.c"]),),
}


@pytest.mark.parametrize("rows", NOT_APART.values(), ids=NOT_APART.keys())
def test_extensions_that_share_something_stay_in_order(
    place: Path, rows: tuple[tuple[str, list[str]], ...]
) -> None:
    (made, me), _ = run_with(place, _extensions(*rows))
    assert set(made.values()) == {me}


OWN = """
class Own(build_ext):
    def build_extension(self, extension): super().build_extension(extension)
command = Own(compiler, command.extensions)
"""


def test_a_projects_own_way_to_build_stays_in_order(place: Path) -> None:
    code = _extensions(("x", ["a.c"]), ("y", ["b.c"]), more=OWN)
    (made, me), _ = run_with(place, code)
    assert set(made.values()) == {me}


def test_one_that_needs_another_is_built_again(place: Path) -> None:
    """Its header may come from an extension before it."""
    needs = """
plain = build_ext.build_extension
def build_extension(self, extension):
    if extension.name == "y" and not os.path.exists("a.o"):
        from distutils.ccompiler import CompileError
        raise CompileError("a.h: no such file")
    import time; time.sleep(1 if extension.name == "x" else 0)
    plain(self, extension)
build_extension.__module__ = "distutils.command.build_ext"
build_ext.build_extension = build_extension
"""
    (made, me), said = run_with(place, needs + _extensions(("x", ["a.c"]), ("y", ["b.c"])))
    assert made["b.o"] == me
    assert made["a.o"] != me
    assert "no such file" not in said


FAILING = """
from distutils.ccompiler import CompileError
command = build_ext(compiler, [Extension("x", ["a.c"]), Extension("y", ["bad.c"])])
command.extensions[1].optional = OPTIONAL
try:
    command._build_extensions_serial()
    result = ""
except CompileError as error:
    result = str(error)
"""


@pytest.mark.parametrize(
    ("optional", "expected", "last"),
    [
        pytest.param("False", "bad.c failed", "bad.c: no such thing", id="needed"),
        pytest.param("True", "", "warning: bad.c failed", id="optional"),
    ],
)
def test_an_extension_that_fails_says_so_once(
    place: Path, optional: str, expected: str, last: str
) -> None:
    error, said = run_with(place, FAILING.replace("OPTIONAL", optional))
    assert error == expected
    assert said.count("bad.c: no such thing") == 1
    assert said.splitlines()[-1] == last
