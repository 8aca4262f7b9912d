"""The catalogue: which interpreters and images there are (`data/*.toml`)."""

from __future__ import annotations

import difflib
import re
import tomllib
from importlib import resources
from typing import Any

from aarch64_wheels.errors import UsageError
from aarch64_wheels.plan import Image, Interpreter
from aarch64_wheels.redaction import redact

#: The name the embedded image has in the engine; no registry serves it.
EMBEDDED_REFERENCE = "aarch64-wheels/debian"

#: The grammar of the OCI distribution specification and its reference implementation.
_HOST = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<repository>(?:(?i:{_HOST})(?::[0-9]+)?/)?{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?P<digest>@[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-f]{32,})?"
)
_LONGEST_REPOSITORY = 255

#: How the names of images for other machines end.
_FOREIGN = re.compile(r"(?<=[_.-])(x86_64|amd64|i[3-6]86|ppc64le|s390x|armv7l|armv7|riscv64)$")


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
        UsageError: neither a short name nor a reference, or the reference names the image
            of another architecture.
    """
    listed = {image.name: image for image in images()}
    if text in listed:
        return listed[text]
    if re.search(r"[/:@]", text):
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
    found = _REFERENCE.fullmatch(reference)
    if found is None or len(found["repository"]) > _LONGEST_REPOSITORY:
        raise UsageError(
            f"`{redact(reference)}` is no image reference",
            found="it is not [HOST[:PORT]/]NAME[:TAG][@DIGEST], with NAME in lower case",
            hint="credentials belong to `docker login`; the short names are "
            + ", ".join(image.name for image in images()),
        )
    _refuse_foreign(found)
    policy = _guess_policy(found["repository"])
    libc = "musl" if policy.startswith("musllinux") else "glibc"
    return Image(name=reference, reference=reference, policy=policy, libc=libc, interpreters=None)


def _refuse_foreign(reference: re.Match[str]) -> None:
    """Spare the download of an image that a later check would refuse."""
    repository, tag = reference["repository"], reference["tag"] or ""
    foreign = _FOREIGN.search(repository) or _FOREIGN.search(tag)
    if not foreign:
        return
    name = _for_aarch64(repository) + (f":{_for_aarch64(tag)}" if tag else "")
    raise UsageError(
        f"the image `{reference[0]}` is one for {foreign[0]} by its name",
        found="aarch64 wheels are made in an aarch64 image",
        hint=f"try `{name}`",
    )


def _for_aarch64(name: str) -> str:
    """Spell the architecture as the name does: `amd64` goes with `arm64`."""
    return _FOREIGN.sub(lambda found: "arm64" if found[0] == "amd64" else "aarch64", name)


def _guess_policy(repository: str) -> str:
    """Take what the last part of the repository's name says (PEP 600, 656; 599's alias)."""
    name = repository.rpartition("/")[2]
    if found := re.search(r"(many|musl)linux_\d+_\d+", name):
        return f"{found[0]}_aarch64"
    return "manylinux_2_17_aarch64" if "manylinux2014" in name else ""
