"""What the shim makes of a compiler's command line when clang serves it."""

from __future__ import annotations

import shlex

import pytest

from tests.unit.shim_bench import CONF, Bench, build_bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return build_bench(tmp_path_factory.mktemp("shim"))


#: A command, and the user's words as clang gets them: None where they stay as they are.
COMMANDS = [
    ("gcc -c x.c", None),
    ("gcc -c x.c -o x.o", None),
    ("gcc -cx.c -ox.o", "-cx.c -o x.o"),
    ("gcc -c x.c -o '' ", None),
    ("gcc -I dir -Idir -isystem dir -iquote dir -idirafter dir -c x.c", None),
    ("gcc -D A -DB=1 -U C -UD -include a.h -imacros b.h -c x.c", None),
    ("gcc -L dir -Ldir -l m -lm x.o", None),
    ("gcc -o x x.o -Wl,-rpath,dir -Xlinker --gc-sections -z now -u f -T s.ld", None),
    ("gcc -MD -MMD -MP -MF x.d -MT x -MQ y -c x.c", None),
    ("gcc -MFx.d -MTx -MQy -MMD -c x.c", None),
    ("gcc -Xclang -fno-pch-timestamp -mllvm -x -c x.c", None),
    ("gcc -x c x -x none y.o", None),
    ("gcc -xc x", None),
    ("gcc -O -O0 -O2 -O3 -Os -Og -Ofast -g -g3 -ggdb3 -gdwarf-4 -gz=none -c x.c", None),
    ("gcc -pthread -shared -fPIC x.o", None),
    ("gcc -static x.o", None),
    ("gcc -Wa,-mcpu=all -Wp,-DX -Xassembler -g -Xpreprocessor -DY -c x.c", None),
    ("gcc -march=armv8-a -mcpu=cortex-a72+crc -mtune=cortex-a72 -c x.c", None),
    ("gcc -fvisibility=hidden -fwrapv -fno-plt -mcmodel=small -ftemplate-depth-900 -c x.c", None),
    ("gcc -Wall -Wextra -Wformat=2 -Wno-unused -c x.c", None),
    ("gcc -funknown-to-both -c x.c", None),
    ("gcc -Wshorten-64-to-32 -Wno-shorten-64-to-32 -c x.c", None),
    ("gcc --sysroot=/s -isysroot /s --sysroot /s -B dir -c x.c", None),
    ("gcc -std=c11 -c x.c", None),
    ("gcc --std=c11 -c x.c", "-std=c11 -c x.c"),
    ("gcc --std c11 -c x.c", "-std=c11 -c x.c"),
    ("gcc -ansi -c x.c", None),
    ("gcc --output=x.o -c x.c", "-o x.o -c x.c"),
    ("gcc --output x.o -c x.c", "-o x.o -c x.c"),
    # GCC ignores the other language's dialect.
    ("gcc -std=c++11 -c x.c", "-c x.c"),
    ("gcc -std=gnu++17 -c x.c", "-c x.c"),
    ("g++ -std=c99 -c x.cpp", "-c x.cpp"),
    ("g++ -ansi -c x.cpp", "-c x.cpp"),
    ("gcc -std=c++11 -c x.cc", None),
    ("gcc -std=c++11 x.c x.cc", None),
    # GCC's C++ driver takes C sources for C++ without a word.
    ("g++ -c x.c", "-c -x c++ x.c -xnone"),
    ("g++ -c x.h", "-c -x c++-header x.h -xnone -o x.h.gch"),
    ("g++ -x c -c x.c", None),
    ("g++ -c x.cc y.cpp z.cxx", None),
    ("gcc -c x.cc", None),
    # What GCC knows and clang does not, and what changes nothing that is built.
    ("gcc -fno-tree-vectorize -ftree-vectorize -fipa-pta -flto-partition=none -c x.c", "-c x.c"),
    ("gcc -Wlogical-op -Wno-logical-op -Wstringop-overflow=2 -c x.c", "-c x.c"),
    ("gcc -Werror=logical-op -Wno-error=logical-op -c x.c", "-c x.c"),
    ("gcc --param max-inline-insns-single=5 --param=x=5 -c x.c", "-c x.c"),
    ("gcc -specs=/usr/lib/rpm/redhat/redhat-hardened-cc1 -specs x --specs=y -c x.c", "-c x.c"),
    ("gcc -fuse-linker-plugin -fuse-ld=gold -ffat-lto-objects x.o", "x.o"),
    ("gcc -static-libgfortran -pass-exit-codes -time -Q x.o", "x.o"),
    ("gcc -dumpbase a -dumpdir b -c x.c", "-c x.c"),
    ("gcc -fmessage-length=40 -c x.c", "-c x.c"),
    ("gcc -fpermissive -c x.c", "-c x.c"),
    ("gcc -gstabs+ -gcoff -c x.c", "-g -g -c x.c"),
    # Grades of warnings that clang has without grades.
    ("gcc -Wimplicit-fallthrough=3 -c x.c", "-Wimplicit-fallthrough -c x.c"),
    ("gcc -Wimplicit-fallthrough=0 -c x.c", "-Wno-implicit-fallthrough -c x.c"),
    ("gcc -Werror=implicit-fallthrough=3 -c x.c", "-Werror=implicit-fallthrough -c x.c"),
    ("gcc -Wno-error=implicit-fallthrough=3 -c x.c", "-Wno-error=implicit-fallthrough -c x.c"),
    ("gcc -Werror=implicit-fallthrough -c x.c", None),
    ("gcc -Wformat=2 -Werror=format=2 -c x.c", None),
    # GCC accepts -Wno-ANYTHING, but no other warning that it does not know.
    ("gcc -Wno-nonesuch -c x.c", "-c x.c"),
    ("gcc -Wnonesuch -c x.c", "-Werror=unknown-warning-option -Wnonesuch -c x.c"),
    ("gcc -Werror=nonesuch -c x.c", "-Werror=unknown-warning-option -Werror=nonesuch -c x.c"),
    ("gcc -Wno-error=nonesuch -c x.c", "-Werror=unknown-warning-option -Wno-error=nonesuch -c x.c"),
    # Meson's question to a clang; GCC never speaks of unused arguments.
    ("gcc -Werror=unused-command-line-argument -Wunused-command-line-argument -c x.c", "-c x.c"),
    # Link-time optimisation: GCC's values say how many jobs.
    ("gcc -flto -c x.c", None),
    ("gcc -flto=auto -flto=4 -flto=jobserver -c x.c", "-flto -flto -flto -c x.c"),
    ("gcc -flto=thin -flto=full -fno-lto -c x.c", None),
    # The linker's own, which clang's driver does not take.
    ("gcc -symbolic x.o", "-Xlinker -Bsymbolic x.o"),
    ("gcc -N -n x.o", "-Xlinker -N -Xlinker -n x.o"),
    ("gcc -h x.so.1 -shared x.o", "-Xlinker -h -Xlinker x.so.1 -shared x.o"),
    ("gcc -Ttext 0x10 x.o", "-Xlinker -Ttext -Xlinker 0x10 x.o"),
    ("gcc -fopenmp x.o", "x.o"),
    ("gcc x.h", "x.h -o x.h.gch"),
    ("gcc -x c-header x.h -o y.gch", None),
    ("g++ -x c++-header x.hpp", "-x c++-header x.hpp -o x.hpp.gch"),
    ("cpp x.c", None),
    ("cpp x.c y.i", "x.c -o y.i"),
    ("cpp -P - y.i", "-P - -o y.i"),
    ("gcc -v -c x.c", None),
    ("gcc --version", None),
    ("g++ -print-resource-dir", None),
    ("gcc --print-target-triple", None),
    ("gcc '-DX=a b' \"-DY='\" -c x.c", None),
    ("gcc -E x.c", None),
    ("gcc -c", None),
    ("gcc -o", None),
    ("gcc -I", None),
    ("gcc -S -O2 x.c -o -", None),
]


