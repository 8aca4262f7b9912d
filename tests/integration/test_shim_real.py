"""The shim in the embedded image: what it builds behaves as what the image's own GCC builds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.gnuversions import GNUVerNeedSection
from elftools.elf.sections import SymbolTableSection

from tests.integration.workshop import REAL, Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elftools.elf.elffile import ELFFile

    from aarch64_wheels.engine.api import Session
    from tests.integration.conftest import Accelerated


@pytest.fixture(scope="module")
def session(accelerated: Accelerated) -> Iterator[Session]:
    with accelerated() as session:
        yield session


@pytest.fixture
def shop(session: Session, request: pytest.FixtureRequest) -> Workshop:
    return Workshop.of_test(session, request.node.name)


def _symbols(elf: ELFFile) -> dict[str, tuple[str, str]]:
    """Give the symbols a library exports: name, visibility and whether it is code."""
    table = elf.get_section_by_name(".dynsym")
    assert isinstance(table, SymbolTableSection)
    rows = [s for s in table.iter_symbols() if s["st_shndx"] != "SHN_UNDEF" and s.name]
    return {s.name: (s["st_other"]["visibility"], s["st_info"]["type"]) for s in rows}


def _needed(elf: ELFFile) -> list[str]:
    dynamic = elf.get_section_by_name(".dynamic")
    assert isinstance(dynamic, DynamicSection)
    tags: list[Any] = list(dynamic.iter_tags())
    return [tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"]


THROWER = """
#include <stdexcept>
#include <string>
struct Mine : std::runtime_error { using std::runtime_error::runtime_error; };
void thrower(int i) { if (i) throw Mine("mine " + std::to_string(i)); throw std::string("text"); }
"""
CATCHER = """
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
struct Last { ~Last() { std::cout << "ended\\n"; } void use() {} };
thread_local Last last;
void thrower(int);
int main() {
  try { thrower(3); } catch (const std::runtime_error& e) { std::cout << e.what() << "\\n"; }
  try { thrower(0); } catch (const std::string& e) { std::cout << e << "\\n"; }
  std::thread([] { last.use(); }).join();
}
"""


@pytest.mark.parametrize(
    ("library", "program"), [("g++", "g++"), ("g++", f"{REAL}/g++"), (f"{REAL}/g++", "g++")]
)
def test_exceptions_cross_modules(shop: Workshop, library: str, program: str) -> None:
    """Also between what clang and what GCC made."""
    shop.write(thrower_cpp=THROWER, catcher_cpp=CATCHER)
    shop.run(f"{library} -O2 -fPIC -shared thrower.cpp -o libthrower.so")
    shop.run(f"{program} -O2 -pthread catcher.cpp -L. -lthrower -Wl,-rpath,$ORIGIN -o catcher")
    assert shop.run("./catcher") == "mine 3\ntext\nended\n"


FLOATS = """
#include <fenv.h>
#include <math.h>
#include <stdio.h>
volatile double zero = 0, x = 1.1, y = 3.3, z = -3.63;
double fused(double a, double b, double c) { double t = a * b; return t + c; }
double guarded(double v) { return v != 0 ? 1 / v : 0; }
int main(void) {
  double sum = 0;
  for (int i = 1; i < 1000; i++) sum += sin(i) * cos(i) / i + fused(x, i, z);
  printf("%a %a %a %La\\n", sum, fused(x, y, z), pow(x, y), sqrtl((long double)x));
  feclearexcept(FE_ALL_EXCEPT);
  volatile double unused = guarded(zero);
  printf("%d %d\\n", fetestexcept(FE_DIVBYZERO | FE_INVALID), (int)(char)-1);
  return unused != 0;
}
"""


@pytest.mark.parametrize("options", ["-O0", "-O2", "-O3", "-O2 -std=c99", "-O3 -ffast-math -lm"])
def test_floating_point_is_gccs(shop: Workshop, options: str) -> None:
    shop.write(floats_c=FLOATS)
    shop.run(f"gcc floats.c -o ours {options} -lm")
    shop.run(f"{REAL}/gcc floats.c -o theirs {options} -lm")
    ours, theirs = (shop.run(f"./{name}").splitlines() for name in ("ours", "theirs"))
    # With -ffast-math, the order of a sum is each compiler's own,
    first = 1 if "fast" in options else 0
    assert ours[0].split()[first:] == theirs[0].split()[first:]
    # and exceptions of the processor are nobody's concern.
    assert first or ours[1] == theirs[1]


INTERFACE = """
#include <atomic>
#include <string>
#include <vector>
struct __attribute__((visibility("default"))) Shown { virtual ~Shown(); virtual int f(); };
Shown::~Shown() {}
int Shown::f() { return 1; }
struct __attribute__((visibility("hidden"))) Kept { virtual int f(); };
int Kept::f() { return 2; }
std::atomic<long> counter;
extern "C" long count() { return counter++; }
extern "C" __attribute__((visibility("hidden"))) int secret() { return 3; }
extern "C" __attribute__((weak)) int weak() { return 4; }
static int local() { return 5; }
extern "C" int use() { return local() + secret(); }
int common;
"""


@pytest.mark.parametrize("options", ["", "-fvisibility=hidden", "-fvisibility-inlines-hidden -g"])
def test_interface_of_a_library_is_gccs(shop: Workshop, options: str) -> None:
    shop.write(interface_cpp=INTERFACE)
    for name, compiler in (("ours", "g++"), ("theirs", f"{REAL}/g++")):
        shop.run(f"{compiler} -O2 -fPIC -shared interface.cpp -o {name}.so {options}")
    ours, theirs = shop.elf("ours.so"), shop.elf("theirs.so")
    own = {name for name in _symbols(theirs) if "std" not in name and "St" not in name}
    assert {name: _symbols(ours).get(name) for name in own} == {
        name: _symbols(theirs)[name] for name in own
    }
    assert _needed(ours) == _needed(theirs)


def test_segments_fit_64k_pages(shop: Workshop) -> None:
    shop.write(a_c="int f(void) { return 1; }", b_c="int main(void) { return 0; }")
    shop.run("gcc -shared -fPIC a.c -o a.so")
    shop.run("gcc b.c -o b")
    for name in ("a.so", "b"):
        loads = [s for s in shop.elf(name).iter_segments() if s["p_type"] == "PT_LOAD"]
        assert {segment["p_align"] for segment in loads} == {0x10000}
    assert shop.elf("b")["e_type"] == "ET_DYN"  # a position-independent program, as by GCC


def test_only_old_symbols_of_glibc_are_asked_for(shop: Workshop) -> None:
    shop.write(m_c="#include <math.h>\ndouble f(double a) { return pow(a, exp(a)) + log(a); }")
    shop.run("gcc -O2 -shared -fPIC m.c -lm -o m.so")
    versions = shop.elf("m.so").get_section_by_name(".gnu.version_r")
    assert isinstance(versions, GNUVerNeedSection)
    found = {aux.name for _, needs in versions.iter_versions() for aux in needs}
    assert found <= {"GLIBC_2.17"}


INTERPOSED = """
int shown(void) { return 1; }
inline int in_line(void) { return 3; }
int in_line(void);
int answer(void) { return shown() + in_line(); }
"""
ASKING = """
#include <stdio.h>
int answer(void);
int main(void) { printf("%d\\n", answer()); }
"""


def test_interposition_is_had_for_the_asking(shop: Workshop) -> None:
    """It is GCC's default, and not clang's; a project that relies on it can say so."""
    shop.write(library_c=INTERPOSED, preload_c="int shown(void) { return 7; }")
    shop.write(plain_c=ASKING, program_c=f"{ASKING}int shown(void) {{ return 5; }}\n")
    for compiler in ("gcc -fsemantic-interposition", f"{REAL}/gcc"):
        shop.run(f"{compiler} -O2 -fPIC -shared library.c -o liblibrary.so")
        shop.run("gcc -O2 -fPIC -shared preload.c -o preload.so")
        for name in ("program", "plain"):
            shop.run(f"gcc -O2 {name}.c -L. -llibrary -Wl,-rpath,$ORIGIN -o {name}")
        assert shop.run("./program") == "8\n"
        assert shop.run("./plain") == "4\n"
        assert shop.run("./plain", LD_PRELOAD="./preload.so") == "10\n"
    assert {how for how, _ in shop.calls()} == {"native"}


TWO = {
    "one_c": "int two(void);\nint main(void) { return two() - 2; }",
    "two_c": "int two(void) { return 2; }",
}


def test_link_time_optimisation(shop: Workshop) -> None:
    shop.write(**TWO)
    shop.run("gcc -O2 -flto=auto -ffat-lto-objects -c one.c two.c")
    shop.run("gcc-ar rcs libtwo.a two.o")
    shop.run("gcc -O2 -flto=4 -fuse-linker-plugin one.o libtwo.a -o program")
    shop.run("./program")
    assert {how for how, _ in shop.calls()} == {"native"}


def test_link_time_optimisation_over_a_fallback(shop: Workshop) -> None:
    """GCC's objects of an LTO build must hold code that lld can link."""
    nested = "int two(void) { int inner(int a) { return a + 1; } return inner(1); }"
    shop.write(one_c=TWO["one_c"], two_c=nested)
    shop.run("gcc -O2 -flto -c one.c two.c")
    shop.run("gcc -O2 -flto one.o two.o -o program")
    shop.run("./program")
    assert [how for how, _ in shop.calls()] == ["fallback", "native"]


