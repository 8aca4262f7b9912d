"""Which compiler made what: read from the record that the shim keeps of its calls.

A project's build can write anything into that record. So nothing in it is trusted: what is not
a line of a call is passed over, and sizes have limits.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from aarch64_wheels.native.places import CALLS
from aarch64_wheels.report.model import CallSummary, ObjectRecord
from aarch64_wheels.text import clean, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aarch64_wheels.engine.api import Session

#: How much of a record is read, in bytes, and how many inputs of calls in all.
MAX_BYTES = 16 << 20
MAX_INPUTS = 200_000

#: What stands for a compiler where none was recorded.
UNKNOWN = "unknown"

_REASONS = 5
_MAX_REASON = 60
#: Linux's PATH_MAX: a longer name is no file's.
_MAX_NAME = 4096
#: Of files with one base name, how many of the latest are compared by their directories.
_MAX_NAMESAKES = 8
_NONE = "-"
#: how, tool, status, milliseconds, reason, flags' hash, working directory, output.
_FIELDS = 8
_STATUS = re.compile(r"-?[0-9]{1,5}")
_MILLISECONDS = re.compile(r"[0-9]{1,9}")

#: Tools whose inputs are never sources.
_BINARY_TOOLS = frozenset({"ld", "ar", "ranlib", "strip", "objcopy", "nm"})
_OBJECTS = (".o", ".obj", ".lo", ".os", ".a", ".lib")
_VERSION = re.compile(r"(\.[0-9A-Za-z_]+)*")
_NOT_CODE = (".ld", ".lds", ".map", ".ver", ".version", ".sym", ".syms", ".exp", ".def", ".list")
# Start files and libraries that come with the image; what was built is never there unrecorded.
_OF_THE_IMAGE = ("/usr/", "/lib/", "/lib64/", "/opt/")
# auditwheel names a library that it copies into a wheel `libz-1a2b3c4d.so.1`.
_VENDORED = re.compile(r"-[0-9a-f]{8}(?=\.so)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call of a compiler, linker or archiver.

    Attributes:
        native: served by the native tools, not by the image's own program.
        tool: `cc`, `c++`, `cpp`, `ld`, `ar`, `ranlib` and the like.
        status: its exit status; milliseconds: its wall time.
        reason: why it fell back, empty for a native call.
        output: absolute path of the file it made, empty where it named none.
        inputs: absolute paths of sources, objects and archives.
        directory: where it ran.
    """

    native: bool
    tool: str
    status: int
    milliseconds: int
    reason: str
    output: str
    inputs: tuple[str, ...]
    directory: str


def reset_calls(session: Session) -> None:
    """Begin an empty record. Any user of the container may build, and so add to it."""
    session.write(CALLS, b"", mode=0o666)


def parse_calls(record: bytes) -> tuple[Call, ...]:
    """Read the record of calls, in the order they ended.

    Args:
        record: the bytes of the file; what is beyond `MAX_BYTES` is left out. Lines that are
            not a call are passed over.
    """
    lines = record[:MAX_BYTES].decode("utf-8", "replace").split("\n")
    if len(record) > MAX_BYTES:
        lines.pop()  # cut in two
    calls, left = [], MAX_INPUTS
    for line in lines:
        call = _parse(line)
        if call and len(call.inputs) <= left:
            calls.append(call)
            left -= len(call.inputs)
    return tuple(calls)


def summarize(calls: Iterable[Call]) -> CallSummary:
    """Count calls and add up their times, with the most frequent reasons of fallbacks."""
    counts: Counter[bool] = Counter()
    times: Counter[bool] = Counter()
    reasons: Counter[str] = Counter()
    failed = 0
    for call in calls:
        counts[call.native] += 1
        times[call.native] += call.milliseconds
        failed += call.status != 0
        if not call.native:
            reasons[call.reason] += 1
    return CallSummary(
        native=counts[True],
        fallback=counts[False],
        failed=failed,
        native_seconds=times[True] / 1000,
        fallback_seconds=times[False] / 1000,
        reasons=_most_frequent(reasons),
    )


def trace(
    calls: Iterable[Call], members: Iterable[str], *, native: str, fallback: str
) -> tuple[ObjectRecord, ...]:
    """Find what compiled each ELF file of a wheel.

    A file is followed from the call that linked it, over archives and partial links, to the
    calls that compiled its objects. A file that was renamed or moved in between is known by
    its base name and as much of its directory as agrees.

    Args:
        calls: in the order they ended, as `parse_calls` gives them.
        members: the paths of the ELF files in the wheel.
        native: the name of the native compiler, such as `clang 21.1`.
        fallback: the name of the image's own compiler, such as `gcc 10.2`.
    """
    made = _Made()
    for call in calls:
        if call.status == 0:
            made.add(call, native if call.native else fallback)
    return tuple(ObjectRecord(path=clean(path), compilers=made.of_member(path)) for path in members)


def made_by(members: Iterable[str], compiler: str) -> tuple[ObjectRecord, ...]:
    """Say that one compiler made all ELF files of a wheel: where nothing else could.

    Args:
        members: the paths of the ELF files in the wheel.
        compiler: its name, such as `gcc 10.2`.
    """
    return tuple(ObjectRecord(path=clean(path), compilers=(compiler,)) for path in members)


