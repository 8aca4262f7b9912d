"""Which image each target is built in: the user's, the project's for cibuildwheel, or ours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UsageError
from aarch64_wheels.plan import Image, Target
from aarch64_wheels.settings.globs import matches
from aarch64_wheels.settings.schema import options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from aarch64_wheels.plan import Interpreter
    from aarch64_wheels.settings.layers import Layers
    from aarch64_wheels.settings.schema import BuildOptions

_IMAGE = next(option for option in options() if option.field == "image")
#: What cibuildwheel builds in where a project names nothing (its `defaults.toml`).
_THEIR_MANYLINUX = "manylinux_2_28"
_THEIR_MUSLLINUX = "musllinux_1_2"


@dataclass(frozen=True, kw_only=True)
class Images:
    """The images of one build.

    A project that is set up for cibuildwheel gets both C libraries, as there; others get the one
    of `image`. A user's `image` stands for all of them, and so limits the build to its own.

    Attributes:
        layers: all that was set. find: finds an image by its short name or reference.
        host: stands for every image, in a build without containers.
    """

    layers: Layers
    find: Callable[[str], Image]
    host: Image | None = None

    def targets(self, interpreters: Sequence[Interpreter], libc: str) -> Iterator[Target]:
        """Give the targets that there are images for, with this C library.

        What a project names for cibuildwheel and nobody knows is found out by `check`: it may
        build no target in it.

        Raises:
            UsageError: the user's image is neither a short name nor a reference.
        """
        settings = self.layers.settings()
        for interpreter in interpreters:
            identifier = interpreter.identifier(libc)
            wanted = self.layers.options(identifier)
            image = self._image(interpreter, libc, wanted, settings.image)
            if image is not None and _holds(image, interpreter):
                yield Target(
                    identifier=identifier,
                    interpreter=interpreter,
                    image=image,
                    options=wanted,
                    test_skipped=matches(settings.test_skip, identifier),
                )

    def check(self, targets: Iterable[Target]) -> None:
        """See that the images of chosen targets are known.

        Raises:
            UsageError: one is neither a short name nor a reference.
        """
        for image in dict.fromkeys(target.image for target in targets):
            if not image.reference:
                self.find(image.name)

    def _image(
        self, interpreter: Interpreter, libc: str, wanted: BuildOptions, name: str
    ) -> Image | None:
        if self.host is not None:
            return self.host if self.host.libc == libc else None
        if self.layers.found(_IMAGE) is None and self.layers.for_cibuildwheel:
            image = self._their_image(_their_name(interpreter, libc, wanted), libc)
            # The name of an option tells more than that of an image which tells nothing.
            return image if image.policy else replace(image, libc=libc)
        image = self.find(name)
        return image if image.libc == libc else None

    def _their_image(self, name: str, libc: str) -> Image:
        try:
            return self.find(name)
        except UsageError:
            return Image(name=name, reference="", policy="", libc=libc, interpreters=None)


def _their_name(interpreter: Interpreter, libc: str, wanted: BuildOptions) -> str:
    if libc == "musl":
        return wanted.musllinux_image or _THEIR_MUSLLINUX
    is_pypy = interpreter.tag.startswith("pp")
    image = wanted.manylinux_pypy_image if is_pypy else wanted.manylinux_image
    return image or _THEIR_MANYLINUX


def _holds(image: Image, interpreter: Interpreter) -> bool:
    if image.interpreters is None:  # nobody has listed it, but for musl there is no PyPy anywhere
        return image.libc != "musl" or not interpreter.tag.startswith("pp")
    return interpreter.tag in image.interpreters
