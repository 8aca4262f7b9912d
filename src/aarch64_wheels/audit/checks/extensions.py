"""Whether an interpreter finds the wheel's extensions, can load them, and can call them."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.audit.catalogue import found
from aarch64_wheels.audit.model import Level
from aarch64_wheels.audit.suffix import tagged_stem, wrong_suffix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.audit.archive import WheelContent
    from aarch64_wheels.audit.elf import ElfFacts
    from aarch64_wheels.audit.model import Finding

#: What an extension may define: PEP 3121 and 489, and since Python 3.15 PEP 793.
_HOOKS = ("PyInit", "PyModExport")
#: Kinds of ELF files that no process of the wheel loads as they are.
_DATA = frozenset({"ET_REL", "ET_EXEC", "ET_CORE"})


def machines(content: WheelContent) -> Iterator[Finding]:
    """Find ELF files that are broken, or of another machine."""
    for name, facts in content.elfs.items():
        if isinstance(facts, str):
            yield found("elf", f"{name} can't be read as ELF", evidence=facts, file=name)
        elif facts.cut:
            message = f"{name} is cut off, and the loader refuses it"
            yield found("elf", message, evidence=facts.cut, file=name, section="LOAD")
        elif not facts.is_aarch64:
            # Programs for other machines may be data (a debugger's test files, say).
            yield found(
                "machine",
                f"{name} is not AArch64 code",
                evidence=facts.describe(),
                file=name,
                section="ELF header",
                level=Level.WARNING if facts.is_program or facts.kind in _DATA else None,
            )


def suffixes(content: WheelContent) -> Iterator[Finding]:
    """Find extensions that no interpreter of the wheel's tags would import."""
    for name in content.names:
        if expected := wrong_suffix(name, content.tags):
            message = (
                f"{name} would not be imported: no interpreter of the wheel's tag has that suffix"
            )
            yield found("suffix", message, evidence=f"expected {expected}", file=name)


def init_functions(content: WheelContent) -> Iterator[Finding]:
    """Find extensions without the function that importing them calls.

    A file that has the interpreter's suffix and uses nothing of Python is no extension but a plain
    library: some builds name them so, and `ctypes` loads them all the same.
    """
    for name, facts in content.objects.items():
        wanted = _init_functions(name)
        uses_python = any(one.startswith(("Py", "_Py")) for one in facts.imports)
        if wanted and uses_python and not wanted & facts.exports:
            yield found(
                "init-function",
                f"{name} does not define {min(wanted)}",
                evidence=_defined(facts),
                file=name,
                section=".dynsym",
                symbol=min(wanted),
            )


def _init_functions(name: str) -> frozenset[str]:
    """Name what importing a member may call; nothing if it is not known to be an extension."""
    stem = tagged_stem(name)
    if stem is None:
        return frozenset()
    # A compiled package is called by the package's name.
    stems = {stem, PurePosixPath(name).parent.name} - {""} if stem == "__init__" else {stem}
    return frozenset(f"{hook}{_mangled(one)}" for hook in _HOOKS for one in stems)


def _mangled(stem: str) -> str:
    """Give the rest of the function's name; names beyond ASCII are in Punycode (PEP 489)."""
    if stem.isascii():
        return f"_{stem}"
    return "U_" + stem.encode("punycode").decode("ascii").replace("-", "_")


def _defined(facts: ElfFacts) -> str:
    some = sorted(name for name in facts.exports if name.startswith(_HOOKS))
    return f"it defines {', '.join(some[:3])}" if some else "it defines no init function"