def _parse(line: str) -> Call | None:
    how, *rest = line.split("\t")
    if how not in ("native", "fallback") or len(rest) < _FIELDS - 1:
        return None
    tool, status, milliseconds, reason, _, directory, output, *inputs = rest
    if not (_STATUS.fullmatch(status) and _MILLISECONDS.fullmatch(milliseconds)):
        return None
    if any(len(name) > _MAX_NAME for name in (directory, output, *inputs)):
        return None
    return Call(
        native=how == "native",
        tool=tool,
        status=int(status),
        milliseconds=int(milliseconds),
        reason="" if reason == _NONE else reason,
        output="" if output == _NONE else _absolute(directory, output),
        inputs=tuple(_absolute(directory, name) for name in inputs if name),
        directory=directory,
    )


def _absolute(directory: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(directory, name))


def _most_frequent(reasons: Counter[str]) -> tuple[tuple[str, int], ...]:
    cleaned: Counter[str] = Counter()
    for reason, count in reasons.items():
        cleaned[one_line(reason[: 4 * _MAX_REASON])[:_MAX_REASON] or UNKNOWN] += count
    first = sorted(cleaned.items(), key=lambda item: (-item[1], item[0]))
    return tuple(first[:_REASONS])


class _Made:
    """Every file that recorded calls made, with the compilers of the code in it.

    Calls are recorded when they end, so that what a link uses was added before it.
    """

    def __init__(self) -> None:
        self._compilers: dict[str, frozenset[str]] = {}
        self._namesakes: dict[str, dict[str, None]] = {}

    def add(self, call: Call, compiler: str) -> None:
        """Take in one call that went well."""
        code: set[str] = set()
        for name in dict.fromkeys(call.inputs):
            code |= {compiler} if _is_source(call, name) else self._of_input(name)
        if call.output:
            # `ar` adds to what the archive holds.
            before = self._compilers.get(call.output) if call.tool == "ar" else None
            self._put(call.output, frozenset(code.union(before or ())))
        elif call.tool != "cpp":
            self._add_default_outputs(call, compiler)

    def _add_default_outputs(self, call: Call, compiler: str) -> None:
        """Take `cc -c a.c` to write a.o where it runs; it may have been a mere `cc -E a.c`."""
        for name in call.inputs:
            if _is_source(call, name):
                stem = posixpath.splitext(posixpath.basename(name))[0]
                path = _absolute(call.directory, f"{stem}.o")
                self._put(path, self._compilers.get(path, frozenset()) | {compiler})

    def of_member(self, path: str) -> tuple[str, ...]:
        """Name the compilers of a wheel's member."""
        plain = _VENDORED.sub("", path)
        found = self._find(path) or self._find(plain) or self._find(_unversioned(plain))
        return tuple(sorted(found)) or (UNKNOWN,)

    def _of_input(self, name: str) -> frozenset[str]:
        """Find the code that an input brings along: a shared library's stays where it is."""
        if _unversioned(name).endswith(".so") or name.endswith(_NOT_CODE):
            return frozenset()
        unknown = () if name.startswith(_OF_THE_IMAGE) else (UNKNOWN,)
        return self._find(name) or frozenset(unknown)

    def _find(self, path: str) -> frozenset[str]:
        """Find a file by its path, or else its namesakes with the most directories in common."""
        if path in self._compilers:
            return self._compilers[path]
        namesakes = self._namesakes.get(posixpath.basename(path), {})
        agreeing = {name: _common_end(name, path) for name in namesakes}
        most = max(agreeing.values(), default=0)
        nearest = (self._compilers[name] for name in namesakes if agreeing[name] == most)
        return frozenset(compiler for compilers in nearest for compiler in compilers)

    def _put(self, path: str, compilers: frozenset[str]) -> None:
        self._compilers[path] = compilers
        base = posixpath.basename(path)
        # A wheel may hold `libx.so.1` of what was linked as `libx.so.1.2`.
        for name in {base, _unversioned(base)}:
            same = self._namesakes.setdefault(name, {})
            same.pop(path, None)  # the latest comes last
            same[path] = None
            if len(same) > _MAX_NAMESAKES:
                del same[next(iter(same))]


def _is_source(call: Call, name: str) -> bool:
    """Tell whether the call compiled this input; a response file (`@args`) was not read."""
    if call.tool in _BINARY_TOOLS or posixpath.basename(name).startswith("@"):
        return False
    return not _unversioned(name).endswith((*_OBJECTS, *_NOT_CODE, ".so"))


def _unversioned(name: str) -> str:
    """Cut `libx.so.1.2` to `libx.so`; other names stay as they are."""
    stem, so, version = name.rpartition(".so")
    return stem + so if so and _VERSION.fullmatch(version) else name


def _common_end(one: str, other: str) -> int:
    """Count the components that two paths have in common, from their ends."""
    pairs = zip(reversed(one.split("/")), reversed(other.split("/")), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
