"""As much of JSON Schema (draft 7, 2020-12) as our schemas use, and an error for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}
#: What says nothing of a value.
_NOTES = {"$schema", "$id", "title", "description", "default"}


def faults(schema: dict[str, Any], value: Any, place: str = "") -> list[str]:
    """Say what is wrong with a value, one line each."""
    found: list[str] = []
    for keyword, rule in schema.items():
        if keyword not in _NOTES:
            found += _CHECKS[keyword](rule, value, place, schema)
    return found


def _type(rule: str | list[str], value: Any, place: str, _: Any) -> list[str]:
    is_bool = isinstance(value, bool)
    names = [rule] if isinstance(rule, str) else rule
    right = any(isinstance(value, _TYPES[one]) and is_bool == (one == "boolean") for one in names)
    return [] if right else [f"{place}: is no {' or '.join(names)}"]


def _enum(rule: list[str], value: Any, place: str, _: Any) -> list[str]:
    return [] if value in rule else [f"{place}: is none of {', '.join(rule)}"]


def _const(rule: Any, value: Any, place: str, _: Any) -> list[str]:
    return [] if value == rule else [f"{place}: is not {rule}"]


def _required(rule: list[str], value: Any, place: str, _: Any) -> list[str]:
    missing = [key for key in rule if isinstance(value, dict) and key not in value]
    return [f"{place}.{key}: is missing" for key in missing]


def _any_of(rule: list[dict[str, Any]], value: Any, place: str, _: Any) -> list[str]:
    tried = [faults(one, value, place) for one in rule]
    return [] if [] in tried else [fault for one in tried for fault in one]


def _items(rule: dict[str, Any], value: Any, place: str, _: Any) -> list[str]:
    rows = value if isinstance(value, list) else []
    return [fault for one in rows for fault in faults(rule, one, f"{place}[]")]


def _properties(rule: dict[str, Any], value: Any, place: str, _: Any) -> list[str]:
    rows = value.items() if isinstance(value, dict) else ()
    return [
        fault
        for key, one in rows
        if key in rule
        for fault in faults(rule[key], one, f"{place}.{key}")
    ]


def _additional(rule: bool, value: Any, place: str, schema: Any) -> list[str]:  # noqa: FBT001
    assert rule is False
    keys = value if isinstance(value, dict) else ()
    return [f"{place}.{key}: is unknown" for key in keys if key not in schema["properties"]]


def _minimum(rule: int, value: Any, place: str, _: Any) -> list[str]:
    return [f"{place}: is under {rule}"] if isinstance(value, int) and value < rule else []


def _maximum(rule: int, value: Any, place: str, _: Any) -> list[str]:
    return [f"{place}: is over {rule}"] if isinstance(value, int) and value > rule else []


def _min_length(rule: int, value: Any, place: str, _: Any) -> list[str]:
    return [f"{place}: is too short"] if isinstance(value, str) and len(value) < rule else []


_CHECKS: Mapping[str, Callable[[Any, Any, str, Any], list[str]]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "required": _required,
    "anyOf": _any_of,
    "items": _items,
    "properties": _properties,
    "additionalProperties": _additional,
    "minimum": _minimum,
    "maximum": _maximum,
    "minLength": _min_length,
}
