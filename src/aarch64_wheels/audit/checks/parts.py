"""What is in the wheel besides its own code, and what should not be."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from aarch64_wheels.audit.catalogue import found
from aarch64_wheels.text import some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.audit.archive import WheelContent
    from aarch64_wheels.audit.model import Finding

# auditwheel puts a hash into the names of libraries that it grafts: `libz-1a2b3c4d.so.1`.
_GRAFT = re.compile(r"-[0-9a-f]{8}(?=\.)")
# glibc's parts, musl's library and the loaders: they are one with the loader of the process.
_SYSTEM = re.compile(
    r"(?:lib(?:c|m|mvec|dl|rt|pthread|util|resolv|anl|thread_db|nss_\w+)(?:-2\.\d+)?\.so(?:\.\d+)?"
    r"|ld-linux-aarch64\.so\.\d|ld-2\.\d+\.so|(?:libc|ld)[.-]musl-aarch64\.so\.1)"
)
_PYTHON = re.compile(r"libpython[23]?(?:\.\d+)?\w*\.so(?:\.[\d.]+)?")
_WORDS = re.compile(r"[a-z]{3,}")
#: So many letters of a library's name are looked for.
_STEM = 5
#: Libraries that are not called after their project.
_FAMILIES = {
    "zmq": "zeromq",
    "sharpyuv": "webp",
    "webpdemux": "webp",
    "webpmux": "webp",
    "avcodec": "ffmpeg",
    "avformat": "ffmpeg",
    "avutil": "ffmpeg",
    "avfilter": "ffmpeg",
    "swscale": "ffmpeg",
    "swresample": "ffmpeg",
}
#: The libraries of GCC, and how their licence is called wherever it stands.
_OF_GCC = frozenset({"gfortran", "quadmath", "gomp", "stdc++", "gcc_s", "atomic"})
_GCC_LICENCE = b"gcc runtime library exception"
#: Bytes of debug information that musl's start files bring into every object.
_START_FILES = 1024
#: Bytes of licence texts, and grafted libraries, that are compared.
_MAX_TOLD, _MAX_GRAFTED = 4 << 20, 200
#: Of a library's name, the longest that a file can have, and the most words of it.
_LONGEST, _MAX_WORDS = 255, 8
_SHOWN = 4


def forbidden(content: WheelContent) -> Iterator[Finding]:
    """Find libraries that must be the system's or the interpreter's own."""
    for name, facts in content.objects.items():
        plain = _plain(name)
        if _SYSTEM.fullmatch(plain) or _PYTHON.fullmatch(plain):
            message = f"{name} must not be in a wheel"
            yield found("forbidden-library", message, evidence=plain, file=name)
        for needed in facts.needed:
            if _PYTHON.fullmatch(_GRAFT.sub("", needed)):
                message = f"{name} asks for {needed}, which not every interpreter has"
                evidence = f"NEEDED {needed}"
                yield found(
                    "forbidden-library", message, evidence=evidence, file=name, section=".dynamic"
                )


def leftovers(content: WheelContent) -> Iterator[Finding]:
    """Find what only the build machine had a use for."""
    for name, facts in content.objects.items():
        if facts.debug_size > _START_FILES:
            message = f"{name} holds debug information"
            evidence = f"{facts.debug_size} bytes"
            yield found("debug-info", message, evidence=evidence, file=name, section=".debug_*")
        for left in facts.build_paths:
            message = f"{name} names source files of the machine it was built on"
            evidence = left.first if left.count == 1 else f"{left.first}, {left.count} in all"
            yield found("build-path", message, evidence=evidence, file=name, section=left.section)


def bills(content: WheelContent) -> Iterator[Finding]:
    """Find grafted libraries of which no bill of materials names a package (PEP 770)."""
    if not content.grafted:
        return
    texts = [text for name, text in content.texts.items() if "/sboms/" in name]
    if not any(_names_package(text) for text in texts):
        names = sorted(_plain(name) for name in content.grafted)
        message = "the bill of materials names no package of the grafted libraries"
        bills = f"{len(texts)} bills" if texts else "there is no bill"
        evidence = f"{bills}; grafted: {some(names, _SHOWN)}"
        yield found("sbom", message, evidence=evidence, file=f"{content.info}/sboms")


def _names_package(text: bytes) -> bool:
    """Tell whether a CycloneDX bill has a package of a system among its parts."""
    try:
        rows = json.loads(text).get("components")
    except (ValueError, AttributeError, RecursionError):
        return False
    urls = (
        [row.get("purl") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    )
    return any(isinstance(url, str) and _is_of_system(url) for url in urls)


def _is_of_system(url: str) -> bool:
    """Whether a package URL is of something that brings shared libraries (purl's types)."""
    return url.startswith(("pkg:deb/", "pkg:rpm/", "pkg:apk/", "pkg:alpm/", "pkg:conan/"))


def licences(content: WheelContent) -> Iterator[Finding]:
    """Find grafted libraries that no licence text or bill of the wheel mentions."""
    told = b"\n".join(_told(content))[:_MAX_TOLD]
    own = set(_WORDS.findall(content.name.lower()))
    grafted = list(content.grafted)[:_MAX_GRAFTED]
    missing = [name for name in grafted if not _mentions(told, name, own)]
    if missing:
        message = "no licence text in the wheel mentions a grafted library"
        evidence = some(sorted({_plain(name) for name in missing}), _SHOWN)
        yield found("licence", message, evidence=evidence, file=missing[0])


def _told(content: WheelContent) -> Iterator[bytes]:
    """Give the names and texts of files in `.dist-info` that may hold licences."""
    for name, text in content.texts.items():
        rest = name.removeprefix(f"{content.info}/").lower()
        if rest.startswith("sboms/"):
            yield _licensed(text)
        elif rest.startswith(("licen", "copying", "notice", "copyright", "authors")):
            # The words of a licence's name are broken over lines at will.
            yield b" ".join([rest.encode(), *text.lower().split()])


def _licensed(text: bytes) -> bytes:
    """Give those parts of a bill that come with a licence."""
    try:
        rows: Any = json.loads(text).get("components")
        return json.dumps([row for row in rows if row.get("licenses")]).lower().encode()
    except (ValueError, AttributeError, TypeError, RecursionError):
        return b""


def _mentions(text: bytes, name: str, own: set[str]) -> bool:
    stem = _plain(name)[:_LONGEST].partition(".so")[0].removeprefix("lib").lower()
    if stem in _OF_GCC and _GCC_LICENCE in text:
        return True
    words = [word for word in dict.fromkeys(_WORDS.findall(stem)) if word not in own][:_MAX_WORDS]
    # The parts of a project are called after it: `brotlicommon`, `hdf5_hl`, `png16`.
    known = [_FAMILIES[word] for word in words if word in _FAMILIES]
    return any(word.encode() in text for word in [*known, *(word[:_STEM] for word in words), stem])


def _plain(name: str) -> str:
    """Give a library's file name as it was before auditwheel put a hash in."""
    return _GRAFT.sub("", name.rpartition("/")[2])
