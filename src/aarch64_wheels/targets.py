"""Which targets there are: interpreters and images, what selects them, `requires-python`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from aarch64_wheels.errors import UnfitError, UsageError
from aarch64_wheels.settings.cibuildwheel import ALLOW_EMPTY, REQUIRES_PYTHON
from aarch64_wheels.settings.globs import matches
from aarch64_wheels.settings.selectors import is_exact, select, split
from aarch64_wheels.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aarch64_wheels.images import Images
    from aarch64_wheels.plan import Interpreter, Target
    from aarch64_wheels.settings.layers import Layers
    from aarch64_wheels.settings.schema import Settings
    from aarch64_wheels.source.metadata import Metadata

#: The groups of interpreters that nothing selects unless they are enabled, by how tags begin.
GROUPS = {"pypy": "pp", "graalpy": "gp"}
#: Told where there is no target and that is no error.
NO_TARGET = f"no target is left, so nothing is built, which ${ALLOW_EMPTY} allows"
_LIBCS = ("glibc", "musl")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What was selected.

    Attributes:
        targets: in the catalogue's order, those with glibc first.
        explicit: the user named one (not by a glob or `all`), so that it must be there.
    """

    targets: tuple[Target, ...]
    explicit: bool


def choose_targets(
    settings: Settings, metadata: Metadata, images: Images, interpreters: Sequence[Interpreter]
) -> Selection:
    """Choose the targets of a build.

    Args:
        settings: the selectors.
        metadata: of the source, with `requires-python`.
        images: says what each target is built in. Of its layers count a `requires-python` that
            goes over the source's, and whether there may be no target.
        interpreters: the whole catalogue.

    Raises:
        UsageError: a selector or `requires-python` is wrong, the image of a target is unknown,
            or no target is left where there must be one.
        UnfitError: a selector names an interpreter that no image has.
    """
    named = _named(settings.python, interpreters)
    there = [target for libc in _LIBCS for target in images.targets(interpreters, libc)]
    wanted = [
        target
        for target in _selected(settings, there, interpreters)
        if target.interpreter.tag in named or not matches(settings.skip, target.identifier)
    ]
    layers = images.layers
    requires = _specifier(layers.requires_python or metadata.requires_python)
    chosen = tuple(target for target in wanted if _allows(requires, target.interpreter))
    refused = [target.interpreter.tag for target in wanted if target not in chosen]
    if named.intersection(refused) or not (chosen or layers.allow_empty):
        refused = [tag for tag in refused if not named or tag in named]
        raise _nothing_left(_requirer(metadata, layers), there, refused)
    images.check(chosen)
    return Selection(targets=chosen, explicit=bool(named))


def _named(selectors: Iterable[str], interpreters: Sequence[Interpreter]) -> frozenset[str]:
    """Find the tags the user named one by one."""
    exact = [selector for selector in split(selectors) if is_exact(selector)]
    return frozenset(item.tag for item in select(exact, interpreters))


def _selected(
    settings: Settings, there: Sequence[Target], interpreters: Sequence[Interpreter]
) -> list[Target]:
    if split(settings.python):
        return _by_selectors(settings.python, there, interpreters)
    globs = settings.build or ("*",)
    return [
        target
        for target in there
        if _is_enabled(settings, target.interpreter) and matches(globs, target.identifier)
    ]


def _is_enabled(settings: Settings, interpreter: Interpreter) -> bool:
    """Tell whether nothing but globs need select it: groups must be enabled besides."""
    return interpreter.default or any(
        interpreter.tag.startswith(prefix)
        for group, prefix in GROUPS.items()
        if group in settings.enable or "all" in settings.enable
    )


def _by_selectors(
    selectors: Sequence[str], there: Sequence[Target], interpreters: Sequence[Interpreter]
) -> list[Target]:
    """Take what each image has; a selector that no image has anything for is an error."""
    found: list[Target] = []
    missing: UnfitError | None = None
    for image in dict.fromkeys(target.image for target in there):
        try:
            rows = select(selectors, interpreters, image)
        except UnfitError as error:
            missing = error
            continue
        found += [row for row in there if row.image == image and row.interpreter in rows]
    if missing and not found:
        raise missing
    return found


def _specifier(text: str) -> SpecifierSet:
    try:
        return SpecifierSet(text)
    except InvalidSpecifier as error:
        what = "the source's requires-python is not a version specifier (PEP 440)"
        raise UsageError(what, found=shown(text), hint="mend it in pyproject.toml") from error


def _allows(requires: SpecifierSet, interpreter: Interpreter) -> bool:
    """Compare a late patch version, as images hold those: `>=3.9.2` takes 3.9."""
    return requires.contains(f"{interpreter.version}.99")


def _requirer(metadata: Metadata, layers: Layers) -> str:
    """Say what `requires-python` is, and whose."""
    if layers.requires_python:
        return f"`{layers.requires_python}` of ${REQUIRES_PYTHON}"
    return f"`{metadata.requires_python}` of {metadata.name or 'the source'}"


def _nothing_left(requires: str, there: Sequence[Target], refused: Sequence[str]) -> UsageError:
    names = ", ".join(dict.fromkeys(target.image.name for target in there))
    tags = ", ".join(dict.fromkeys(target.interpreter.tag for target in there))
    found = f"the image {names} has {tags}" if there else ""
    if not refused:
        return UsageError(
            "no target is left of what `build`, `skip` and --python say",
            found=found,
            hint="see what there is with --python all, or mend the globs",
        )
    return UsageError(
        f"requires-python {requires} excludes {', '.join(dict.fromkeys(refused))}",
        found=found,
        hint="select other interpreters with --python, or another --image",
    )
