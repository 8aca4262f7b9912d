"""Sources of the corpus of faulty wheels, and how each object is made of them.

All are compiled in one container of the embedded image: by native clang and lld, where nothing
else is said, for the interpreter whose headers are in the image.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.integration.workshop import REAL

#: The module `NAME`; `answer` is in a source of its own, which is what has the fault.
MODULE = """\
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#ifndef NAME
#define NAME _fast
#endif
#define JOINED(a, b) a##b
#define INIT(name) JOINED(PyInit_, name)
long answer(long);
static PyObject *value(PyObject *self, PyObject *unused) { return PyLong_FromLong(answer(1)); }
static PyMethodDef methods[] = {{"value", value, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_fast", NULL, -1, methods,
    NULL, NULL, NULL, NULL};
PyMODINIT_FUNC INIT(NAME)(void) { return PyModule_Create(&module); }
"""
PLAIN = """\
#include <stdlib.h>
long answer(long a) { return getenv("FAST") ? a : 1; }
"""
# A loop that is worth vectors, over data that no compiler knows.
_LOOP = """\
#include <stdlib.h>
int first[512], second[512];
%s int sum(int *restrict a, const int *restrict b, long n) {
    for (long i = 0; i < n; i++) a[i] = a[i] * b[i] + b[i];
    return a[0];
}
"""
VECTORS = _LOOP % "__attribute__((noinline))" + (
    'long answer(long a) { return getenv("FAST") ? sum(first, second, a) : a; }\n'
)
ATOMICS = """\
#include <stdlib.h>
static long counter;
long answer(long a) {
    return __atomic_fetch_add(&counter, a, __ATOMIC_SEQ_CST) + atol(getenv("FAST"));
}
"""
#: The vectors, and atomics that ask for themselves alone.
BOTH = """\
#define answer vectors
#include "vectors.c"
#undef answer
static long counter;
long answer(long a) { return __atomic_fetch_add(&counter, vectors(a), __ATOMIC_SEQ_CST); }
"""
_TARGET = '__attribute__((noinline, target("sve")))'
#: The vectors again, where the kernel says that the processor has them.
ASKING = (
    _LOOP % _TARGET
    + """\
#include <sys/auxv.h>
long answer(long a) {
    if (getauxval(AT_HWCAP) & (1 << 22)) return sum(first, second, a);
    return a;
}
"""
)
#: The vectors again, where the loader has asked: GNU's indirect functions.
INDIRECT = (
    _LOOP % _TARGET
    + """\
static int plain(int *a, const int *b, long n) { return *a + *b + n; }
static void *choose(unsigned long hwcap) { return hwcap & (1 << 22) ? sum : plain; }
int chosen(int *, const int *, long) __attribute__((ifunc("choose")));
long answer(long a) { return getenv("FAST") ? chosen(first, second, a) : a; }
"""
)
POWER = """\
#include <math.h>
#include <stdlib.h>
long answer(long a) { return pow(a, atof(getenv("FAST"))); }
"""
#: What libstdc++ calls where an assertion fails, since GCC 12.
ASSERTION = """\
#include <cstdlib>
namespace std {
[[noreturn]] void __glibcxx_assert_fail(const char *, int, const char *, const char *) noexcept;
}
extern "C" long answer(long a) {
    if (a < std::atol(std::getenv("FAST"))) std::__glibcxx_assert_fail("fast", 1, "answer", "a");
    return a;
}
"""
#: A number in the middle of the code, which only the loader can write there.
ABSOLUTE = """\
    .text
    .globl where
where:
    .quad answer
    .section .note.GNU-stack,"",%progbits
"""
#: Code in a section that is for data too.
WRITABLE = """\
    .section .hot,"awx",%progbits
    .globl where
where:
    ret
    .section .note.GNU-stack,"",%progbits
"""
#: What is no part of the limited API.
UNLIMITED = """\
#include <Python.h>
#include <stdlib.h>
long answer(long a) { return PyCode_NewEmpty("a", "b", atol(getenv("FAST"))) ? 0 : a; }
"""
#: The build's directory, as `__FILE__` in an assertion has it.
PLACE = """\
#include <stdio.h>
#include <stdlib.h>
long answer(long a) { return getenv("FAST") ? puts("/home/builder/fast/src/place.c") : a; }
"""
HELPED = "long help(long);\nlong answer(long a) { return help(a); }\n"
HELP = """\
#include <stdlib.h>
long help(long a) { return getenv("FAST") ? a : 1; }
"""
FOREIGN = "int f(int a) { return a + 1; }\nint _start(void) { return 0; }\n"

SOURCES = {
    "module_c": MODULE,
    "plain_c": PLAIN,
    "vectors_c": VECTORS,
    "atomics_c": ATOMICS,
    "both_c": BOTH,
    "asking_c": ASKING,
    "indirect_c": INDIRECT,
    "power_c": POWER,
    "assertion_cpp": ASSERTION,
    "absolute_s": ABSOLUTE,
    "writable_s": WRITABLE,
    "unlimited_c": UNLIMITED,
    "place_c": PLACE,
    "helped_c": HELPED,
    "help_c": HELP,
    "foreign_c": FOREIGN,
}
_COMMON = "-O3 -g0 -fPIC -shared -ffile-prefix-map=/shim-test=."
_EXTENSION = f"{_COMMON} -I/usr/include/python3.13 module.c"
_SYSTEM = "/usr/lib/aarch64-linux-gnu"


@dataclass(frozen=True, kw_only=True)
class Object:
    """How an object is made: a compiler with its words, and a link after it where it makes none."""

    words: str
    compiler: str = "gcc"
    link: str = ""

    def commands(self, name: str) -> list[str]:
        made = f"{self.compiler} {self.words} -o {name}.{'o' if self.link else 'so'}"
        return [made, f"{self.link} {name}.o -o {name}.so"] if self.link else [made]


def _extension(source: str, options: str = "", compiler: str = "gcc") -> Object:
    return Object(words=f"{_EXTENSION} {source} {options}".strip(), compiler=compiler)


def _library(soname: str, compiler: str = "gcc") -> Object:
    """A library that `help` is in, under any name."""
    return Object(words=f"{_COMMON} help.c -Wl,-soname,{soname}", compiler=compiler)


def _foreign(kind: str) -> Object:
    """Code for the other machine, by the compiler behind the shim, without a C library."""
    words = "clang --target=x86_64-linux-gnu -O2 -g0 -fPIC -c foreign.c"
    link = f"/native/zig/zig ld.lld -m elf_x86_64 -z max-page-size=65536 {kind}"
    return Object(words=words, compiler="/native/zig/zig", link=link)


#: In this order: later ones link earlier ones.
OBJECTS = {
    "good": _extension("plain.c"),
    "gcc": _extension("plain.c", compiler=f"{REAL}/gcc"),
    "foreign": _foreign("-shared"),
    "foreign-program": _foreign("-static"),
    "other-init": _extension("plain.c", "-DNAME=_other"),
    "libhelp": _library("libhelp-1a2b3c4d.so.1"),
    "libmusl": _library("libc.musl-aarch64.so.1"),
    "libpython": _library("libpython3.13.so.1.0"),
    "libc": _library("libc-1a2b3c4d.so.6"),
    "grafted": _extension("helped.c", "./libhelp.so -Wl,-rpath,$ORIGIN/../fast.libs"),
    "musl": _extension("helped.c", "./libmusl.so -nostdlib"),
    "links-python": _extension("helped.c", "./libpython.so"),
    "grafted-python": _extension("helped.c", "./libpython.so -Wl,-rpath,$ORIGIN/../fast.libs"),
    "grafted-libc": _extension("helped.c", "./libc.so -Wl,-rpath,$ORIGIN/../fast.libs"),
    "new-glibc": _extension("power.c", f"{_SYSTEM}/libm.so.6"),
    "new-libstdcxx": _extension("assertion.cpp", f"-w {_SYSTEM}/libstdc++.so.6"),
    "page": _extension("plain.c", "-Wl,-z,max-page-size=4096"),
    "stack": _extension("plain.c", "-Wl,-z,execstack"),
    "absolute": _extension("plain.c absolute.s", "-Wl,-z,notext"),
    "writable": _extension("plain.c writable.s"),
    "rpath-absolute": _extension("plain.c", "-Wl,-rpath,/opt/vendor/lib"),
    "rpath-out": _extension("plain.c", "-Wl,-rpath,$ORIGIN/../../../lib"),
    "sve": _extension("vectors.c", "-march=armv8.2-a+sve"),
    "lse": _extension("atomics.c", "-march=armv8.1-a -mno-outline-atomics"),
    "outline": _extension("atomics.c", "-moutline-atomics"),
    "sve-outline": _extension("both.c", "-march=armv8-a+sve", f"{REAL}/gcc"),
    "asking": _extension("asking.c"),
    "indirect": _extension("indirect.c"),
    "stable": _extension("plain.c", "-DPy_LIMITED_API=0x030b0000"),
    "unstable": _extension("unlimited.c"),
    "debug": _extension("plain.c", "-g3"),
    "place": _extension("place.c"),
}
