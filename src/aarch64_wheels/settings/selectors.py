"""Selectors: which interpreters `--python` means (`cp313`, `3.13`, `cp3*`, `all`)."""

from __future__ import annotations

import difflib
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aarch64_wheels.plan import Image, Interpreter


def split(selectors: Iterable[str]) -> tuple[str, ...]:
    """Single selectors out of texts that may hold several, separated by commas or whitespace."""
    words = (word for text in selectors for word in re.split(r"[,\s]+", text.lower()))
    return tuple(dict.fromkeys(word for word in words if word))


def is_exact(selector: str) -> bool:
    """Whether the selector names one interpreter, and is neither a glob nor `all`."""
    return selector.lower() != "all" and not re.search(r"[*?\[]", selector)


def select(
    selectors: Iterable[str],
    interpreters: Sequence[Interpreter],
    image: Image | None = None,
) -> tuple[Interpreter, ...]:
    """Select the interpreters that are meant, in the catalogue's order, each once.

    A glob passes over interpreters with `default = false` unless it starts with `pp`;
    `all` takes everything there is.

    Args:
        selectors: tags, versions, identifiers, globs of these, or `all`.
        interpreters: the whole catalogue.
        image: limits the selection to what the image holds, as far as that is known.

    Raises:
        UsageError: a selector matches nothing in the catalogue.
        UnfitError: a selector matches interpreters, none of which the image holds.
    """
    chosen: set[str] = set()
    for selector in split(selectors):
        known = [item for item in interpreters if _matches(selector, item)]
        if not known:
            raise _unknown(selector, interpreters)
        held = [item for item in known if _holds(image, item, selector)]
        if not held:
            raise _missing(selector, interpreters, image)
        chosen.update(item.tag for item in held)
    return tuple(item for item in interpreters if item.tag in chosen)


def _matches(selector: str, interpreter: Interpreter) -> bool:
    if selector == "all":
        return True
    if not is_exact(selector) and not interpreter.default and not selector.startswith("pp"):
        return False
    return any(fnmatchcase(name, selector) for name in _names(interpreter))


def _names(interpreter: Interpreter) -> tuple[str, ...]:
    """List an interpreter's names: `3.14t` is free-threaded, a bare version is CPython."""
    tag = interpreter.tag
    version = interpreter.version + ("t" if tag.endswith("t") else "")
    names = (tag, interpreter.identifier("glibc"), interpreter.identifier("musl"))
    return (*names, version) if tag.startswith("cp") else names


def _holds(image: Image | None, interpreter: Interpreter, selector: str) -> bool:
    """Whether the image has the interpreter and, for an identifier, is of its platform."""
    if image is None:
        return True
    if image.interpreters is not None and interpreter.tag not in image.interpreters:
        return False
    if "-" not in selector:
        return True
    return fnmatchcase(interpreter.identifier(image.libc), selector)


def _unknown(selector: str, interpreters: Sequence[Interpreter]) -> UsageError:
    names = [name for item in interpreters for name in _names(item)]
    near = difflib.get_close_matches(selector, names, n=1, cutoff=0.4)
    return UsageError(
        f"`{selector}` matches no interpreter",
        found="known are " + ", ".join(item.tag for item in interpreters),
        hint=f"did you mean `{near[0]}`?" if near else "use a tag, a glob such as `cp3*`, or `all`",
    )


def _missing(selector: str, interpreters: Sequence[Interpreter], image: Image | None) -> UnfitError:
    name, libc, tags = ("", "glibc", None) if image is None else _facts(image)
    there = [item for item in interpreters if tags is None or item.tag in tags]
    if "-" in selector:
        found = ", ".join(item.identifier(libc) for item in there)
    else:
        found = ", ".join(item.tag for item in there)
    return UnfitError(
        f"no such interpreter in the image {name}: `{selector}`",
        found=f"the image has {found}",
        hint="select one of these with --python, or another --image",
    )


def _facts(image: Image) -> tuple[str, str, tuple[str, ...] | None]:
    return image.name, image.libc, image.interpreters
