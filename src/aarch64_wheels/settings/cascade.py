"""Layers of settings, and the value that they come to: pure functions, no I/O."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings.globs import matches
from aarch64_wheels.text import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from aarch64_wheels.settings.schema import Option


class Rule(enum.StrEnum):
    """What a layer's value does to that of the layers below (`inherit`, as in cibuildwheel)."""

    NONE = "none"
    APPEND = "append"
    PREPEND = "prepend"


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Values that stand in one place.

    Attributes:
        values: as they were written, by the option's name (`before-build`).
        place: where they stand, for people; `{}` in it is the value's own name there.
        names: what the options are called there, where it differs.
        text: they are text, not TOML.
        inherit: rules, by the option's name.
        select: globs of the targets that they are for; None: for all.
        skip_empty: options of which an empty value says nothing.
        beneath: what the first value of an option is joined with, if it is to inherit.
    """

    values: Mapping[str, object]
    place: str
    names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    text: bool = False
    inherit: Mapping[str, Rule] = field(default_factory=lambda: MappingProxyType({}))
    select: tuple[str, ...] | None = None
    skip_empty: frozenset[str] = frozenset()
    beneath: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def is_for(self, identifier: str) -> bool:
        """Tell whether it is for a target; one without a name is any target."""
        return self.select is None or bool(identifier and matches(self.select, identifier))

    def place_of(self, option: Option) -> str:
        """Say where an option's value stands."""
        return self.place_of_name(option.name)

    def place_of_name(self, name: str) -> str:
        """Say where the value of the option of this name stands."""
        return self.place.replace("{}", self.names.get(name, name))

    def without(self, names: Collection[str]) -> Layer:
        """Leave options out."""
        kept = {name: value for name, value in self.values.items() if name not in names}
        return replace(self, values=kept)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A value, and the places that it comes from, the last one last; none: it is the default."""

    value: Any
    places: tuple[str, ...] = ()


def cascade(option: Option, layers: Iterable[Layer], identifier: str = "") -> Found | None:
    """Join what the layers say of an option for a target.

    Args:
        option: which.
        layers: the weakest first.
        identifier: of the target, empty for what all targets have in common.

    Returns:
        None if no layer says anything.

    Raises:
        UsageError: a value is of the wrong kind, or cannot be joined.
    """
    found, name = None, option.name
    for layer in layers:
        if layer.values.get(name) is None or not layer.is_for(identifier):
            continue
        found = _with(found, option, layer)
    return found


def _with(before: Found | None, option: Option, layer: Layer) -> Found | None:
    given, place = layer.values[option.name], layer.place_of(option)
    if not given and option.name in layer.skip_empty:
        return before
    value = option.kind.read(given, place, text=layer.text)
    rule = layer.inherit.get(option.name, Rule.NONE)
    if rule is Rule.NONE:
        return Found(value=value, places=(place,))
    if option.kind.join is None:
        raise UsageError(f"{place} cannot inherit", hint=f"take `{option.name}` out of `inherit`")
    before = before or _default(option, layer)
    pair = (before.value, value) if rule is Rule.APPEND else (value, before.value)
    return Found(value=option.kind.join(*pair), places=(*before.places, place))


def _default(option: Option, layer: Layer) -> Found:
    text = layer.beneath.get(option.name)
    return Found(value=option.kind.empty if text is None else option.kind.from_text(text))


def read_inherit(given: object, known: Sequence[str], place: str) -> dict[str, Rule]:
    """Read `inherit`: a table of rules, or `KEY:RULE; KEY` words where a bare key appends.

    Raises:
        UsageError: another kind of value, an unknown option or rule.
    """
    rows = _inherit_rows(given, place)
    if unknown := [name for name in rows if name not in known]:
        raise UsageError(f"`inherit` in {place} names what is no option", found=", ".join(unknown))
    if wrong := [rule for rule in rows.values() if rule not in tuple(Rule)]:
        rules = ", ".join(Rule)
        raise UsageError(f"`inherit` in {place} takes {rules}", found=", ".join(map(shown, wrong)))
    return {name: Rule(str(rule)) for name, rule in rows.items()}


def _inherit_rows(given: object, place: str) -> Mapping[str, object]:
    if given is None:
        return {}
    if isinstance(given, str):
        return dict(pair for row in given.split(";") for pair in _inherit_words(row))
    if isinstance(given, dict):
        return {str(name): rule for name, rule in given.items()}
    raise UsageError(f"`inherit` in {place} must be a string or a table", found=shown(given))


def _inherit_words(row: str) -> list[tuple[str, str]]:
    name, colon, rule = row.partition(":")
    if colon:
        return [(name.strip(), rule.strip())]
    return [(word, Rule.APPEND.value) for word in row.split()]
