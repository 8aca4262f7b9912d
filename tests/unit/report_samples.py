"""A run with one target of each kind, for the tests of what is told of it."""

from __future__ import annotations

from dataclasses import replace

from aarch64_wheels.audit.model import Finding, Level, SymbolVersion
from aarch64_wheels.plan import Image, Interpreter, Plan, Target
from aarch64_wheels.report.model import (
    CallSummary,
    ObjectRecord,
    Report,
    Stage,
    StageRecord,
    Status,
    TargetRecord,
    ToolRecord,
    WheelRecord,
)
from aarch64_wheels.settings.schema import Backend, Compiler, Mode

GOOD, BAD = "cp313-manylinux_aarch64", "cp39-manylinux_aarch64"
WHEEL = "spring-1.0-cp313-cp313-manylinux2014_aarch64.manylinux_2_17_aarch64.whl"

BUILT = StageRecord(stage=Stage.BUILD, status=Status.OK, seconds=83.2)
BROKEN = StageRecord(stage=Stage.BUILD, status=Status.FAILED, seconds=3.4)

OK_TARGET = TargetRecord(
    identifier=GOOD,
    status=Status.OK,
    stages=(StageRecord(stage=Stage.ENVIRONMENT, status=Status.OK, seconds=1.25), BUILT),
    wheel=WheelRecord(
        filename=WHEEL, sha256="0" * 64, size=1_300_000, policy="manylinux_2_17_aarch64"
    ),
    log=f"logs/{GOOD}.log",
)
FAILED_TARGET = TargetRecord(
    identifier=BAD,
    status=Status.FAILED,
    stages=(BROKEN,),
    error="`gcc` ended with status 1\nfound: no such header",
    log=f"logs/{BAD}.log",
)


NEVER = tuple(
    StageRecord(stage=stage, status=Status.NOT_RUN, seconds=0.0)
    for stage in (Stage.REPAIR, Stage.AUDIT)
)
CUT_SHORT = replace(FAILED_TARGET, stages=(BROKEN, *NEVER))


OPENMP = CallSummary(
    native=31,
    fallback=3,
    failed=1,
    native_seconds=4.5,
    fallback_seconds=12.25,
    reasons=(("openmp", 2), ("fortran", 1)),
)
OBJECTS = (
    ObjectRecord(path="spring/_coil.so", compilers=("clang 21.1",)),
    ObjectRecord(
        path="spring/_omp.so",
        compilers=("clang 21.1", "gcc 10.2"),
        producers=("GCC: (Debian 10.2.1-6) 10.2.1", "clang version 21.1.0"),
        sha256="5" * 64,
    ),
)
WARNING = Finding(
    check="debug-info",
    level=Level.WARNING,
    message="it holds debug information",
    evidence="1.2 MB",
    file="spring/_coil.so",
    section=".debug_info",
)
REFUSAL = Finding(
    check="symbol-version",
    level=Level.ERROR,
    message="it asks for GLIBC_2.34",
    file="spring/_omp.so",
    symbol="pthread_create",
)
GLIBC = SymbolVersion(name="GLIBC", version="2.17", file="spring/_omp.so", symbol="memcpy")
CPYTHON = ToolRecord(name="cpython", version="3.13.5")
#: Three targets of an accelerated run: all native, calls that fell back, a backend that did.
QUICK_TARGET = replace(OK_TARGET, backend="native", calls=CallSummary(native=34))
MIXED_TARGET = replace(
    OK_TARGET,
    identifier="cp311-manylinux_aarch64",
    wheel=replace(QUICK_TARGET.wheel, filename="spring-1.0-cp311.whl", objects=OBJECTS)
    if QUICK_TARGET.wheel
    else None,
    backend="native",
    calls=OPENMP,
)
SLOW_TARGET = replace(
    FAILED_TARGET, backend="emulated", backend_reason="it imports what it\nhas just built"
)


def accelerated(*targets: TargetRecord) -> Report:
    return replace(report(*targets), mode="accelerated")


def report(*targets: TargetRecord) -> Report:
    return Report(
        tool_version="0.1.0",
        project="spring",
        version="1.0",
        source=".",
        source_sha256="",
        image="debian",
        image_id="sha256:1",
        mode="emulated",
        engine="docker",
        started="2026-01-02T03:04:05Z",
        seconds=99.6,
        targets=targets,
    )


DEBIAN = Image(
    name="debian",
    reference="",
    policy="manylinux_2_17_aarch64",
    libc="glibc",
    interpreters=None,
    embedded=True,
)


def target(tag: str, version: str, image: Image = DEBIAN) -> Target:
    """A target whose interpreter is where a manylinux image has it."""
    interpreter = Interpreter(tag=tag, version=version, directory=f"{tag}-{tag}")
    return Target(identifier=f"{tag}-manylinux_aarch64", interpreter=interpreter, image=image)


def plan(image: Image = DEBIAN) -> Plan:
    return Plan(
        project="spring",
        version="1.0",
        source=".",
        source_sha256="",
        build_requires=(),
        build_backend="setuptools.build_meta",
        backend_path=(),
        mode=Mode.EMULATED,
        backend=Backend.EMULATED,
        compiler=Compiler.GCC,
        targets=(target("cp313", "3.13", image), target("cp39", "3.9", image)),
        explicit=True,
        jobs=2,
    )