@pytest.mark.parametrize(("command", "expected"), COMMANDS, ids=[c for c, _ in COMMANDS])
def test_words_reach_clang(bench: Bench, command: str, expected: str | None) -> None:
    done = bench.run(command)
    assert done.words == shlex.split(command if expected is None else f"x {expected}")[1:]
    assert done.clang[0][0] == "clang"
    assert done.status == 0
    assert done.real == []


#: A command, and what it is given besides.
ADDITIONS = [
    ("gcc -c x.c", "--ALWAYS -std=gnu17 --LENIENT --HEADERS"),
    ("gcc -c x.i", "--ALWAYS -std=gnu17 --LENIENT --HEADERS"),
    ("gcc -c x.cc", "--ALWAYS -std=gnu++14 --LENIENT --HEADERS"),
    ("g++ -c x.cc", "--driver-mode=g++ --ALWAYS -std=gnu++14 --LENIENT --HEADERS"),
    ("g++ -c x.c", "--driver-mode=g++ --ALWAYS -std=gnu++14 --LENIENT --HEADERS"),
    ("aarch64-linux-gnu-g++ -c x.c", "--driver-mode=g++ --ALWAYS -std=gnu++14 --LENIENT --HEADERS"),
    ("gcc-10 -c x.c", "--ALWAYS -std=gnu17 --LENIENT --HEADERS"),
    ("cpp x.c", "--driver-mode=cpp --ALWAYS -std=gnu17 --LENIENT --HEADERS"),
    ("cpp x.unheard", "--driver-mode=cpp --ALWAYS -std=gnu17 --LENIENT --HEADERS"),
    ("gcc -c x.s", "--ALWAYS --LENIENT --HEADERS"),
    ("gcc -c x.S", "--ALWAYS --LENIENT --HEADERS"),
    ("gcc -std=gnu11 -c x.c", "--ALWAYS --LENIENT --HEADERS"),
    ("g++ -std=c++17 -c x.cc", "--driver-mode=g++ --ALWAYS --LENIENT --HEADERS"),
    # ISO C allows contraction only within an expression, and GCC then does none; C++ is free.
    ("gcc -std=c99 -c x.c", "--ALWAYS -ffp-contract=off --LENIENT --HEADERS"),
    ("gcc -ansi -c x.c", "--ALWAYS -ffp-contract=off --LENIENT --HEADERS"),
    ("gcc -std=c99 -ffp-contract=fast -c x.c", "--ALWAYS --LENIENT --HEADERS"),
    ("gcc -std=c++11 -c x.cc", "--ALWAYS --LENIENT --HEADERS"),
    ("gcc -std=c++11 -c x.c", "--ALWAYS -std=gnu17 --LENIENT --HEADERS"),
    # What is lenient by itself is an error in GCC too once the user asks for errors.
    ("gcc -Werror -c x.c", "--ALWAYS -std=gnu17 --HEADERS"),
    ("gcc -Werror -Wno-error -c x.c", "--ALWAYS -std=gnu17 --LENIENT --HEADERS"),
    ("gcc -Werror=unused -c x.c", "--ALWAYS -std=gnu17 --LENIENT --HEADERS"),
    ("gcc -pedantic-errors -c x.c", "--ALWAYS -std=gnu17 --HEADERS"),
    ("gcc -nostdinc -c x.c", "--ALWAYS -std=gnu17 --LENIENT"),
    # The linker's manners, where something is linked.
    ("gcc x.o", "--ALWAYS --LENIENT --HEADERS --LINK --LAST"),
    ("gcc -lm", "--ALWAYS --LENIENT --HEADERS --LINK --LAST"),
    ("gcc x.c", "--ALWAYS -std=gnu17 --LENIENT --HEADERS --LINK --LAST"),
    ("gcc -r x.o", "--ALWAYS --LENIENT --HEADERS --LAST"),
    ("gcc -fopenmp x.o", "--ALWAYS --LENIENT --HEADERS --LINK -lgomp -pthread --LAST"),
    ("gcc x.h", "--ALWAYS -std=gnu17 --LENIENT --HEADERS"),
    ("gcc -E x.c", "--ALWAYS -std=gnu17 --LENIENT --HEADERS"),
    ("gcc -M x.c", "--ALWAYS -std=gnu17 --LENIENT --HEADERS"),
    ("gcc -fsyntax-only x.c", "--ALWAYS -std=gnu17 --LENIENT --HEADERS"),
    ("gcc -v", "--ALWAYS --LENIENT --HEADERS"),
    ("gcc -x c++ -c x.c", "--ALWAYS -std=gnu++14 --LENIENT --HEADERS"),
    ("gcc -x c - -c", "--ALWAYS -std=gnu17 --LENIENT --HEADERS"),
    ("gcc -x c x -x c++ y -c", "--ALWAYS --LENIENT --HEADERS"),
]


