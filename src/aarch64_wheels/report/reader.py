"""Reading records of targets back, as `TargetRecord.to_json` wrote them."""

from __future__ import annotations

import json
from typing import Any

from aarch64_wheels.report.model import (
    Basis,
    CallSummary,
    ObjectRecord,
    Stage,
    StageRecord,
    Status,
    TargetRecord,
    WheelRecord,
)


def read_target(line: str) -> TargetRecord | None:
    """Read one record; None if it is none, or one of another version of this program."""
    try:
        return _target(json.loads(line))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _target(data: dict[str, Any]) -> TargetRecord:
    return TargetRecord(
        **{
            **data,
            "status": Status(data["status"]),
            "stages": tuple(_stage(row) for row in data["stages"]),
            "wheel": data["wheel"] and _wheel(data["wheel"]),
            "calls": data["calls"] and _calls(data["calls"]),
            "basis": data["basis"] and Basis(**data["basis"]),
        }
    )


def _stage(data: dict[str, Any]) -> StageRecord:
    status, stage = Status(data["status"]), Stage(data["stage"])
    return StageRecord(stage=stage, status=status, seconds=float(data["seconds"]))


def _wheel(data: dict[str, Any]) -> WheelRecord:
    objects = tuple(
        ObjectRecord(path=row["path"], compilers=tuple(row["compilers"])) for row in data["objects"]
    )
    return WheelRecord(**{**data, "objects": objects})


def _calls(data: dict[str, Any]) -> CallSummary:
    reasons = tuple((str(reason), int(count)) for reason, count in data["reasons"])
    return CallSummary(**{**data, "reasons": reasons})
