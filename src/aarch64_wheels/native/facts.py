"""What the target's interpreter says of itself: asked once under emulation, kept by image."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, Self

from aarch64_wheels.errors import StageError
from aarch64_wheels.native.places import BIN, COMPILERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.plan import Interpreter


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The answer of `identity/ask.py`, read.

    Attributes:
        version: such as `(3, 13, 5)`. cache_tag: `cpython-313`; magic: of its bytecode, in hex.
        multiarch: what the interpreter calls its system, None where it has no name for that.
        suffixes: of extension modules. machine: `aarch64`.
        libc_version: `glibc 2.28`, empty where the libc is no glibc; libc: `platform.libc_ver()`.
        site: site-packages, relative to an environment.
        includes: where the headers are (`include`, `platinclude`).
        config_h, makefile: the files that `sysconfig` names. base_prefix: of the installation.
        path: the image's PATH. config, build_time: variables of `sysconfig`, all and as built.
        gcc: the version of the image's GCC, such as `10.2.1`; empty where it has none.
    """

    implementation: str
    version: tuple[int, int, int]
    cache_tag: str
    magic: str
    multiarch: str | None
    suffixes: tuple[str, ...]
    machine: str
    libc_version: str
    libc: tuple[str, str]
    platform: str
    site: str
    includes: Mapping[str, str]
    config_h: str
    makefile: str
    base_prefix: str
    path: str
    config: Mapping[str, str | int | None]
    build_time: Mapping[str, str | int | None]
    gcc: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `ask.py` has printed.

        Raises:
            ValueError: it is not that, or of another version of this program.
        """
        data: dict[str, Any] = json.loads(text)
        lists = ("version", "suffixes", "libc")
        try:
            return cls(**{**data, **{name: tuple(data[name]) for name in lists}})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not the facts of an interpreter: {error}") from error

    @property
    def image_path(self) -> str:
        """The image's own PATH, also where the container asked has native tools on it."""
        ours = {str(COMPILERS), str(BIN)}
        return ":".join(part for part in self.path.split(":") if part not in ours)

    @property
    def release(self) -> str:
        """What it is, with its version: `cpython 3.13.5`, or Python's version for others."""
        return f"{self.implementation} {'.'.join(map(str, self.version))}"

    @property
    def is_free_threaded(self) -> bool:
        """Built without the GIL (PEP 703), and so with an ABI of its own."""
        return bool(self.config.get("Py_GIL_DISABLED"))

    @property
    def is_aarch64(self) -> bool:
        """It says that it runs on aarch64, as an interpreter of the image should."""
        return self.machine == "aarch64"

    def modules(self) -> dict[str, str]:
        """Write the facts as Python modules, which a starting interpreter reads fastest."""
        names = {
            "MACHINE": self.machine,
            "MULTIARCH": self.multiarch,
            "LIBC_VERSION": self.libc_version,
            "LIBC": self.libc,
            "INCLUDES": dict(self.includes),
            "CONFIG_H": self.config_h,
            "MAKEFILE": self.makefile,
        }
        variables = {"CONFIG": dict(self.config), "BUILD_TIME": dict(self.build_time)}
        return {"facts.py": _assignments(names), "variables.py": _assignments(variables)}


def _assignments(names: Mapping[str, object]) -> str:
    return "".join(f"{name} = {value!r}\n" for name, value in names.items())


def ask_facts(session: Session, interpreter: Interpreter) -> str:
    """Ask an interpreter of the image; gives the answer as it is kept.

    Raises:
        StageError: there is no such interpreter in the image, or it does not answer.
    """
    answer = session.capture([interpreter.python, "-I", "-c", _question()])
    try:
        Facts.parse(answer)
    except ValueError as error:
        what = f"cannot understand what {interpreter.python} says of itself"
        raise StageError(what, found=str(error)) from error
    return answer


def _question() -> str:
    script = resources.files("aarch64_wheels.native.identity") / "ask.py"
    return script.read_text(encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class FactsStore:
    """Answers in the cache. An image is known by its content, so they never grow old.

    To another question (`ask.py` changed, and with it what an answer means) there is none yet.

    Attributes:
        directory: where they are. image_id: the image they were asked of.
        reuse: False: ask anew.
    """

    directory: Path
    image_id: str
    reuse: bool = True

    def facts(self, session: Session, interpreter: Interpreter) -> Facts:
        """Give the facts of an interpreter, asking it only if they are not kept.

        Raises:
            StageError: it does not answer.
        """
        path = self._path(interpreter)
        kept = self._kept(path) if self.reuse else None
        if kept is not None:
            return kept
        answer = ask_facts(session, interpreter)
        # The code of requirements has run in a prepared container, and may have changed the
        # interpreter; what is kept is for all projects.
        if not session.is_prepared:
            self._keep(path, answer)
        return Facts.parse(answer)

    def _path(self, interpreter: Interpreter) -> Path:
        identity = f"{self.image_id} {interpreter.directory}\n{_question()}"
        key = hashlib.sha256(identity.encode()).hexdigest()[:24]
        return self.directory / f"{interpreter.tag}-{key}.json"

    def _kept(self, path: Path) -> Facts | None:
        try:
            return Facts.parse(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # never asked, or by another version of this program
            return None

    def _keep(self, path: Path, answer: str) -> None:
        draft = path.with_suffix(f".{time.monotonic_ns()}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(answer, encoding="utf-8")
            draft.replace(path)
        except OSError:  # a full disk: the next run asks again
            with suppress(OSError):
                draft.unlink()