@pytest.mark.parametrize("name", ["all.h", "all.hpp"])
def test_precompiled_headers(shop: Workshop, name: str) -> None:
    header = {name.replace(".", "_"): "#pragma once\n#include <string>\n#include <vector>\n"}
    shop.write(**header, use_cpp="std::vector<std::string> v; int main() { return v.size(); }")
    shop.run(f"g++ -O2 {name}")
    shop.run(f"g++ -O2 -include {name} -Winvalid-pch -Werror use.cpp -o use")
    shop.run("./use")
    assert {how for how, _ in shop.calls()} == {"native"}
    assert f"{name}.gch" in shop.run("ls")


def test_threads_and_archives(shop: Workshop) -> None:
    shop.write(
        t_c="#include <pthread.h>\nvoid *f(void *a) { return a; }\nint start(void) {\n"
        "pthread_t t; return pthread_create(&t, 0, f, 0) || pthread_join(t, 0); }",
        main_c="#ifndef _REENTRANT\n#error no -pthread\n#endif\n"
        "int start(void);\nint main(void) { return start(); }",
    )
    shop.run("gcc -pthread -c t.c main.c")
    shop.run("ar rcs libt.a t.o")
    shop.run("ranlib libt.a")
    for compiler in ("gcc", f"{REAL}/gcc"):
        shop.run(f"{compiler} -pthread main.o -L. -lt -o main")
        shop.run("./main")


