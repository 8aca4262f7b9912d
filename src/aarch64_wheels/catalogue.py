"""The catalogue: which interpreters and images there are (`data/*.toml`)."""

from __future__ import annotations

import difflib
import re
import tomllib
from importlib import resources
from typing import Any

from aarch64_wheels.errors import UsageError
from aarch64_wheels.plan import Image, Interpreter

#: The name the embedded image has in the engine; no registry serves it.
EMBEDDED_REFERENCE = "aarch64-wheels/debian"


def interpreters() -> tuple[Interpreter, ...]:
    """All interpreters a target can name, in the order of `data/interpreters.toml`."""
    return tuple(Interpreter(**row) for row in _read("interpreters.toml")["interpreter"])


def images() -> tuple[Image, ...]:
    """All images with a short name, in the order of `data/images.toml`."""
    return tuple(_listed(name, row) for name, row in _read("images.toml").items())


def find_image(text: str) -> Image:
    """Find the image of a short name, or of a reference as given (with `/`, `:` or `@` in it).

    Of a reference nobody has listed, libc and policy are guessed from the repository's name
    (`manylinux_2_28...`); an empty policy means that only the image itself can tell.

    Raises:
        UsageError: neither a short name nor a reference.
    """
    listed = {image.name: image for image in images()}
    if text in listed:
        return listed[text]
    if re.search(r"[/:@]", text) and not re.search(r"\s", text):
        return _unlisted(text)
    near = difflib.get_close_matches(text, listed, n=1)
    raise UsageError(
        f"no image is called `{text}`",
        found="the short names are " + ", ".join(listed),
        hint=f"did you mean `{near[0]}`?" if near else "use one, or a reference with its registry",
    )


def _read(name: str) -> dict[str, Any]:
    file = resources.files("aarch64_wheels") / "data" / name
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _listed(name: str, row: dict[str, Any]) -> Image:
    return Image(
        name=name,
        reference=row.get("reference", EMBEDDED_REFERENCE),
        policy=row["policy"],
        libc=row["libc"],
        interpreters=tuple(row["interpreters"]),
        embedded="reference" not in row,
    )


def _unlisted(reference: str) -> Image:
    policy = _guess_policy(reference)
    libc = "musl" if policy.startswith("musllinux") else "glibc"
    return Image(name=reference, reference=reference, policy=policy, libc=libc, interpreters=None)


def _guess_policy(reference: str) -> str:
    """Take what the last part of the repository's name says (PEP 600, 656; 599's alias)."""
    repository = reference.partition("@")[0].rpartition("/")[2].partition(":")[0]
    if found := re.search(r"(many|musl)linux_\d+_\d+", repository):
        return f"{found[0]}_aarch64"
    return "manylinux_2_17_aarch64" if "manylinux2014" in repository else ""
