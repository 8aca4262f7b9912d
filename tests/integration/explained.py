"""Which differences between a wheel of clang and one of GCC have a reason that is no fault.

Everything else that differs is a finding.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.elf_interface import Import, Interface

#: Symbols of the C library that a compiler may ask for, or not, in place of what the source says,
#: each with what it stands for.
IDIOMS = {
    "bcmp": "clang: memcmp whose result is only compared with 0",
    "memcmp": "GCC: the same; clang also expands short ones",
    "memcpy": "both: copies of structures, expanded up to a size of the compiler's own",
    "memmove": "both: as memcpy, or a loop that moves memory",
    "memset": "both: structures that are set to 0, or a loop that sets memory",
    "strlen": "both: a loop that counts, or the length of a text known beforehand",
    "wcslen": "clang: a loop that counts, in wide characters",
    "stpcpy": "GCC: strcat after strcpy, whose end it knows",
    "strcat": "clang: the same as it is written",
    "memchr": "both: strchr in a text whose length is known beforehand",
    "strchr": "GCC: strlen and strchr are made of each other",
    "putchar": "both: printf of one character",
    "puts": "both: printf of a line",
    "fwrite": "both: fputs or fprintf of a text whose length is known beforehand",
    "fputc": "both: fprintf or fputs of one character",
    "abort": "both: code that cannot be reached is left out, or not",
}
#: A name of C++ that is mangled (Itanium C++ ABI).
_MANGLED = re.compile(r"_Z")
#: A member of `std`, mangled.
_LIBRARY = re.compile(r"_ZN?K?St")


def unexplained_exports(clang: Interface, gcc: Interface) -> set[str]:
    """Give the exported symbols that only one of two builds has, for no reason.

    What is strong in both is compared exactly. An inline function or a template of C++ is weak:
    each file that uses it brings a copy if the compiler did not expand it in place, so which of
    them are there is the choice of each compiler.
    """
    both = (clang.strong | clang.weak, gcc.strong | gcc.weak)
    missing = (clang.strong - both[1]) | (gcc.strong - both[0])
    weak = {name for name in clang.weak ^ gcc.weak if not _MANGLED.match(name)}
    return set(missing | (weak - clang.strong - gcc.strong))


def unexplained_imports(clang: Interface, gcc: Interface) -> set[Import]:
    """Give the symbols that only one of two builds asks for, for no reason."""
    return {symbol for symbol in clang.imports ^ gcc.imports if symbol.name not in IDIOMS}


def unexplained_to_published(clang: Interface, published: Interface) -> set[str]:
    """Give what a project's published wheel exports, and a build of clang does not, for no reason.

    Of the C++ library, which is of another version there, all is left out.
    """
    missing = published.strong - clang.strong - clang.weak
    return {name for name in missing if not _LIBRARY.match(name)}
