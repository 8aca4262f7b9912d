"""`audit --run` on wheels made here by real compilers, with imports that end in every way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import platformdirs
import pytest

from aarch64_wheels.audit.model import Finding, Level
from aarch64_wheels.commands.audit_run import RunOptions, run_imports
from aarch64_wheels.engine.owner import PID_LABEL
from tests.integration.workshop import Workshop
from tests.unit.audit_samples import METADATA, write_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aarch64_wheels.engine.client import Engine
    from tests.integration.conftest import Accelerated

SUFFIX = ".cpython-313-aarch64-linux-gnu.so"
NAME = "fast-1.0-{}-manylinux_2_17_aarch64.whl"
SOURCE = """\
#include <Python.h>
#include <pthread.h>
#include <unistd.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "NAME", NULL, -1,
    NULL, NULL, NULL, NULL, NULL};
BEFORE
PyMODINIT_FUNC PyInit_NAME(void) { BODY; return PyModule_Create(&module); }
"""
#: Named by their bytes, for which no assembler asks for a newer processor: `cntb x0` of SVE, and
#: `ldaddal x0, x1, [x1]` of LSE.
SVE = '__asm__ volatile(".inst 0x0420e3e0" ::: "x0");'
LSE = '__asm__ volatile(".inst 0xf8e00021" ::: "x0", "x1", "memory");'
#: By name, what stands before the init function, and what it does first.
MODULES = {
    "good": ("", ""),
    "vector": (f"__attribute__((noinline)) void count(void) {{ {SVE} }}", "count()"),
    "atomic": (
        f"__attribute__((noinline)) void add(void) {{ {LSE} }}",
        "add()",
    ),
    "loaded": (f"__attribute__((constructor)) void early(void) {{ {SVE} }}", ""),
    "threads": (
        f"void *work(void *none) {{ {SVE} return none; }}",
        "pthread_t t; pthread_create(&t, 0, work, 0); pthread_join(t, 0)",
    ),
    "refusing": ("", 'PyErr_SetString(PyExc_ImportError, "not today"); return NULL'),
    "missing": ("extern void gone(void);", "gone()"),
    "broken": ("", "*(volatile int *)8 = 1"),
    "leaving": ("", "_exit(7)"),
    "trapping": ("", "__builtin_trap()"),
    # Longer than any shorter limit than the one that is told.
    "waiting": ("", "sleep(45)"),
    "needing": ("", 'if (!PyImport_ImportModule("numpy")) return NULL'),
}


@pytest.fixture(scope="module")
def compiled(accelerated: Accelerated) -> Mapping[str, bytes]:
    """The modules, by name; those of the stable ABI end with `3`."""
    stable = "-I/usr/include/python3.9 -DPy_LIMITED_API=0x03090000"
    with accelerated() as session:
        shop = Workshop.of_test(session, "audit-run")
        return {
            **{name: _compile(shop, name, "-I/usr/include/python3.13") for name in MODULES},
            **{f"{name}3": _compile(shop, name, stable) for name in ("good", "vector")},
        }


def _compile(shop: Workshop, name: str, options: str) -> bytes:
    before, body = MODULES[name]
    text = SOURCE.replace("NAME", name).replace("BEFORE", before).replace("BODY", body)
    shop.write(**{f"{name}_c": text})
    shop.run(f"gcc -O1 -shared -fPIC -pthread {options} {name}.c -o {name}.so")
    stream = shop.elf(f"{name}.so").stream
    stream.seek(0)
    return stream.read()


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def found(
    compiled: Mapping[str, bytes], tmp_path_factory: pytest.TempPathFactory, said: list[str]
) -> Mapping[str, tuple[Finding, ...]]:
    """What is found of two wheels in one run, by what their names say of interpreters."""
    place = tmp_path_factory.mktemp("wheels")
    many = {f"fast/{name}{SUFFIX}": compiled[name] for name in MODULES}
    plain = {"fast-1.0.data/platlib/good.so": compiled["good"]}
    wheels = {
        "cp313-cp313": write_wheel(
            place,
            NAME.format("cp313-cp313"),
            {"fast/__init__.py": b"", **many, **plain},
            metadata=f"{METADATA}Requires-Dist: packaging>9999\n",
        ),
        "cp39-abi3": write_wheel(
            place,
            NAME.format("cp39-abi3"),
            {
                "good.abi3.so": compiled["good3"],
                "fast-1.0.data/platlib/vector.abi3.so": compiled["vector3"],
            },
        ),
    }
    rows = run_imports(tuple(wheels.values()), options(), said.append).findings
    print(*said, *(row for each in rows.values() for row in each), sep="\n")
    return {tag: rows[path] for tag, path in wheels.items()}


def options() -> RunOptions:
    cache = platformdirs.user_cache_path("aarch64-wheels")
    return RunOptions(cache_dir=cache, image="debian", environ=os.environ)


def of(findings: tuple[Finding, ...], module: str) -> Finding:
    (finding,) = [row for row in findings if row.file == f"fast/{module}{SUFFIX}"]
    return finding


@pytest.mark.parametrize(
    ("module", "function", "instruction"),
    [
        ("vector", "count", "cntb x0 (FEAT_SVE) at 0x"),
        ("atomic", "add", "ldaddal x0, x1, [x1] (FEAT_LSE) at 0x"),
        ("loaded", "early", "cntb x0 (FEAT_SVE) at 0x"),
    ],
)
def test_illegal_instructions_have_a_place(
    found: Mapping[str, tuple[Finding, ...]], module: str, function: str, instruction: str
) -> None:
    finding = of(found["cp313-cp313"], module)
    assert (finding.check, finding.level) == ("illegal-instruction", Level.ERROR)
    assert finding.symbol == function
    assert finding.evidence.startswith(instruction)
    assert finding.evidence.endswith(f", while importing fast.{module} with CPython 3.13")


def test_an_illegal_instruction_of_a_thread(found: Mapping[str, tuple[Finding, ...]]) -> None:
    """Another thread cannot tell its place while the import waits for it, only that it was one."""
    finding = of(found["cp313-cp313"], "threads")
    assert (finding.check, finding.symbol) == ("illegal-instruction", "")


@pytest.mark.parametrize(
    ("module", "message", "evidence"),
    [
        ("refusing", "CPython 3.13 cannot import fast.refusing", "ImportError: not today"),
        ("missing", "CPython 3.13 cannot import fast.missing", "undefined symbol: gone"),
        (
            "broken",
            "CPython 3.13 crashed under emulation (SIGSEGV) while it imported fast.broken",
            "",
        ),
        ("leaving", "importing fast.leaving ended CPython 3.13 with status 7", ""),
        (
            "trapping",
            (
                "CPython 3.13 was ended by SIGTRAP while it imported fast.trapping:"
                " the code gives up, with `brk`"
            ),
            "",
        ),
    ],
)
def test_other_failures(
    found: Mapping[str, tuple[Finding, ...]], module: str, message: str, evidence: str
) -> None:
    finding = of(found["cp313-cp313"], module)
    assert (finding.check, finding.level, finding.message) == ("import", Level.ERROR, message)
    assert finding.evidence.endswith(evidence)


def test_a_missing_dependency_is_no_error(
    found: Mapping[str, tuple[Finding, ...]], said: list[str]
) -> None:
    finding = of(found["cp313-cp313"], "needing")
    assert (finding.check, finding.level) == ("import", Level.WARNING)
    assert "without numpy, which the wheel does not bring" in finding.message
    assert any("its dependencies are not installed: " in text for text in said)


def test_what_is_good_has_no_finding(found: Mapping[str, tuple[Finding, ...]]) -> None:
    good = ("good", "waiting")
    assert not [row for row in found["cp313-cp313"] for name in good if name in row.file]
    assert len(found["cp313-cp313"]) == len(MODULES) - len(good)


def test_the_stable_abi_is_tried_on_the_oldest_and_the_newest(
    found: Mapping[str, tuple[Finding, ...]], said: list[str]
) -> None:
    rows = found["cp39-abi3"]
    assert {(row.check, row.symbol) for row in rows} == {("illegal-instruction", "count")}
    assert {row.file for row in rows} == {"fast-1.0.data/platlib/vector.abi3.so"}
    ends = ["with CPython 3.9", "with CPython 3.15"]
    assert [row.evidence.partition("vector ")[2] for row in rows] == ends
    tried = [text.rpartition(", ")[2] for text in said if "abi3" in text]
    assert tried == ["CPython 3.9", "CPython 3.15"]


def test_an_interpreter_that_the_image_lacks(compiled: Mapping[str, bytes], tmp_path: Path) -> None:
    name = NAME.format("cp312-cp312")
    files = {"good.cpython-312-aarch64-linux-gnu.so": compiled["good"]}
    lacking = write_wheel(tmp_path, name, files)
    right = write_wheel(
        tmp_path, NAME.format("cp313-cp313"), {f"vector{SUFFIX}": compiled["vector"]}
    )
    said = list[str]()
    tried = run_imports([lacking, right], options(), said.append)
    assert any("use --image manylinux2014, manylinux_2_28" in text for text in said)
    assert tried.untried == {lacking}
    assert (tried.unfit, tried.findings[lacking]) == (None, ())
    assert [row.symbol for row in tried.findings[right]] == ["count"]


_RUN = """\
import os, sys
from pathlib import Path
from aarch64_wheels import cli, signals
from aarch64_wheels.commands.audit_run import RunOptions, run_imports
signals.install()
options = RunOptions(cache_dir=Path(sys.argv[2]), environ=os.environ)
wheels = [Path(sys.argv[1])]
sys.exit(cli.guard(lambda: len(run_imports(wheels, options, print).findings), debug=True))
"""


def test_an_interrupt_removes_the_container(
    shared_engine: Engine, compiled: Mapping[str, bytes], tmp_path: Path
) -> None:
    files = {"hang/__init__.py": b"import time\ntime.sleep(600)\n"}
    files[f"hang/good{SUFFIX}"] = compiled["good"]
    wheel = write_wheel(tmp_path, NAME.format("cp313-cp313"), files)
    argv = [sys.executable, "-P", "-c", _RUN, str(wheel), str(options().cache_dir)]

    def containers() -> list[object]:
        label = f"{PID_LABEL}={process.pid}"
        return list(shared_engine.client.api.containers(all=True, filters={"label": label}))

    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdout is not None
        assert any("importing 1 extension" in line for line in process.stdout)
        deadline = time.monotonic() + 60
        while not containers():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    assert containers() == []