def test_ar_of_the_image_does_what_llvms_lacks(shop: Workshop) -> None:
    shop.write(**TWO)
    shop.run("gcc -c one.c two.c")
    shop.run("ar rcsf libtwo.a two.o")  # f: names cut short
    shop.run("gcc one.o libtwo.a -o program")
    shop.run("./program")
    assert shop.run("ar t libtwo.a") == "two.o\n"
    shop.fails("ar t nowhere.a")
    reasons = [reason for how, reason in shop.calls() if how == "fallback"]
    assert reasons == ["unknown-option f"]


def test_response_files(shop: Workshop) -> None:
    shop.write(
        **TWO, words_rsp='-DTEXT="\\"a b\\"" -c one.c\n-o "with blank.o"', link_rsp="two.c -o all"
    )
    shop.run("gcc @words.rsp")
    shop.write(all_rsp='"with blank.o" @link.rsp')
    shop.run("gcc @all.rsp")
    shop.run("./all")


def test_headers_are_gccs(shop: Workshop) -> None:
    """The same directories, but clang's own headers for the compiler's own."""
    shop.write(h_cpp="#include <omp.h>\n#include <ext/hash_map>\n#include <arm_neon.h>\nint x;\n")
    shop.run("g++ -w -c h.cpp")
    assert shop.calls() == [("native", "-")]


def test_atomics_are_clangs(shop: Workshop) -> None:
    """As numpy has it: a cast to an atomic type, which the macros of GCC's stdatomic.h refuse."""
    cast = "atomic_load((_Atomic(unsigned char) *)&flag)"
    shop.write(
        main_c=f"#include <stdatomic.h>\nunsigned char flag;\nint main(void) {{ return {cast}; }}\n"
    )
    shop.run("gcc main.c -o main")
    shop.run("./main")
    assert shop.calls() == [("native", "-")]
