"""Records of targets read back: the same as were written, and nothing that is none."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aarch64_wheels.report.model import Basis, Status, TargetRecord
from aarch64_wheels.report.reader import read_target
from tests.unit.report_samples import (
    CPYTHON,
    CUT_SHORT,
    FAILED_TARGET,
    GLIBC,
    MIXED_TARGET,
    OK_TARGET,
    REFUSAL,
    SLOW_TARGET,
    WARNING,
)

if TYPE_CHECKING:
    from collections.abc import Callable

BASIS = Basis(source="1", settings="2", image="sha256:3")
WHOLE = replace(
    MIXED_TARGET,
    wheel=replace(MIXED_TARGET.wheel, findings=(WARNING,), versions=(GLIBC,))
    if MIXED_TARGET.wheel
    else None,
    basis=BASIS,
    shared=True,
    findings=(REFUSAL,),
    tools=(CPYTHON,),
)
RECORDS = {
    "built": OK_TARGET,
    "failed": FAILED_TARGET,
    "cut-short": CUT_SHORT,
    "accelerated": MIXED_TARGET,
    "with-all": WHOLE,
    "of-lines": SLOW_TARGET,
    "not-begun": TargetRecord(identifier="cp313", status=Status.NOT_RUN),
}


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())
def test_what_is_written_is_read(record: TargetRecord) -> None:
    line = record.to_json()
    assert "\n" not in line
    assert read_target(line) == record


@given(text=st.text(), seconds=st.floats(min_value=0, max_value=1e9))
def test_any_error_comes_back(text: str, seconds: float) -> None:
    stages = (replace(FAILED_TARGET.stages[0], seconds=seconds),)
    record = replace(FAILED_TARGET, error=text, stages=stages)
    assert read_target(record.to_json()) == record


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(value=JSON)
def test_other_json_is_none(value: Any) -> None:
    assert read_target(json.dumps(value)) is None


@pytest.mark.parametrize("line", ["", "{", "nothing", "[" * 100_000, '{"identifier": "x"}'])
def test_what_is_no_record_is_none(line: str) -> None:
    assert read_target(line) is None


PLACES: dict[str, Callable[[dict[str, Any]], tuple[Any, Any]]] = {
    "identifier": lambda row: (row, "identifier"),
    "status": lambda row: (row, "status"),
    "error": lambda row: (row, "error"),
    "log": lambda row: (row, "log"),
    "backend": lambda row: (row, "backend"),
    "shared": lambda row: (row, "shared"),
    "stages": lambda row: (row, "stages"),
    "stage": lambda row: (row["stages"], 0),
    "name-of-a-stage": lambda row: (row["stages"][0], "stage"),
    "seconds": lambda row: (row["stages"][0], "seconds"),
    "wheel": lambda row: (row, "wheel"),
    "filename": lambda row: (row["wheel"], "filename"),
    "sha256": lambda row: (row["wheel"], "sha256"),
    "size": lambda row: (row["wheel"], "size"),
    "policy": lambda row: (row["wheel"], "policy"),
    "objects": lambda row: (row["wheel"], "objects"),
    "compilers": lambda row: (row["wheel"]["objects"][0], "compilers"),
    "compiler": lambda row: (row["wheel"]["objects"][0]["compilers"], 0),
    "producers": lambda row: (row["wheel"]["objects"][1], "producers"),
    "producer": lambda row: (row["wheel"]["objects"][1]["producers"], 0),
    "sha256-of-an-object": lambda row: (row["wheel"]["objects"][0], "sha256"),
    "package": lambda row: (row["wheel"]["objects"][0], "package"),
    "findings": lambda row: (row["wheel"], "findings"),
    "finding": lambda row: (row["wheel"]["findings"], 0),
    "level": lambda row: (row["wheel"]["findings"][0], "level"),
    "message": lambda row: (row["wheel"]["findings"][0], "message"),
    "section": lambda row: (row["wheel"]["findings"][0], "section"),
    "versions": lambda row: (row["wheel"], "versions"),
    "version": lambda row: (row["wheel"]["versions"][0], "version"),
    "findings-of-a-refusal": lambda row: (row, "findings"),
    "check-of-a-refusal": lambda row: (row["findings"][0], "check"),
    "tools": lambda row: (row, "tools"),
    "version-of-a-tool": lambda row: (row["tools"][0], "version"),
    "calls": lambda row: (row, "calls"),
    "native": lambda row: (row["calls"], "native"),
    "native-seconds": lambda row: (row["calls"], "native_seconds"),
    "reasons": lambda row: (row["calls"], "reasons"),
    "reason": lambda row: (row["calls"]["reasons"][0], 0),
    "count": lambda row: (row["calls"]["reasons"][0], 1),
    "basis": lambda row: (row, "basis"),
    "source": lambda row: (row["basis"], "source"),
}
WRONG = {
    "list": [[]],
    "table": {"x": []},
    "empty": {},
    "nan": float("nan"),
    "inf": float("inf"),
    "huge": 10**300,
    "low": -(10**300),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_value_of_another_kind_is_no_record(
    place: Callable[[dict[str, Any]], tuple[Any, Any]], wrong: Any
) -> None:
    """A directory that somebody else has made may bring such lines along."""
    row = json.loads(WHOLE.to_json())
    where, name = place(row)
    where[name] = wrong
    assert read_target(json.dumps(row)) is None


def _without(name: str) -> TargetRecord:
    changes: dict[str, Any] = {name: None}
    return replace(WHOLE, **changes)


@pytest.mark.parametrize("falsy", [0, "", [], False])
@pytest.mark.parametrize("name", ["wheel", "calls", "basis"])
def test_only_null_is_nothing(name: str, falsy: object) -> None:
    row = {**json.loads(WHOLE.to_json()), name: falsy}
    assert read_target(json.dumps(row)) is None
    assert read_target(json.dumps({**row, name: None})) == _without(name)


@pytest.mark.parametrize("name", ["identifier", "log", "backend"])
def test_no_line_of_a_terminal_gets_in(name: str) -> None:
    row = {**json.loads(OK_TARGET.to_json()), name: "x\n::error::y\x1b[2J"}
    assert read_target(json.dumps(row)) is None


NEWER = {
    "findings": lambda row: row,
    "tools": lambda row: row,
    "findings-of-the-wheel": lambda row: row["wheel"],
    "versions": lambda row: row["wheel"],
    "producers": lambda row: row["wheel"]["objects"][0],
}


@pytest.mark.parametrize("name", NEWER)
def test_a_record_of_an_older_version_is_no_record(name: str) -> None:
    """What it says nothing of is not known to be nothing: the wheel is made anew."""
    row = json.loads(WHOLE.to_json())
    del NEWER[name](row)[name.split("-", maxsplit=1)[0]]
    assert read_target(json.dumps(row)) is None


def test_a_field_of_another_version_is_no_record() -> None:
    row = {**json.loads(OK_TARGET.to_json()), "colour": "red"}
    assert read_target(json.dumps(row)) is None