@pytest.mark.parametrize(("command", "expected"), ADDITIONS, ids=[c for c, _ in ADDITIONS])
def test_gcc_manners_are_added(bench: Bench, command: str, expected: str) -> None:
    assert bench.run(command).additions == expected.split()


def test_library_path_is_searched_as_gcc_does(bench: Bench) -> None:
    done = bench.run("gcc x.o", LIBRARY_PATH="/a::/b c")
    assert done.additions[-4:] == ["-L/a", "-L.", "-L/b c", "--LAST"]
    assert "-L/a" not in bench.run("gcc -c x.c", LIBRARY_PATH="/a").additions


def test_environment_is_inherited(bench: Bench) -> None:
    bench.run("gcc -c x.c", MARK="kept as it is")
    assert (bench.root / "ZIG.mark").read_text() == "kept as it is"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("ar rcs a.a b.o", "ar rcs a.a b.o"),
        ("gcc-ar t a.a", "ar t a.a"),
        ("ranlib a.a", "ranlib a.a"),
        ("ld -r a.o -o b.o", "ld.lld -r a.o -o b.o --LD-LAST"),
    ],
)
def test_binary_tools_are_zigs(bench: Bench, command: str, expected: str) -> None:
    assert bench.run(command).clang == [expected.split()]


def test_ld_called_by_gcc_is_the_images(bench: Bench) -> None:
    """A fallback's GCC finds `ld` on PATH, and needs its own linker."""
    done = bench.run("ld -plugin lto.so -o b a.o")
    assert (done.clang, done.real) == ([], [["-plugin", "lto.so", "-o", "b", "a.o"]])
    done = bench.run("ld -o b a.o", COLLECT_GCC_OPTIONS="'-o' 'b'")
    assert (done.clang, done.real) == ([], [["-o", "b", "a.o"]])


