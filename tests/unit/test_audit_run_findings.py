"""What is made of the container's answers, which come from a process that runs foreign code."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.audit.model import Finding, Level
from aarch64_wheels.audit.run.extensions import Importable, read_importable
from aarch64_wheels.audit.run.findings import Trial, promised_libraries
from aarch64_wheels.audit.run.outcome import Outcome
from tests.unit.audit_samples import EXTENSION, Section, elf, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

#: `cntb x0`, of SVE.
CNTB = 0x0420E3E0
PLACE = f"fast/{EXTENSION}"
OTHER = "fast/other.so"
DATA = "fast-1.0.data/data/lib/shared.so"


@pytest.fixture
def wheel(tmp_path: Path) -> Importable:
    code = Section(name=".text", kind=1, data=struct.pack("<II", 0xD503201F, CNTB), flags=6)
    content = elf(more=(code,), flags=5)
    files = {PLACE: content, OTHER: elf(symbol="PyInit_other"), "fast/__init__.py": b"", DATA: b""}
    return read_importable(write_wheel(tmp_path, files=files))


def findings(
    wheel: Importable, *rows: dict[str, Any], complete: bool = True, emulated: bool = True
) -> list[Finding]:
    """Judge answers; that of the second extension is good unless it is given."""
    both = [{"index": 1, "state": "ok", "name": "fast.other"}, *rows]
    told = {row.index: row for row in (Outcome.parse(json.dumps(row)) for row in both) if row}
    trial = Trial(
        wheel=wheel, python="CPython 3.13", emulated=emulated, complete=complete, seconds=120
    )
    return list(trial.findings(told.values()))


def first(**fields: Any) -> dict[str, Any]:
    return {"index": 0, "name": "fast.fast", "output": "", **fields}


@pytest.mark.parametrize("state", ["ok", "left-out"])
def test_what_is_well(wheel: Importable, state: str) -> None:
    assert findings(wheel, first(state=state)) == []


@pytest.mark.parametrize(
    ("fields", "message", "evidence"),
    [
        (
            {"state": "error", "type": "ImportError", "text": "x.so: undefined symbol: gone"},
            "CPython 3.13 cannot import fast.fast",
            "ImportError: x.so: undefined symbol: gone",
        ),
        (
            {"state": "error", "type": "ValueError", "text": "a\n::error::b\x1b[1m"},
            "CPython 3.13 cannot import fast.fast",
            "ValueError: a ::error::b",
        ),
        (
            {
                "state": "error",
                "type": "ModuleNotFoundError",
                "text": "No module named 'fast.gone'",
                "missing": "fast.gone",
            },
            "CPython 3.13 cannot import fast.fast",
            "ModuleNotFoundError: No module named 'fast.gone'",
        ),
        (
            {
                "state": "error",
                "type": "ImportError",
                "text": "libmine.so.3: cannot open shared object file: No such file or directory",
            },
            "CPython 3.13 cannot import fast.fast",
            "ImportError: libmine.so.3: cannot open shared object file: No such file or directory",
        ),
        (
            {"state": "signal", "signal": 11, "output": "last words\nqemu: uncaught signal\n"},
            "CPython 3.13 crashed under emulation (SIGSEGV) while it imported fast.fast",
            "last words",
        ),
        (
            {"state": "ended", "status": 3},
            "importing fast.fast ended CPython 3.13 with status 3",
            "",
        ),
        ({"state": "timeout"}, "CPython 3.13 did not import fast.fast within 120 seconds", ""),
    ],
)
def test_errors(wheel: Importable, fields: dict[str, Any], message: str, evidence: str) -> None:
    (finding,) = findings(wheel, first(**fields))
    assert (finding.check, finding.level, finding.file) == ("import", Level.ERROR, PLACE)
    assert (finding.message, finding.evidence) == (message, evidence)


@pytest.mark.parametrize(
    ("number", "ending", "more"),
    [
        (5, "was ended by SIGTRAP", ": the code gives up, with `brk`"),
        (9, "was killed (SIGKILL)", ""),
        (31, "was ended by SIGSYS", ""),
        (34, "was ended by signal 34", ""),
    ],
)
def test_other_signals(wheel: Importable, number: int, ending: str, more: str) -> None:
    (finding,) = findings(wheel, first(state="signal", signal=number))
    assert finding.message == f"CPython 3.13 {ending} while it imported fast.fast{more}"


def test_a_crash_of_the_processor_itself(wheel: Importable) -> None:
    (finding,) = findings(wheel, first(state="signal", signal=6), emulated=False)
    assert finding.message == "CPython 3.13 crashed (SIGABRT) while it imported fast.fast"


@pytest.mark.parametrize(
    ("fields", "complete", "why"),
    [
        (
            {"type": "ModuleNotFoundError", "text": "...", "missing": "numpy"},
            False,
            "without numpy, which the wheel does not bring, and which was not installed",
        ),
        (
            {"type": "ModuleNotFoundError", "text": "...", "missing": "gi.repository"},
            True,
            "without gi.repository, which the wheel does not bring or name as a dependency",
        ),
        (
            {"type": "ImportError", "text": "Sorry: numpy: No module named 'numpy'"},
            False,
            "without numpy, which the wheel does not bring, and which was not installed",
        ),
        (
            {"type": "ImportError", "text": "libGL.so.1: cannot open shared object file: No such"},
            True,
            "without libGL.so.1, which the image has not got and manylinux lets a wheel expect",
        ),
    ],
)
def test_what_only_lacks_something_from_elsewhere(
    wheel: Importable,
    fields: dict[str, Any],
    complete: bool,  # noqa: FBT001 - a column of the table
    why: str,
) -> None:
    (finding,) = findings(wheel, first(state="error", **fields), complete=complete)
    assert (finding.check, finding.level) == ("import", Level.WARNING)
    assert finding.message == f"CPython 3.13 cannot import fast.fast {why}"


def test_a_circle_of_imports_is_no_error(wheel: Importable) -> None:
    text = (
        "cannot import name 'a' from partially initialized module 'fast.fast' (most likely due to"
    )
    row = first(state="error", type="ImportError", text=f"{text} a circular import) (/e/fast.so)")
    (finding,) = findings(wheel, row)
    assert finding.level is Level.WARNING
    assert finding.message.endswith(
        "cannot import fast.fast first: it is one of a circle of imports"
    )


def test_words_of_a_missing_module_count_only_where_one_may_be_missing(wheel: Importable) -> None:
    row = first(state="error", type="ImportError", text="No module named 'numpy'")
    assert [row.level for row in findings(wheel, row)] == [Level.ERROR]


def test_what_was_not_tried(wheel: Importable) -> None:
    (finding,) = findings(wheel, first(state="skipped"))
    assert finding.level is Level.WARNING
    assert finding.message == "fast.fast was not tried: time ran out before it"


def test_no_answer_at_all(wheel: Importable) -> None:
    (finding,) = findings(wheel)
    assert (finding.check, finding.level, finding.file) == ("import", Level.ERROR, PLACE)
    assert finding.message == "CPython 3.13 gave no answer of an extension"


def illegal(wheel: Importable, **fields: Any) -> dict[str, Any]:
    with wheel.image(PLACE) as image:
        code = image.section(".text")
    assert code is not None
    told = {"word": CNTB.to_bytes(4, "little").hex(), "object": "/e/fast.so", "below": PLACE}
    return first(state="illegal", **{**told, "offset": code.offset + 4, **fields})


def test_the_place_of_an_illegal_instruction(wheel: Importable) -> None:
    (finding,) = findings(wheel, illegal(wheel))
    with wheel.image(PLACE) as image:
        code = image.section(".text")
    assert code is not None
    assert (finding.check, finding.level, finding.file) == (
        "illegal-instruction",
        Level.ERROR,
        PLACE,
    )
    at = f"cntb x0 (FEAT_SVE) at {code.address + 4:#x}"
    assert finding.evidence == f"{at}, while importing fast.fast with CPython 3.13"


def test_one_finding_for_each_place(wheel: Importable) -> None:
    second = {**illegal(wheel), "index": 1, "name": "fast.other"}
    (finding,) = findings(wheel, illegal(wheel), second)
    assert finding.evidence.endswith("while importing fast.fast and 1 more with CPython 3.13")


@pytest.mark.parametrize(
    "fields",
    [
        {"below": "numpy/core.so", "object": "/e/numpy/core.so"},
        {"below": "", "object": "/usr/lib/shared.so"},
    ],
    ids=["a dependency", "the image"],
)
def test_what_another_package_brings_is_no_error(wheel: Importable, fields: dict[str, Any]) -> None:
    (finding,) = findings(wheel, {**illegal(wheel), **fields, "offset": 16})
    at = f"the instruction 0x0420e3e0 at offset 0x10 of {fields['object']}, not of the wheel"
    assert finding.evidence == f"{at}, while importing fast.fast with CPython 3.13"
    assert (finding.check, finding.level) == ("illegal-instruction", Level.WARNING)
    assert finding.file == ""


@pytest.mark.parametrize(
    ("fields", "evidence", "file"),
    [
        (
            {
                "below": "",
                "object": "/aarch64-wheels/tests/environment/lib/shared.so",
                "offset": 0,
            },
            "the instruction 0x0420e3e0 at offset 0x0",
            DATA,
        ),
        (
            {"below": "", "object": "", "offset": -1},
            "the instruction 0x0420e3e0 in memory that is no file's",
            PLACE,
        ),
        ({"offset": 1 << 40}, "the instruction 0x0420e3e0 at offset 0x10000000000", PLACE),
        ({"offset": 10**30}, f"the instruction 0x0420e3e0 at offset {10**30:#x}", PLACE),
        (
            {"below": "fast/__init__.py", "offset": 0},
            "the instruction 0x0420e3e0 at offset 0x0",
            "fast/__init__.py",
        ),
        ({"word": ""}, "it is not known which instruction", PLACE),
        ({"state": "signal", "signal": 4}, "it is not known which instruction", PLACE),
    ],
)
def test_places_elsewhere(
    wheel: Importable, fields: dict[str, Any], evidence: str, file: str
) -> None:
    (finding,) = findings(wheel, {**illegal(wheel), **fields})
    assert (finding.check, finding.file) == ("illegal-instruction", file)
    assert finding.level is Level.ERROR
    assert finding.evidence == f"{evidence}, while importing fast.fast with CPython 3.13"


def test_code_that_gives_up(wheel: Importable) -> None:
    (finding,) = findings(wheel, illegal(wheel, word="efbe0000", offset=1 << 40))
    assert (
        finding.message == "the code gives up by SIGILL, with an instruction that no processor has"
    )


NO_ANSWERS = ("", "x", "[]", "1", "{}", '{"index": "0"}', '{"index": null}', '{"index": 1.0}')


@pytest.mark.parametrize("line", [*NO_ANSWERS, "[" * 100_000])
def test_lines_that_are_no_answers(line: str) -> None:
    assert Outcome.parse(line) is None


def test_answers_of_other_types_than_they_should_have() -> None:
    line = '{"index": 1, "state": [], "name": {"a": 1}, "signal": "9", "offset": null, "word": 7}'
    row = Outcome.parse(line)
    assert row == Outcome(index=1, state="[]", name="{'a': 1}", word="7")


def test_libraries_that_manylinux_promises() -> None:
    assert {"libGL.so.1", "libX11.so.6", "libc.so.6"} <= promised_libraries()
    assert "libssl.so.3" not in promised_libraries()
