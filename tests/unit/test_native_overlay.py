"""Files of build requirements: native where imported, the target's where linked or included."""

from __future__ import annotations

import importlib.machinery
import json
import struct
import subprocess
import sys
from importlib import resources
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.errors import CommandError
from aarch64_wheels.native.backend import NotNative
from aarch64_wheels.native.overlay import lay_over, uv_platform
from aarch64_wheels.native.placement import PACKAGE
from aarch64_wheels.stages.job import ENVIRONMENT, PYTHON
from tests.unit.backend_samples import SITE, facts
from tests.unit.fake_session import FakeSession
from tests.unit.stage_samples import fails, says

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = str(resources.files("aarch64_wheels.native.identity") / "overlay.py")
EXT = importlib.machinery.EXTENSION_SUFFIXES[0]
NATIVE_TAG, ANY_TAG = "cp313-cp313-manylinux_2_28_x86_64", "py3-none-any"


def _elf(machine: int, text: bytes = b"") -> bytes:
    return b"\x7fELF" + bytes(14) + struct.pack("<H", machine) + b"\0" + text + b"\0"


NATIVE, TARGET = _elf(62), _elf(183)


def _install(site: Path, name: str, files: dict[str, bytes], tag: str = NATIVE_TAG) -> None:
    info = f"{name}-1.0.dist-info"
    said = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nTag: {tag}\n".encode(),
    }
    content = {**files, **said}
    rows = "".join(f"{member},,\n" for member in [*content, "../../../bin/tool"])
    for member, data in {**content, f"{info}/RECORD": rows.encode()}.items():
        path = site / member
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _run(*arguments: str | Path) -> Any:
    argv = [sys.executable, "-I", SCRIPT, *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


WANTED: dict[str, tuple[str, dict[str, bytes], str, bool]] = {
    "static-library": ("numpy", {"numpy/lib/libnpymath.a": b"!<arch>"}, NATIVE_TAG, True),
    "header": ("numpy", {"numpy/include/_numpyconfig.h": b""}, NATIVE_TAG, True),
    "pkg-config": ("numpy", {"numpy/npymath.pc": b""}, NATIVE_TAG, True),
    "declarations": ("numpy", {"numpy/__init__.pxd": b""}, NATIVE_TAG, True),
    "library-with-header": (
        "blas",
        {"blas/libblas.so.3": TARGET, "blas/b.h": b""},
        NATIVE_TAG,
        True,
    ),
    "library-by-itself": ("sound", {"sound/libsnd.so.1": NATIVE}, NATIVE_TAG, False),
    "extension-only": ("fast", {f"fast{EXT}": NATIVE}, NATIVE_TAG, False),
    "grafted": ("fast", {"fast.libs/libz-1.so.1": NATIVE, "fast.libs/x.h": b""}, NATIVE_TAG, False),
    "for-any-machine": ("pybind11", {"pybind11/include/pybind11.h": b""}, ANY_TAG, False),
    "known-to-be-the-same": ("Cython", {"Cython/Includes/x.pxd": b""}, NATIVE_TAG, False),
    "other-spelling": ("CFFI", {"cffi/parse_c_type.h": b""}, NATIVE_TAG, False),
    "python-only": ("tool", {"tool.py": b""}, NATIVE_TAG, False),
}


@pytest.mark.parametrize(("name", "files", "tag", "wanted"), WANTED.values(), ids=WANTED.keys())
def test_whose_files_are_wanted(
    site: Path, name: str, files: dict[str, bytes], tag: str, *, wanted: bool
) -> None:
    _install(site, name, files, tag)
    found = _run("scan", site)
    assert found["wheels"] == ([[name.lower(), "1.0"]] if wanted else [])
    assert (found["foreign"], found["conflict"]) == ("", "")


def test_an_empty_environment_wants_nothing(site: Path) -> None:
    assert _run("scan", site) == {"wheels": [], "foreign": "", "conflict": "", "conditional": []}


ONLY_HERE = 'blas<1; platform_machine == "x86_64"'


def test_what_a_requirement_requires_on_some_machines(site: Path) -> None:
    _install(site, "fast", {}, ANY_TAG)
    rows = ("plain", ONLY_HERE, 'x; extra == "y" and platform_machine == "z"')
    with (site / "fast-1.0.dist-info/METADATA").open("a", encoding="utf-8") as file:
        file.writelines(f"Requires-Dist: {row}\n" for row in rows)
    assert _run("scan", site)["conditional"] == [ONLY_HERE]


def test_an_extension_of_another_machine(site: Path) -> None:
    _install(site, "fast", {f"fast/core{EXT}": TARGET})
    assert _run("scan", site)["foreign"] == str(site / f"fast/core{EXT}")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"fast/a.h": b""}, "files of fast are to be linked or included, and it is from a URL"),
        ({"fast/a.py": b""}, ""),
    ],
    ids=["header", "python-only"],
)
def test_files_of_what_came_from_a_url(site: Path, files: dict[str, bytes], expected: str) -> None:
    """By its name and version the index may have something else (PEP 610)."""
    origin = {"fast-1.0.dist-info/direct_url.json": b'{"url": "https://example.org/fast.whl"}'}
    _install(site, "fast", {**files, **origin})
    assert _run("scan", site)["conflict"] == expected


def test_a_library_that_is_linked_and_loaded(site: Path) -> None:
    files = {"arrow/libarrow.so.20": NATIVE, "arrow/arrow.h": b"", "arrow/other.so": NATIVE}
    _install(site, "arrow", {**files, f"arrow/_lib{EXT}": _elf(62, b"libarrow.so.20")})
    conflict = _run("scan", site)["conflict"]
    assert conflict == f"libarrow.so is to be linked with, and _lib{EXT} loads it"


