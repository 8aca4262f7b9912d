"""Findings and results made up for the tests of how they are shown."""

from __future__ import annotations

from dataclasses import replace

from aarch64_wheels.audit.catalogue import found
from aarch64_wheels.audit.model import AuditResult, ObjectSummary, SymbolVersion

NAME = "spring-1.0-cp313-cp313-manylinux2014_aarch64.manylinux_2_17_aarch64.whl"
COIL = "spring/_coil.cpython-313-aarch64-linux-gnu.so"

SVE = found(
    "cpu-baseline",
    f"{COIL} has SVE instructions that nothing guards",
    evidence="ptrue p0.b at 0x4a0",
    file=COIL,
    section=".text",
    symbol="step",
)
SUFFIX = found("suffix", "spring/_b.so is never imported", file="spring/_b.so")
DEBUG = tuple(
    found("debug-info", "holds debug information", file=f"spring/_{number}.so", section=".debug_*")
    for number in range(9)
)
VERSIONS = (
    SymbolVersion(name="GLIBC", version="2.17", file=COIL, symbol="memcpy"),
    SymbolVersion(name="GLIBCXX", version="3.4.19", file=COIL, symbol=""),
    SymbolVersion(name="GCC", version="3.0", file="spring.libs/libx.so", symbol="__eqtf2"),
)
GOOD = AuditResult(
    filename=NAME,
    tags=("cp313-cp313-manylinux2014_aarch64", "cp313-cp313-manylinux_2_17_aarch64"),
    policy="manylinux_2_17_aarch64",
    findings=(),
    versions=VERSIONS,
    objects=(
        ObjectSummary(
            file=COIL, producers=("GCC: (GNU) 10.2.1",), later=("FEAT_SVE",), detection=("ifunc",)
        ),
    ),
)
BAD = replace(GOOD, findings=(SVE, SUFFIX, *DEBUG))

#: What a wheel's author may write into names, to be taken for something else where it is shown.
HOSTILE = {
    "escape": "\x1b]0;owned\x07\x1b[31mred",
    "command": "::error::owned",
    "old-command": "##[add-mask]e",
    "lines": "a\n::error::b\r\nc",
    "cells": "a | b | c",
    "html": "</details><script>x</script>",
    "markdown": "[a](https://evil.example) ![b](c) @someone",
    "long": "x" * 60_000,
    "surrogate": "a\udc80b",
    "direction": "a\u202egnp.exe",
}


def hostile(text: str) -> AuditResult:
    """A result in which every text of the wheel's author is this one."""
    finding = replace(SVE, message=text, evidence=text, file=text, section=text, symbol=text)
    version = SymbolVersion(name=text, version=text, file=text, symbol=text)
    return replace(GOOD, filename=text, findings=(finding,), versions=(version,))
