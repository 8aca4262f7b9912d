"""Runs the probes of tests/projects/probes in a container, and reads what they answered.

There are three projects: a configure script, one of CMake and one of Meson. Each is run on two
sides, which differ in the PATH alone: with the image's own compilers, and with the shim's names in
front of them.
"""

from __future__ import annotations

import re
import shlex
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.native.places import BIN, CALLS, COMPILERS, NATIVE, TOOLS_PYTHON, WORK
from aarch64_wheels.native.provenance import MAX_BYTES, Call, parse_calls

if TYPE_CHECKING:
    from aarch64_wheels.engine.api import Session

PLACE = PurePosixPath("/probes")
MESON = "meson==1.12.1"
MODULES = PLACE / "modules"

# As an interpreter of the native backend does, so that Meson sees the machine that is built for.
_MESON = """
import platform, sys
platform.machine = lambda: "aarch64"
from mesonbuild.mesonmain import main
sys.exit(main())
"""
# Two forms: `name=${name=value}`, and with a test before it where the value has a brace.
_CACHED = re.compile(r"^(?:(\w+)=\$\{\1=(.*)\}|test \$\{(\w+)\+y\} \|\| \3=(.*))$")
_CACHED_PROBES = ("ac_cv_", "lt_cv_", "probe_cv_")
# Names are options too, with a = of their own; values have none.
_MESSAGE = re.compile(r"^Message: probe (.+)=([^=]*)$")

Answers = dict[str, str]
Words = list[str | PurePosixPath]


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the compilers.

    Attributes:
        name: what its answers are called, and its directory.
        path: the PATH it is found by.
    """

    name: str
    path: str

    def directory(self, project: str) -> PurePosixPath:
        return PLACE / self.name / project


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What both sides answered, by project and name, and the calls that the shim recorded."""

    gcc: Answers
    shim: Answers
    calls: tuple[Call, ...]

    def differing(self) -> set[str]:
        return {name for name in self.gcc if self.gcc[name] != self.shim.get(name)}


def compare(session: Session, projects: Path, kept: Answers | None = None) -> Comparison:
    """Run every project on both sides, two at a time; with GCC's answers kept, on the shim's."""
    session.copy_in(projects, PLACE)
    gcc, shim = sides(session)
    with ThreadPoolExecutor(max_workers=2) as pool:
        # The first two come first: what waits for them never fills the pool before.
        ready = {"autoconf": pool.submit(_generate, session), "meson": pool.submit(_meson, session)}
        asked = [
            (side, pool.submit(_ask, session, side, project, ready.get(project)))
            for side in ((gcc, shim) if kept is None else (shim,))
            for project in _PROJECTS
        ]
    found: dict[str, Answers] = {gcc.name: kept or {}, shim.name: {}}
    for side, answers in asked:
        found[side.name] |= answers.result()
    calls = parse_calls(session.read(CALLS, MAX_BYTES))
    return Comparison(gcc=found[gcc.name], shim=found[shim.name], calls=calls)


def fingerprint(image: str, projects: Path) -> str:
    """Give what GCC's answers depend on, as 16 hex digits: the image, the questions, this file."""
    files = sorted(path for path in (*projects.rglob("*"), Path(__file__)) if path.is_file())
    parts = [image.encode(), *(path.read_bytes() for path in files)]
    return sha256(b"\0".join(parts)).hexdigest()[:16]


def sides(session: Session) -> tuple[Side, Side]:
    """Give the image's compilers, and the shim."""
    path = session.capture(["sh", "-c", "echo $PATH"]).strip().split(":")
    image = [part for part in path if not part.startswith((f"{NATIVE}/", f"{WORK}/"))]
    return (
        Side(name="gcc", path=":".join(image)),
        Side(name="shim", path=":".join([str(COMPILERS), str(BIN), *image])),
    )


def cached(text: str) -> Answers:
    """Read a config.cache.

    >>> cached("ac_cv_header_a_h=${ac_cv_header_a_h=yes}")
    {'ac_cv_header_a_h': 'yes'}
    """
    found = filter(None, map(_CACHED.match, text.splitlines()))
    pairs = {m[1] or m[3]: shlex.join(shlex.split(m[2] or m[4] or "")) for m in found}
    return {
        name: value
        for name, value in pairs.items()
        if name.startswith(_CACHED_PROBES) and not name.startswith("ac_cv_env_")
    }


def _ask(session: Session, side: Side, project: str, ready: Future[None] | None) -> Answers:
    """Run a project on a side, and print the answers: a failing test shows them all."""
    if ready is not None:
        ready.result()
    answers = _PROJECTS[project](session, side)
    for name, value in sorted(answers.items()):
        print(f"{side.name}: {project} {name}={value}")
    return {f"{project} {name}": value for name, value in answers.items()}


def _generate(session: Session) -> None:
    """Make the configure script, once for both sides."""
    session.run(["autoreconf", "--install"], sink=print, cwd=PLACE / "autoconf")


def _meson(session: Session) -> None:
    install: Words = [BIN / "uv", "pip", "install", "--python", TOOLS_PYTHON]
    session.run([*install, "--target", MODULES, MESON], sink=print)


def _ask_configure(session: Session, side: Side) -> Answers:
    build = side.directory("autoconf")
    session.run(("mkdir", "-p", build), sink=print)
    script = (PLACE / "autoconf/configure", "--config-cache", "--quiet")
    session.run(script, sink=print, env={"PATH": side.path}, cwd=build)
    return cached(session.capture(["cat", build / "config.cache"]))


def _ask_cmake(session: Session, side: Side) -> Answers:
    build = side.directory("cmake")
    argv: Words = [BIN / "cmake", "-G", "Ninja", "-S", PLACE / "cmake", "-B", build]
    ninja = f"-DCMAKE_MAKE_PROGRAM={BIN / 'ninja'}"
    session.run([*argv, ninja], sink=print, env={"PATH": side.path})
    lines = session.capture(["cat", build / "probes.txt"]).splitlines()
    return dict(line.split("=", 1) for line in lines)


def _ask_meson(session: Session, side: Side) -> Answers:
    said: list[str] = []
    argv: Words = [TOOLS_PYTHON, "-c", _MESON, "setup", side.directory("meson"), PLACE / "meson"]
    env = {"PATH": side.path, "PYTHONPATH": str(MODULES), "NINJA": str(BIN / "ninja")}
    session.run(argv, sink=said.append, env=env)
    found = filter(None, map(_MESSAGE.match, said))
    return {match[1]: match[2] for match in found}


_PROJECTS = {"cmake": _ask_cmake, "meson": _ask_meson, "autoconf": _ask_configure}
