"""Files of build requirements that are linked or included must be the target's.

What is imported stays native. See `identity/overlay.py`, which does the work in the container.
"""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.errors import CommandError
from aarch64_wheels.native.backend import NotNative
from aarch64_wheels.native.markers import depends_on_machine
from aarch64_wheels.native.placement import PACKAGE
from aarch64_wheels.native.places import WORK
from aarch64_wheels.stages.job import ENVIRONMENT, PYTHON, UV_ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aarch64_wheels.engine.api import LineSink, Session
    from aarch64_wheels.native.facts import Facts

OVERLAY = WORK / "overlay"
_SCRIPT = PACKAGE / "overlay.py"
#: uv's words where there is no wheel, and nothing may be or can be built.
_NO_WHEEL = re.compile(r"has no (usable )?wheels|[Bb]uilding from source is disabled")
#: The glibc 2.x that uv knows a platform for, besides manylinux2014's 2.17.
_KNOWN_GLIBC = (28, *range(31, 41))


def lay_over(session: Session, facts: Facts, sink: LineSink) -> None:
    """Replace what will be linked or included by the same files of the target's wheels.

    Raises:
        NotNative: a requirement has no wheel for the target, a library would have to be native
            and the target's at once, or the target would have got other requirements.
        StageError: the index does not answer.
    """
    site = ENVIRONMENT / facts.site
    found = json.loads(session.capture([PYTHON, "-I", _SCRIPT, "scan", site], sink=sink))
    if found["foreign"]:
        raise NotNative(f"a build requirement is for another machine: {found['foreign']}")
    if found["conflict"]:
        raise NotNative(found["conflict"])
    for requirement in found["conditional"]:
        if depends_on_machine(requirement, facts):
            raise NotNative(f"a build requirement differs between machines: {requirement}")
    wheels = [f"{name}=={version}" for name, version in found["wheels"]]
    if not wheels:
        return
    _fetch(session, facts, sink, wheels)
    changed = json.loads(session.capture([PYTHON, "-I", _SCRIPT, "merge", site, OVERLAY]))
    sink(f"of the target's own {', '.join(wheels)}: {len(changed)} files to link or include")


def _fetch(session: Session, facts: Facts, sink: LineSink, wheels: Sequence[str]) -> None:
    argv: list[str | PurePosixPath]
    argv = ["uv", "pip", "install", "--python", PYTHON, "--target", OVERLAY, "--no-deps"]
    argv += ["--python-platform", uv_platform(facts.libc_version), "--only-binary", ":all:"]
    try:
        session.run([*argv, "--", *wheels], sink=sink, env=UV_ENVIRONMENT, cwd=PurePosixPath("/"))
    except CommandError as error:
        if not lacks_wheel(error.tail):
            raise
        what = f"files of {', '.join(wheels)} are to be linked or included"
        raise NotNative(f"{what}, and there is no wheel of it for the target") from error


def lacks_wheel(said: str) -> bool:
    """Tell whether uv says that there is no wheel, rather than that an index has trouble."""
    return bool(_NO_WHEEL.search(said))


def uv_platform(libc_version: str) -> str:
    """Give uv's name for the target: what the emulated interpreter would take wheels of.

    Args:
        libc_version: `glibc 2.28`, empty for musl.
    """
    found = re.fullmatch(r"glibc 2\.(\d+)", libc_version)
    if found is None:
        return "aarch64-unknown-linux-musl"
    fitting = [minor for minor in _KNOWN_GLIBC if minor <= int(found[1])]
    return f"aarch64-manylinux_2_{max(fitting)}" if fitting else "aarch64-manylinux2014"
