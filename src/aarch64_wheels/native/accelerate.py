"""Makes an accelerated image: an aarch64 image with the native tools, as the Dockerfile says."""

from __future__ import annotations

import tarfile
from contextlib import contextmanager
from importlib import resources
from itertools import chain
from typing import TYPE_CHECKING, Any

from aarch64_wheels.engine.failures import ENGINE_FAILURES, words_of
from aarch64_wheels.engine.pulling import PLATFORM
from aarch64_wheels.engine.trees import tar_of
from aarch64_wheels.errors import UnfitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aarch64_wheels.engine.client import Engine
    from aarch64_wheels.native.bundle import Bundle

#: Labels of an accelerated image: the bundle's key, and the id of the image below.
KEY_LABEL = "aarch64-wheels.native"
BASE_LABEL = "aarch64-wheels.base"

#: What the builder says of its own doings between the steps.
_CHATTER = ("--->", "Removing intermediate container")


def accelerate(
    engine: Engine, reference: str, tag: str, bundle: Bundle, note: Callable[[str], None]
) -> None:
    """Have the engine hold an image `tag`: that of `reference`, accelerated.

    Nothing is built if it holds just that already.

    Args:
        engine: on x86-64, runs aarch64 programs, holds the image `reference`.
        reference: the image below.
        tag: the new image's name.
        bundle: the native tools.
        note: told the builder's words.

    Raises:
        UsageError: the image is an accelerated one, or `tag` can't be a name.
        UnfitError: the engine can't build it.
    """
    labels = engine.image_labels(reference)
    if KEY_LABEL in labels:
        raise UsageError(
            f"{reference} is an accelerated image already", hint="name the image it was made from"
        )
    made = {KEY_LABEL: bundle.key, BASE_LABEL: engine.image_id(reference)}
    if engine.has_image(tag) and engine.image_labels(tag).items() >= made.items():
        return
    note(f"adding the native tools to {reference}")
    with _errors(engine, tag), _context(bundle.directory) as context:
        answers = engine.client.api.build(
            fileobj=context,
            custom_context=True,
            tag=tag,
            buildargs={"BASE": reference, "BASE_USER": _user(engine, reference)},
            labels=made,
            platform=PLATFORM,
            rm=True,
            forcerm=True,
            decode=True,
        )
        for answer in answers:
            _tell(answer, tag, note)


def _user(engine: Engine, reference: str) -> str:
    """Name the user that the image's programs run as."""
    config = engine.client.api.inspect_image(reference).get("Config") or {}
    return str(config.get("User") or "0:0")


def _tell(answer: dict[str, Any], tag: str, note: Callable[[str], None]) -> None:
    if "error" in answer:
        raise UnfitError(f"cannot make the image {tag}", found=str(answer["error"]).strip()[-500:])
    for line in str(answer.get("stream", "")).splitlines():
        if line.strip() and not line.lstrip().startswith(_CHATTER):
            note(line)


@contextmanager
def _context(bundle: Path) -> Iterator[Iterator[bytes]]:
    """Stream the build's context: the Dockerfile, and the bundle as `native`."""
    # Names change, and what links lead to does not.
    with tar_of(bundle, r"--transform=flags=r;s,^\.,native,") as files:
        yield chain([_dockerfile()], files)


def _dockerfile() -> bytes:
    """Give the Dockerfile as the beginning of a tar archive."""
    content = (resources.files("aarch64_wheels.data") / "Dockerfile").read_bytes()
    member = tarfile.TarInfo("Dockerfile")
    member.size = len(content)
    padding = -len(content) % tarfile.BLOCKSIZE
    return member.tobuf(tarfile.GNU_FORMAT) + content + bytes(padding)


@contextmanager
def _errors(engine: Engine, tag: str) -> Iterator[None]:
    try:
        yield
    except ENGINE_FAILURES as error:
        what = f"{engine} cannot make the image {tag}"
        raise UnfitError(what, found=words_of(error)[-500:]) from None
