"""What was set, and where it was set: for `plan`. Pure; credentials in URLs are left out."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aarch64_wheels.redaction import redact
from aarch64_wheels.settings import kinds
from aarch64_wheels.settings.schema import BuildOptions, Option, Settings, all_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aarch64_wheels.plan import Plan
    from aarch64_wheels.settings.layers import Layers

DEFAULT = "default"
#: Of `image`, where it is not what the targets are built in (see `images`).
_OF_TARGETS = "that of each target, as with cibuildwheel"
_ALL = "all"
#: How the identifiers of all targets end.
_MACHINE = "_aarch64"
#: Quotes and brackets that close after a URL are not its own.
_URL = r"""[A-Za-z][A-Za-z0-9+.-]*://\S+?(?=["')\]>]*(?:\s|$))"""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A value as JSON has it, and where it comes from: places that were joined have a ` + `."""

    value: object
    origin: str

    @property
    def text(self) -> str:
        """The value in one cell of a table."""
        return _text(self.value)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A setting that is not the default, and the targets that it is set for, in short."""

    name: str
    shown: Shown
    targets: str = _ALL


@dataclass(frozen=True, kw_only=True)
class ShownSettings:
    """The settings of a plan.

    Attributes:
        shared: those that are one for all targets, by name.
        options: those that each target has, by its identifier and by name.
    """

    shared: Mapping[str, Shown]
    options: Mapping[str, Mapping[str, Shown]]

    def rows(self) -> tuple[Row, ...]:
        """Give what is not the default, each value once."""
        found = [Row(name=name, shown=shown) for name, shown in self.shared.items()]
        for option in all_fields(BuildOptions):
            found += self._option_rows(option.name)
        return tuple(row for row in found if row.shown.origin not in (DEFAULT, _OF_TARGETS))

    def _option_rows(self, name: str) -> list[Row]:
        """Put the targets together that have the same."""
        groups: list[tuple[Shown, list[str]]] = []
        for identifier, options in self.options.items():
            same = next((names for shown, names in groups if shown == options[name]), None)
            if same is None:
                groups.append((options[name], [identifier]))
            else:
                same.append(identifier)
        return [
            Row(name=name, shown=shown, targets=_short(names, tuple(self.options)))
            for shown, names in groups
        ]


def show_settings(layers: Layers, plan: Plan, root: Path) -> ShownSettings:
    """Say what a plan was made from.

    Args:
        layers: all that was set, also by the project.
        plan: what they came to.
        root: the unpacked project, whose files are named without it.
    """
    settings = layers.settings()
    shared = {
        option.name: _shown(layers, option, getattr(settings, option.field), root)
        for option in all_fields(Settings)
    }
    # A source may be a URL, of which the plan knows what is no credential.
    shared["source"] = Shown(value=plan.source, origin=shared["source"].origin)
    if layers.for_cibuildwheel and shared["image"].origin == DEFAULT:
        shared["image"] = Shown(value=None, origin=_OF_TARGETS)
    options = {
        target.identifier: {
            option.name: _shown(
                layers, option, getattr(target.options, option.field), root, target.identifier
            )
            for option in all_fields(BuildOptions)
        }
        for target in plan.targets
    }
    return ShownSettings(shared=shared, options=options)


def _shown(layers: Layers, option: Option, value: object, root: Path, target: str = "") -> Shown:
    found = layers.found(option, target)
    places = [] if found is None else [place.replace(f"{root}/", "") for place in found.places]
    return Shown(value=_plain(option, value), origin=" + ".join(places) or DEFAULT)


def _plain(option: Option, value: Any) -> object:
    """Give a value as JSON has it."""
    if option.kind is kinds.TABLE:
        rows = ((key, [_redacted(item) for item in items]) for key, items in value)
        return {key: items[0] if len(items) == 1 else items for key, items in rows}
    if isinstance(value, tuple):
        return [_redacted(item) for item in value]
    if isinstance(value, str | enum.StrEnum | Path):
        return _redacted(str(value))
    return value


def _redacted(text: str) -> str:
    """Take credentials out of URLs alone: an `@` elsewhere is a digest's or a version's."""
    return re.sub(_URL, lambda found: redact(found[0]), text)


def _text(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list():
            return ", ".join(map(_text, value))
        case dict():
            pairs = ((key, one) for key, many in value.items() for one in _each(many))
            return ", ".join(f"{key}={one}" for key, one in pairs)
        case _:
            return str(value)


def _each(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _short(names: list[str], all_names: tuple[str, ...]) -> str:
    """Name targets in few words: `cp39 cp313`, or `musllinux`, or `manylinux: cp39 cp313`."""
    if len(names) == len(all_names):
        return _ALL
    groups, all_groups = _by_platform(names), _by_platform(all_names)
    if len(all_groups) == 1:
        return " ".join(*groups.values())
    return ", ".join(
        platform if tags == all_groups[platform] else f"{platform}: {' '.join(tags)}"
        for platform, tags in groups.items()
    )


def _by_platform(names: list[str] | tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        tag, _, platform = name.removesuffix(_MACHINE).partition("-")
        found.setdefault(platform, []).append(tag)
    return found
