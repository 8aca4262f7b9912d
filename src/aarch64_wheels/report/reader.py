"""Reading records of targets back, as `TargetRecord.to_json` wrote them."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from aarch64_wheels.audit.model import Finding, Level, SymbolVersion
from aarch64_wheels.report.model import (
    Basis,
    CallSummary,
    ObjectRecord,
    Stage,
    StageRecord,
    Status,
    TargetRecord,
    ToolRecord,
    WheelRecord,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

#: Types of fields that hold one value.
_PLAIN: dict[Any, type[Any]] = {"str": str, "bool": bool, "int": int, "float": float}
#: No count, size or time comes near it, and what draws tables can do with it.
_MOST = 1 << 53
#: Fields of more than one line, or with what a tool has said.
_FREE = frozenset({"error", "backend_reason"})


def read_target(line: str) -> TargetRecord | None:
    """Read one record; None if it is none, or one of another version of this program.

    A hostile source may have written it: every value is of its field's type.
    """
    try:
        return _target(json.loads(line))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _target(data: dict[str, Any]) -> TargetRecord:
    return _made(
        TargetRecord,
        {
            **data,
            "status": Status(data["status"]),
            "stages": tuple(_stage(row) for row in _list(data["stages"])),
            "wheel": None if data["wheel"] is None else _wheel(data["wheel"]),
            "calls": None if data["calls"] is None else _calls(data["calls"]),
            "basis": None if data["basis"] is None else _made(Basis, data["basis"]),
            "findings": tuple(_finding(row) for row in _list(data["findings"])),
            "tools": tuple(_made(ToolRecord, row) for row in _list(data["tools"])),
        },
    )


def _made(kind: type[T], data: dict[str, Any]) -> T:
    """Make a record of fields that are what they ought to be."""
    for row in fields(kind):
        if row.name in data and row.type in _PLAIN:
            _check(row.name, data[row.name], _PLAIN[row.type])
    return kind(**data)


def _check(name: str, value: object, kind: type[Any]) -> None:
    if kind is float and type(value) is int:
        kind = int
    if type(value) is not kind:
        raise TypeError(name)
    if isinstance(value, int | float) and not (math.isfinite(value) and abs(value) <= _MOST):
        raise ValueError(name)
    if isinstance(value, str) and not (name in _FREE or value.isprintable()):
        raise ValueError(name)


def _stage(data: dict[str, Any]) -> StageRecord:
    status, stage = Status(data["status"]), Stage(data["stage"])
    return _made(StageRecord, {**data, "stage": stage, "status": status})


def _wheel(data: dict[str, Any]) -> WheelRecord:
    return _made(
        WheelRecord,
        {
            **data,
            "objects": tuple(_object(row) for row in _list(data["objects"])),
            "findings": tuple(_finding(row) for row in _list(data["findings"])),
            "versions": tuple(_made(SymbolVersion, row) for row in _list(data["versions"])),
        },
    )


def _object(data: dict[str, Any]) -> ObjectRecord:
    names = {name: tuple(map(_text, _list(data[name]))) for name in ("compilers", "producers")}
    return _made(ObjectRecord, {**data, **names})


def _finding(data: dict[str, Any]) -> Finding:
    return _made(Finding, {**data, "level": Level(data["level"])})


def _calls(data: dict[str, Any]) -> CallSummary:
    reasons = tuple((_text(reason), _count(count)) for reason, count in _list(data["reasons"]))
    return _made(CallSummary, {**data, "reasons": reasons})


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _text(value: Any) -> str:
    _check("text", value, str)
    return str(value)


def _count(value: Any) -> int:
    _check("count", value, int)
    return int(value)
