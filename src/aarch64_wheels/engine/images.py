"""Images on the engine: getting one, and seeing which interpreters it holds."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.errors import StageError, UnfitError
from aarch64_wheels.machine import is_arm64

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from aarch64_wheels.engine.api import LineSink, Session
    from aarch64_wheels.engine.client import Engine
    from aarch64_wheels.engine.create_args import CreateArgs
    from aarch64_wheels.plan import Image

#: Built-in words only: one emulated shell, 0.1 s. Reading the directory through the engine's
#: archive call would stream all of it.
_LIST = 'for python in /opt/python/*/bin/python; do [ -x "$python" ] && echo "$python"; done; :'


def ensure_image(engine: Engine, image: Image, sink: LineSink) -> str:
    """Have the engine hold the image, pulling it if it does not; return the image's id.

    Raises:
        UnfitError: it cannot be pulled, or is of another architecture.
    """
    if not engine.has_image(image.reference):
        _pull(engine, image, sink)
    architecture = engine.image_architecture(image.reference)
    if not is_arm64(architecture):
        raise UnfitError(
            f"the image {image.reference} is not for aarch64",
            found=f"architecture {architecture or 'unknown'}",
            hint=f"name an aarch64 image, or `{engine.name} pull --platform linux/arm64 "
            f"{image.reference}` if it exists for both",
        )
    return engine.image_id(image.reference)


def _pull(engine: Engine, image: Image, sink: LineSink) -> None:
    try:
        engine.pull(image.reference, sink)
    except UnfitError as error:
        raise UnfitError(
            error.what,
            found=error.found,
            hint="`--image debian` assembles an image on this machine, without a registry",
        ) from None


def interpreters_in(session: Session) -> set[str]:
    """List the directories below /opt/python that have a `bin/python` which can be run.

    Raises:
        CommandError: the image has no shell.
    """
    found = session.capture(["/bin/sh", "-c", _LIST])
    return {PurePosixPath(line).parent.parent.name for line in found.splitlines()}


def interpreters_of(
    image: Image, session: AbstractContextManager[Session], given: CreateArgs
) -> set[str]:
    """List the interpreters of an image; also sees whether its containers start, with a shell.

    Args:
        image: named in the error.
        session: of that image, not yet entered.
        given: what the user wants of containers, which may be why none starts.

    Raises:
        UnfitError: the image is not one to build in.
    """
    try:
        with session as entered:
            return interpreters_in(entered)
    except StageError as error:
        raise UnfitError(
            f"the image {image.name} cannot be built in",
            found=error.found or error.what,
            hint=_instead(given),
        ) from None


def _instead(given: CreateArgs) -> str:
    image = (
        "it needs `sleep`, a shell, and CPythons below /opt/python, as manylinux images "
        "have them: name another --image"
    )
    if not given.options:
        return image
    return f"mend the create_args of `container-engine` ({', '.join(given.options)}), or {image}"
