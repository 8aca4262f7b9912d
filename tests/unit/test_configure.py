"""What is learnt of an image's compilers, from answers in the form each distribution gives them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aarch64_wheels.native import configure
from tests.unit.compiler_samples import (
    DEBIAN,
    DEVTOOLSET,
    IMAGES,
    MANYLINUX2014,
    Image,
    write_program,
)


def _lines(image: Image) -> list[str]:
    tools = {"gcc": ("cc", "/usr/bin/gcc"), "g++": ("c++", "/usr/bin/g++")}
    places = Path("/native"), Path("/aarch64-wheels")
    return list(configure.configuration(tools, image.gcc, *places, "auto", lambda *_words: ""))


def _values(image: Image, key: str) -> list[str]:
    return [line.partition(" ")[2] for line in _lines(image) if line.startswith(f"{key} ")]


@pytest.mark.parametrize(
    ("name", "std_c", "std_cxx"),
    [
        ("manylinux2014", "gnu17", "gnu++14"),
        ("manylinux_2_28", "gnu17", "gnu++17"),
        ("debian", "gnu17", "gnu++17"),
        ("alpine", "gnu23", "gnu++17"),
        ("embedded", "gnu17", "gnu++14"),
    ],
)
def test_dialects(name: str, std_c: str, std_cxx: str) -> None:
    assert _values(IMAGES[name], "std-c") == [std_c]
    assert _values(IMAGES[name], "std-c++") == [std_cxx]


def test_dialects_before_the_standards_had_dates() -> None:
    old = Image(
        triplet="a", version="4.8", libgcc="/l", link="", c="", cxx="#define __cplusplus 199711L"
    )
    assert (_values(old, "std-c"), _values(old, "std-c++")) == (["gnu89"], ["gnu++98"])


@pytest.mark.parametrize(
    ("name", "has", "has_not"),
    [
        (
            "manylinux2014",
            f"--target=aarch64-redhat-linux --sysroot=/ -fno-PIE --gcc-install-dir={DEVTOOLSET}",
            "-fstack-protector-strong -mbranch-protection=standard",
        ),
        (
            "manylinux_2_28",
            "-fdebug-default-version=5 -mbranch-protection=standard -fno-PIE",
            "-fPIE",
        ),
        ("debian", "-fPIE -fdebug-default-version=5", "-fno-PIE -mbranch-protection=standard"),
        (
            "alpine",
            "-fPIE -mno-outline-atomics -fstack-protector-strong -fstack-clash-protection",
            "-moutline-atomics",
        ),
        (
            "embedded",
            "--gcc-install-dir=/opt/gcc-10/usr/lib/gcc/aarch64-linux-gnu/10 --sysroot=/opt/gcc-10",
            "--sysroot=/",
        ),
        ("old", "-fcommon -fno-PIE -mno-outline-atomics", "-fno-common"),
    ],
)
def test_manners_of_every_call(name: str, has: str, has_not: str) -> None:
    flags = _values(IMAGES[name], "always")
    assert set(has.split()) <= set(flags)
    assert not set(has_not.split()) & set(flags)
    assert {"-ftrapping-math", "-ffp-contract=fast", "-fmath-errno"} <= set(flags)
    # clang would no longer inline C++ templates, nor what is `inline`.
    assert "-fsemantic-interposition" not in flags


COMMON = ["-Wl,-z,max-page-size=65536", "-Wl,--undefined-version"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("manylinux2014", ["-no-pie", *COMMON, "-Wl,--build-id=sha1", "-Wl,--hash-style=gnu"]),
        ("manylinux_2_28", ["-no-pie", *COMMON, "-Wl,--build-id=sha1", "-Wl,--hash-style=gnu"]),
        (
            "debian",
            [
                *("-pie", *COMMON, "-Wl,--build-id=sha1", "-Wl,--hash-style=gnu"),
                *("-Wl,--fix-cortex-a53-843419", "-Wl,--as-needed"),
            ],
        ),
        (
            "alpine",
            [
                *("-pie", *COMMON, "-Wl,--build-id=none", "-Wl,--hash-style=gnu"),
                *("-Wl,--as-needed", "-Wl,-z,now", "-Wl,-z,relro"),
            ],
        ),
        (
            "embedded",
            [
                *("-pie", *COMMON, "-Wl,--build-id=sha1", "-Wl,--hash-style=gnu"),
                *("-Wl,--fix-cortex-a53-843419", "-Wl,--as-needed", "-static-libgcc"),
            ],
        ),
    ],
)
def test_manners_of_a_link(name: str, expected: list[str]) -> None:
    assert _values(IMAGES[name], "link") == expected


def test_libraries_are_searched_in_gccs_order() -> None:
    expected = [DEVTOOLSET, "/opt/rh/devtoolset-10/root/usr/lib64", "/lib64", "/usr/lib64"]
    assert _values(MANYLINUX2014, "libdir") == expected
    assert _values(MANYLINUX2014, "link-last") == [f"-L{directory}" for directory in expected]
    assert _values(MANYLINUX2014, "ld-last") == [
        *("-z", "max-page-size=65536", "-L/usr/local/lib", "-L/lib"),
    ]


@pytest.mark.parametrize(("name", "lenient"), [("manylinux2014", True), ("manylinux_2_28", False)])
def test_errors_since_gcc_14(name: str, *, lenient: bool) -> None:
    flags = _values(IMAGES[name], "lenient")
    assert ("-Wno-error=implicit-function-declaration" in flags) == lenient
    assert "-Wno-error=c++11-narrowing" in flags


TABLE = {
    "p": "-Wall -Wno-all -Wformat=2 -fwrapv",
    "b": "-Wimplicit-fallthrough= -Wformat=",
    "d": """-Wlogical-op -Wno-logical-op -fipa-pta -fno-ipa-pta -fno-wrapv -funsigned-bitfields
 -fno-unsigned-bitfields -ftemplate-depth- -fno-keep-inline-functions
 -mtls-dialect= -std=gnu++17""",
    "f": "-fabi-version= -fkeep-inline-functions --param=",
    "c": """-Wimplicit-fallthrough -Wformat -Wshorten -std= -fapple-kext -Werror -Wno-error
 -Wfatal-errors -Werror-implicit-function-declaration""",
}


def test_table_of_options() -> None:
    said = (
        "clang: error: unsupported option '-mtls-dialect=' for target 'aarch64'\n"
        "clang: warning: the clang\n  compiler does not\n  support '-funsigned-bitfields'\n"
    )
    table = configure.option_table(DEBIAN.gcc, lambda *_words: said)
    named = {letter: {n for n in table if table[n] == letter} for letter in "pbdfc"}
    assert named == {letter: {*names.split()} for letter, names in TABLE.items()}


def test_builtins_are_read_from_the_compiler(tmp_path: Path) -> None:
    compiler = tmp_path / "cc1"
    compiler.write_bytes(b"\0__builtin_abs\0__builtin_apply\0 __builtin_%s\0x__builtin_no\0")
    assert configure.builtins(compiler) == {"__builtin_abs", "__builtin_apply"}


def test_table_is_sorted_bytewise_for_the_shim() -> None:
    lines = _lines(DEBIAN)
    names = [line.partition(" ")[0] for line in lines[lines.index("options") + 1 :]]
    assert names == sorted(names, key=os.fsencode)
    assert {"-march=armv8-a", "-mcpu=cortex-a72", "-mtune=generic", "+sve", "ld:entry", "ld:e"} <= {
        *names
    }
    assert "ld:warn-once" in names
    assert all(len(line.split()) == 2 for line in lines[lines.index("options") + 1 :])


@pytest.mark.parametrize(
    ("name", "role"),
    [
        *(("gcc", "cc"), ("gcc-10", "cc"), ("aarch64-linux-gnu-gcc-10", "cc"), ("cc", "cc")),
        *(("aarch64-redhat-linux-gcc", "cc"), ("aarch64-alpine-linux-musl-gcc-15.2.0", "cc")),
        *(("c++", "c++"), ("aarch64-linux-gnu-g++", "c++"), ("cpp-12", "cpp"), ("ld", "ld")),
        *(("gcc-ar", "ar"), ("aarch64-linux-gnu-gcc-ranlib-10", "ranlib"), ("gfortran", "fortran")),
        *(("gcc-nm", None), ("clang", None), ("x86_64-linux-gnu-gcc", None), ("ld.bfd", None)),
        *(("strip", None), ("as", None), ("ccache", None), ("gccgo", None), ("c89", None)),
    ],
)
def test_names_of_compilers(tmp_path: Path, name: str, role: str | None) -> None:
    write_program(tmp_path / name)
    assert configure.find_tools([tmp_path]).get(name, (None,))[0] == role


def test_first_directory_counts_and_twins_are_added(tmp_path: Path) -> None:
    for path in ("a/gcc", "b/gcc", "b/g++", "b/ar"):
        write_program(tmp_path / path)
    (tmp_path / "a/ld").write_text("not a program")
    tools = configure.find_tools([tmp_path / "a", tmp_path / "none", tmp_path / "b"])
    expected = "gcc=a/gcc cc=a/gcc g++=b/g++ c++=b/g++ ar=b/ar llvm-ar=b/ar"
    found = (f"{name}={Path(path).relative_to(tmp_path)}" for name, (_, path) in tools.items())
    assert sorted(found) == sorted(expected.split())


def test_other_versions_stay_the_images(tmp_path: Path) -> None:
    for name, version in (("gcc", "10"), ("gcc-10", "10"), ("gcc-13", "13"), ("g++-13", "13")):
        write_program(tmp_path / name, f"echo {version} # {name}")
    tools = configure.of_one_version(configure.find_tools([tmp_path]))
    assert sorted(tools) == ["cc", "gcc", "gcc-10"]
