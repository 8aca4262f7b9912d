"""What the scan for later instructions says of what real compilers and linkers make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.audit.elf_image import ElfImage
from aarch64_wheels.audit.isa import LaterCode, scan
from tests.integration.workshop import REAL, Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.engine.api import Session
    from tests.integration.conftest import Accelerated

COUNT = """
#include <stdatomic.h>
_Atomic long count;
long step(void) { return atomic_fetch_add(&count, 3); }
"""
SUM = """
void add(int *to, const int *from, int n) {
  for (int i = 0; i < n; ++i) if (from[i] > 0) to[i] += from[i];
}
"""
CHECKED = """
#include <sys/auxv.h>
__attribute__((target("+crc"))) unsigned quick(unsigned seed, const char *data, int size) {
  for (int i = 0; i < size; ++i) seed = __builtin_aarch64_crc32b(seed, data[i]);
  return seed;
}
unsigned check(unsigned seed, const char *data, int size) {
  if (getauxval(AT_HWCAP) & 1 << 7) return quick(seed, data, size);
  while (size--) seed = seed * 31 + *data++;
  return seed;
}
"""
UNCHECKED = CHECKED.replace("getauxval(AT_HWCAP)", "getauxval(AT_PAGESZ)")
CHOSEN = """
__attribute__((target("+sve"))) int wide(void) { long n; __asm__("cntd %0" : "=r"(n)); return n; }
static int narrow(void) { return 1; }
static int (*choose(unsigned long bits))(void) { return bits & 1 << 22 ? wide : narrow; }
int width(void) __attribute__((ifunc("choose")));
"""
THROW = """
#include <map>
#include <string>
#include <thread>
std::map<std::string, int> known;
int find(const char *name) try { return known.at(name); } catch (...) { return 0; }
void run() { std::thread([] { find("x"); }).join(); }
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A source, how it is compiled, and what is said of it.

    `functions` are those named as using `feature` unguarded.
    """

    source: str
    options: str = ""
    features: tuple[str, ...]
    detection: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()


CASES = {
    "outline-atomics": Case(source=COUNT, features=("FEAT_LSE",)),
    "plain-atomics": Case(source=COUNT, options="-mno-outline-atomics", features=()),
    "later-atomics": Case(
        source=COUNT, options="-march=armv8.1-a", features=("FEAT_LSE",), functions=("step",)
    ),
    "vectors": Case(
        source=SUM, options="-march=armv8.2-a+sve", features=("FEAT_SVE",), functions=("add",)
    ),
    "vectors-and-outline-atomics": Case(
        source=SUM + COUNT,
        options="-march=armv8-a+sve -moutline-atomics",
        features=("FEAT_LSE", "FEAT_SVE"),
        functions=("add",),
    ),
    "checked": Case(
        source=CHECKED, features=("FEAT_CRC32",), detection=("calls getauxval in 1 function",)
    ),
    "checked-and-outline-atomics": Case(
        source=CHECKED + COUNT,
        features=("FEAT_CRC32", "FEAT_LSE"),
        detection=("calls getauxval in 1 function",),
    ),
    "checked-for-something-else": Case(
        source=UNCHECKED, features=("FEAT_CRC32",), functions=("quick",)
    ),
    "chosen-by-the-loader": Case(
        source=CHOSEN, features=("FEAT_SVE",), detection=("has indirect functions",)
    ),
}


@pytest.fixture(scope="module")
def session(accelerated: Accelerated) -> Iterator[Session]:
    with accelerated() as session:
        yield session


@pytest.fixture
def shop(session: Session, request: pytest.FixtureRequest) -> Workshop:
    return Workshop.of_test(session, request.node.name)


def _scan(shop: Workshop) -> LaterCode:
    stream = shop.elf("part.so").stream
    stream.seek(0)
    return scan(ElfImage(stream.read()))


@pytest.mark.parametrize("compiler", ["cc", f"{REAL}/gcc"], ids=["native", "gcc"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_compilers_make(shop: Workshop, compiler: str, case: Case) -> None:
    shop.write(part_c=case.source)
    shop.run(f"{compiler} -shared -fPIC -O3 {case.options} part.c -o part.so -s")
    result = _scan(shop)
    print(result)
    assert result.features == case.features
    assert result.detection == case.detection
    assert {use.function for use in result.unguarded} == set(case.functions)


@pytest.mark.parametrize("compiler", ["c++", f"{REAL}/g++"], ids=["native", "gcc"])
def test_a_runtime_that_is_linked_in_is_fine(shop: Workshop, compiler: str) -> None:
    shop.write(part_cpp=THROW)
    static = "-static-libgcc -static-libstdc++ -Wl,--whole-archive -lgcc_eh -Wl,--no-whole-archive"
    shop.run(f"{compiler} -shared -fPIC -O2 part.cpp -o part.so {static}")
    result = _scan(shop)
    print(result)
    assert "FEAT_LSE" in result.features
    assert result.unguarded == ()
