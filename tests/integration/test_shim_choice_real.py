"""The shim in the embedded image: which calls clang serves, and which the image's own GCC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.native.places import COMPILERS
from tests.integration.workshop import REAL, Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.engine.api import Session
    from tests.integration.conftest import Accelerated


@pytest.fixture(scope="module")
def session(accelerated: Accelerated) -> Iterator[Session]:
    with accelerated() as session:
        yield session


@pytest.fixture
def shop(session: Session, request: pytest.FixtureRequest) -> Workshop:
    return Workshop.of_test(session, request.node.name)


OMP = """
#include <omp.h>
#include <stdio.h>
int main(void) {
  int sum = 0;
#pragma omp parallel for reduction(+ : sum)
  for (int i = 0; i < 100; i++) sum += i;
  printf("%d %d\\n", sum, _OPENMP > 0);
}
"""


def test_openmp_is_compiled_by_gcc_and_linked_natively(shop: Workshop) -> None:
    shop.write(omp_c=OMP)
    shop.run("gcc -O2 -fopenmp -c omp.c")
    shop.run("gcc -fopenmp omp.o -o omp")
    assert shop.run("./omp") == "4950 1\n"
    assert shop.calls() == [("fallback", "openmp"), ("native", "-")]


def test_fortran_is_compiled_by_gcc(shop: Workshop) -> None:
    shop.write(f_f90="program f\n  print *, 6 * 7\nend program f\n")
    shop.run("gfortran -O2 f.f90 -o f")
    assert shop.run("./f").strip() == "42"
    assert shop.calls() == [("fallback", "fortran")]


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("#include <nope.h>\n", ""),
        ("int main(void) { return nope; }\n", ""),
        ("int nope(void);\nint main(void) { return nope(); }\n", ""),
        ("int main(void) { return 0 }\n", ""),
        ("int a[sizeof(int) == 8 ? 1 : -1];\n", "-c"),
        ("int main(void) { nope(); return 0; }\n", "-Werror=implicit-function-declaration"),
        ("int main(void) { return 0; }\n", "-lnope"),
        ("int main(void) { return 0; }\n", "-fnope"),
        ("int main(void) { return 0; }\n", "-Wnope"),
        ("int main(void) { return 0; }\n", "-msse2"),
        ("int main(void) { return 0; }\n", "-march=x86-64"),
        ("int main(void) { return 0; }\n", "-Wl,--nope"),
        ("#error not this one\n", "-c"),
        ("struct s { int a; }; int f(struct s x) { return x.nope; }\n", "-c"),
    ],
    ids=lambda value: value.strip().splitlines()[-1] if value.strip() else "-",
)
def test_probes_that_fail_cost_no_fallback(shop: Workshop, source: str, options: str) -> None:
    """GCC gives the same verdict, which only costs seconds to hear."""
    shop.write(conftest_c=source)
    shop.fails(f"gcc conftest.c -o conftest {options}")
    shop.fails(f"{REAL}/gcc conftest.c -o conftest {options}")
    assert {how for how, _ in shop.calls()} == {"native"}


VLA_IN_STRUCTURE = """
void g(int n) { struct { int a[n]; } s; s.a[0] = 1; (void)s; }
int main(void) { g(1); return 0; }
"""
BUILTIN_APPLY = """
int f(int a, int b) { return a + b; }
int g(int a, int b) {
  __builtin_return(__builtin_apply((void (*)())f, __builtin_apply_args(), 64));
}
int main(void) { return g(1, -1); }
"""


@pytest.mark.parametrize(
    ("source", "options", "reason"),
    [
        ("int main(void) { int f(int a) { return a; } return f(0); }", "", "nested-function"),
        (VLA_IN_STRUCTURE, "", "vla-in-struct"),
        (BUILTIN_APPLY, "-O0", "builtin __builtin_apply_args"),
        ("int main(void) { return 0; }", "-fkeep-inline-functions", "-fkeep-inline-functions"),
    ],
    ids=["nested function", "VLA in a structure", "builtin", "option"],
)
def test_what_only_gcc_accepts_is_built(
    shop: Workshop, source: str, options: str, reason: str
) -> None:
    shop.write(only_c=source)
    shop.run(f"gcc {options} only.c -o only")
    shop.run("./only")
    assert shop.calls() == [("fallback", reason)]


def test_options_of_gcc_alone_are_taken(shop: Workshop) -> None:
    shop.write(x_c="int main(void) { return 0; }\n")
    shop.run(
        "gcc -Wall -Wextra -Werror -Wlogical-op -Wmaybe-uninitialized -Wimplicit-fallthrough=3"
        " -Wno-nonesuch -Wformat=2 -fno-semantic-interposition -fno-tree-vectorize -fipa-pta"
        " -flto-partition=none --param max-inline-insns-single=9 -fstack-protector-strong"
        " -fstack-clash-protection -fno-plt -Og -g3 -specs=/usr/lib/rpm/redhat/redhat-hardened-cc1"
        " -c x.c"
    )
    assert shop.calls() == [("native", "-")]


def test_queries_are_answered_as_gcc_does(shop: Workshop) -> None:
    for question in (
        *("-dumpmachine", "-dumpversion", "-dumpfullversion", "-print-search-dirs"),
        *("-print-multiarch", "-print-libgcc-file-name", "-print-prog-name=ld"),
        *("-print-prog-name=cc1", "-print-file-name=nowhere.a", "-print-multi-directory"),
    ):
        assert shop.run(f"gcc {question}") == shop.run(f"{REAL}/gcc {question}"), question
    assert shop.run("gcc --version").startswith("clang version ")


def test_compilers_come_first_on_path(shop: Workshop) -> None:
    assert shop.run("which gcc").strip() == f"{COMPILERS}/gcc"
