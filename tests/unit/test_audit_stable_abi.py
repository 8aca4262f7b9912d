"""Wheels tagged `abi3`, judged by abi3audit: its reports, real and imagined, and its failures."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.audit.archive import read_wheel
from aarch64_wheels.audit.model import Finding, Level
from aarch64_wheels.audit.stable_abi import stable_abi
from tests.unit.audit_samples import elf, write_wheel

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "fast-1.0-cp39-abi3-manylinux2014_aarch64.manylinux_2_17_aarch64.whl"
OWN = NAME.replace("cp39-abi3", "cp39-cp39")
ANY = NAME.replace("cp39-abi3", "py3-none")


def _findings(tmp_path: Path, name: str = NAME, symbol: str = "PyInit_fast") -> list[Finding]:
    path = write_wheel(tmp_path, name, {"fast.abi3.so": elf(symbol=symbol)})
    return list(stable_abi(path, read_wheel(path)))


@pytest.mark.parametrize(
    ("symbol", "message", "evidence"),
    [
        pytest.param("PyInit_fast", "", "", id="good"),
        pytest.param(
            "_PyLong_Sign",
            "fast.abi3.so uses what is no part of the stable ABI",
            "_PyLong_Sign",
            id="private",
        ),
        pytest.param(
            "PyType_GetName",
            "fast.abi3.so needs Python 3.11, its tag says 3.9",
            "PyType_GetName (3.11)",
            id="later",
        ),
    ],
)
def test_a_real_wheel(tmp_path: Path, symbol: str, message: str, evidence: str) -> None:
    found = [(row.message, row.evidence) for row in _findings(tmp_path, symbol=symbol)]
    assert found == ([(message, evidence)] if message else [])


def _answers(
    monkeypatch: pytest.MonkeyPatch, report: str | None, status: int = 0, said: bytes = b""
) -> list[list[str]]:
    """Have abi3audit leave this report; gives the list of its calls."""
    calls: list[list[str]] = []

    def run(argv: list[str], **_options: object) -> subprocess.CompletedProcess[bytes]:
        calls.append(argv)
        if report is not None:
            Path(argv[argv.index("--output") + 1]).write_text(report)
        return subprocess.CompletedProcess(argv, status, b"", said)

    monkeypatch.setattr("subprocess.run", run)
    return calls


def _report(**result: Any) -> str:
    good = {
        "is_abi3": True,
        "is_abi3_baseline_compatible": True,
        "baseline": "3.9",
        "computed": "3.9",
        "non_abi3_symbols": [],
        "future_abi3_objects": {},
    }
    rows = [{"name": "fast.abi3.so", "result": {**good, **result}}]
    return json.dumps({"specs": {"fast.whl": {"kind": "wheel", "wheel": rows}}})


def test_how_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = _answers(monkeypatch, _report())
    monkeypatch.chdir(tmp_path)
    assert _findings(Path()) == []
    (argv,) = calls
    assert argv[1:4] == ["-P", "-m", "abi3audit"]  # no module of the directory is imported
    assert "--strict" in argv
    assert argv[-1] == str(tmp_path / NAME)  # a name can pass for no option


@pytest.mark.parametrize(
    "name", [pytest.param(OWN, id="own-abi"), pytest.param(ANY, id="any-python")]
)
def test_other_wheels_are_none_of_its_business(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    calls = _answers(monkeypatch, None, 1)
    assert (_findings(tmp_path, name), calls) == ([], [])


def test_many_symbols_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"_Py_{number}" for number in range(9)]
    _answers(monkeypatch, _report(is_abi3=False, non_abi3_symbols=names[::-1]), 1)
    (finding,) = _findings(tmp_path)
    assert finding.evidence == "_Py_0, _Py_1, _Py_2, _Py_3, _Py_4, _Py_5, and 3 more"
    assert (finding.check, finding.level) == ("abi3", Level.ERROR)


def test_both_faults_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later = {"is_abi3_baseline_compatible": False, "future_abi3_objects": {"PyNew": "3.13"}}
    text = _report(is_abi3=False, non_abi3_symbols=["_Py_x"], computed="3.13", **later)
    _answers(monkeypatch, text, 1)
    messages = [row.message for row in _findings(tmp_path)]
    assert messages[0].endswith("no part of the stable ABI")
    assert messages[1].endswith("needs Python 3.13, its tag says 3.9")


def test_nothing_to_judge_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch, '{"specs": {"fast.whl": {"kind": "wheel", "wheel": []}}}')
    assert _findings(tmp_path) == []


BROKEN = {
    "none": (None, "no such module"),
    "empty": ("", "no such module"),
    "cut-short": ('{"specs": {"fast', "its report cannot be read: JSONDecodeError"),
    "no-specs": ("{}", "its report cannot be read: KeyError"),
    "list": ("[]", "its report cannot be read: TypeError"),
    "odd-specs": ('{"specs": []}', "its report cannot be read: AttributeError"),
    "odd-row": ('{"specs": {"a": {"wheel": [{}]}}}', "its report cannot be read: KeyError: 'name'"),
}


@pytest.mark.parametrize(("report", "why"), BROKEN.values(), ids=BROKEN.keys())
def test_a_wheel_that_cannot_be_judged_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: str | None, why: str
) -> None:
    _answers(monkeypatch, report, 1, said=b"no such\n module\n")
    (finding,) = _findings(tmp_path)
    assert finding.message == f"abi3audit cannot judge {NAME}"
    assert finding.evidence.startswith(why)
    assert finding.level is Level.ERROR


def _times_out(argv: list[str], **_options: object) -> object:
    raise subprocess.TimeoutExpired(argv, 300)


def _says_nothing(argv: list[str], **_options: object) -> object:
    return subprocess.CompletedProcess(argv, -9, b"", b"")


@pytest.mark.parametrize(
    ("run", "why"),
    [
        pytest.param(_times_out, "it took more than 300 s", id="time"),
        pytest.param(_says_nothing, "status -9", id="killed"),
    ],
)
def test_an_end_without_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[..., object], why: str
) -> None:
    monkeypatch.setattr("subprocess.run", run)
    (finding,) = _findings(tmp_path)
    assert finding.evidence == why