def test_ld_lld_needs_no_configuration(bench: Bench) -> None:
    """clang calls the linker by this name: nothing is added, nothing recorded."""
    (bench.root / "work/shim.conf").unlink()
    try:
        (bench.root / "work/compilers/ld.lld").symlink_to(bench.root / "shim")
        done = bench.run("ld.lld -o b a.o", ZIG_STATUS="4")
    finally:
        bench.configure()
    assert (done.status, done.clang) == (4, [["ld.lld", "-o", "b", "a.o"]])


def test_unprepared_container_is_named(bench: Bench) -> None:
    (bench.root / "work/shim.conf").unlink()
    try:
        done = bench.run("gcc -c x.c")
    finally:
        bench.configure()
    assert done.status == 127
    assert "this container was not prepared" in done.err


def test_unknown_name_is_refused(bench: Bench) -> None:
    (bench.root / "work/compilers/tcc").symlink_to(bench.root / "shim")
    done = bench.run("tcc -c x.c")
    assert (done.status, done.clang) == (127, [])
    assert done.err == "aarch64-wheels: no compiler of the image is called tcc\n"


def test_other_gcc_versions_have_their_own_default(bench: Bench) -> None:
    bench.configure(text=CONF.replace("gnu++14", "gnu++17").replace("std-c gnu17\n", ""))
    try:
        assert "-std=gnu++17" in bench.run("g++ -c x.cc").additions
        assert bench.run("gcc -c x.c").additions == ["--ALWAYS", "--LENIENT", "--HEADERS"]
    finally:
        bench.configure()