def test_a_library_that_is_only_linked(site: Path) -> None:
    files = {"arrow/libarrow.so.20": NATIVE, "arrow/arrow.h": b""}
    _install(site, "arrow", {**files, f"arrow/_lib{EXT}": _elf(62, b"libc.so.6")})
    assert _run("scan", site)["conflict"] == ""


def test_only_linked_and_included_files_are_replaced(site: Path, tmp_path: Path) -> None:
    native = {
        "numpy/a.h": b"native",
        "numpy/same.h": b"same",
        "numpy/__init__.py": b"native",
        f"numpy/core{EXT}": NATIVE,
        "numpy.libs/libblas.so": NATIVE,
    }
    theirs = {
        "numpy/a.h": b"target",
        "numpy/same.h": b"same",
        "numpy/__init__.py": b"target",
        "numpy/core.cpython-313-aarch64-linux-gnu.so": TARGET,
        "numpy.libs/libblas.so": TARGET,
        "numpy/lib/libnew.a": b"new",
    }
    overlay = tmp_path / "overlay"
    _install(site, "numpy", native)
    _install(overlay, "numpy", theirs)
    assert _run("merge", site, overlay) == ["numpy/a.h", "numpy/lib/libnew.a"]
    assert (site / "numpy/a.h").read_bytes() == b"target"
    assert (site / "numpy/lib/libnew.a").read_bytes() == b"new"
    for name in ("numpy/__init__.py", f"numpy/core{EXT}", "numpy.libs/libblas.so"):
        assert (site / name).read_bytes() == native[name]
    assert not overlay.exists()


PLATFORMS = {
    "manylinux2014": ("glibc 2.17", "aarch64-manylinux2014"),
    "before-2.28": ("glibc 2.27", "aarch64-manylinux2014"),
    "manylinux_2_28": ("glibc 2.28", "aarch64-manylinux_2_28"),
    "between": ("glibc 2.30", "aarch64-manylinux_2_28"),
    "manylinux_2_34": ("glibc 2.34", "aarch64-manylinux_2_34"),
    "newer-than-known": ("glibc 2.43", "aarch64-manylinux_2_40"),
    "musl": ("", "aarch64-unknown-linux-musl"),
}


@pytest.mark.parametrize(("libc", "expected"), PLATFORMS.values(), ids=PLATFORMS.keys())
def test_the_wheels_are_those_the_target_would_take(libc: str, expected: str) -> None:
    assert uv_platform(libc) == expected


SCAN = f"{PYTHON} -I {PACKAGE}/overlay.py scan {ENVIRONMENT / SITE}"
MERGE = f"{PYTHON} -I {PACKAGE}/overlay.py merge {ENVIRONMENT / SITE} /aarch64-wheels/overlay"


def _found(**fields: Any) -> str:
    return json.dumps({"wheels": [], "foreign": "", "conflict": "", "conditional": [], **fields})


def test_nothing_is_fetched_where_nothing_is_wanted() -> None:
    session = FakeSession(effects={SCAN: says(_found())})
    lay_over(session, facts(), list[str]().append)
    assert [str(command) for command in session.commands] == [SCAN]


def test_the_same_versions_are_fetched_and_merged() -> None:
    effects = {SCAN: says(_found(wheels=[["numpy", "2.3.1"]])), MERGE: says('["a.h", "b.h"]')}
    session, lines = FakeSession(effects=effects), list[str]()
    lay_over(session, facts(), lines.append)
    install = session.commands[1]
    assert install.argv[-2:] == ("--", "numpy==2.3.1")
    assert {"--no-deps", "--only-binary", "aarch64-manylinux_2_28"} <= set(install.argv)
    assert install.cwd == PurePosixPath("/")
    assert install.env["UV_NO_CONFIG"] == "1"
    assert str(session.commands[2]) == MERGE
    assert lines == ["of the target's own numpy==2.3.1: 2 files to link or include"]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "conflict": ({SCAN: says(_found(conflict="liba.so is both"))}, "liba.so is both"),
    "other-requirements": (
        {SCAN: says(_found(conditional=[ONLY_HERE]))},
        f"a build requirement differs between machines: {ONLY_HERE}",
    ),
    "foreign": ({SCAN: says(_found(foreign="/x.so"))}, "for another machine: /x.so"),
    "no-wheel": (
        {SCAN: says(_found(wheels=[["a", "1"]])), "uv pip": fails(1, "a==1 has no usable wheels")},
        "there is no wheel of it for the target",
    ),
}


@pytest.mark.parametrize(("effects", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_the_native_backend_cannot_have(effects: dict[str, Any], said: str) -> None:
    with pytest.raises(NotNative) as caught:
        lay_over(FakeSession(effects=effects), facts(), list[str]().append)
    assert said in caught.value.reason


def test_a_condition_that_comes_to_the_same_is_none() -> None:
    both = 'x; platform_machine == "aarch64" or platform_machine == "x86_64"'
    session = FakeSession(effects={SCAN: says(_found(conditional=[both]))})
    lay_over(session, facts(), list[str]().append)
    assert len(session.commands) == 1


def test_an_index_that_does_not_answer_is_an_error() -> None:
    effects = {SCAN: says(_found(wheels=[["a", "1"]])), "uv pip": fails(2, "Failed to fetch: x")}
    with pytest.raises(CommandError, match="Failed to fetch"):
        lay_over(FakeSession(effects=effects), facts(), list[str]().append)


def test_a_script_that_fails_is_an_error() -> None:
    with pytest.raises(CommandError):
        lay_over(FakeSession(effects={SCAN: fails(1, "boom")}), facts(), list[str]().append)
