"""Puts our part of a build's interpreters into the container, and says when it acts."""

from __future__ import annotations

import shutil
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.native.identity.startup import IDENTITY_VARIABLE, PARALLEL_VARIABLE
from aarch64_wheels.native.places import IDENTITY

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.native.facts import Facts

PACKAGE = IDENTITY / "_aarch64_wheels"
CALL_HOOK = PACKAGE / "call_hook.py"
STARTUP_VARIABLE = "AARCH64_WHEELS_STARTUP"

#: In an environment's site-packages: every interpreter of it reads this when it starts. Without
#: the variable it does nothing, so an installer sees the interpreter as it is.
PTH_NAME = "aarch64_wheels.pth"
PTH = (
    f'import os, sys; p = os.environ.get("{STARTUP_VARIABLE}"); p and (sys.path.append(p), '
    '__import__("_aarch64_wheels.startup"), sys.path.remove(p))\n'
)


def place_identity(session: Session, facts: Facts) -> None:
    """Copy the start-up package, the scripts, and the target's facts into the container."""
    with tempfile.TemporaryDirectory(prefix="aarch64-wheels-") as scratch:
        package = Path(scratch) / PACKAGE.name
        package.mkdir()
        for place, suffix in (("native.identity", ".py"), ("stages", "call_hook.py")):
            _copy(f"aarch64_wheels.{place}", suffix, package)
        for name, text in facts.modules().items():
            (package / name).write_text(text, encoding="utf-8")
        session.copy_in(Path(scratch), IDENTITY)


def _copy(package: str, suffix: str, directory: Path) -> None:
    for item in resources.files(package).iterdir():
        if item.name.endswith(suffix):
            with resources.as_file(item) as path:
                shutil.copy(path, directory)


def write_pth(session: Session, site: PurePosixPath) -> None:
    """Have an environment's interpreters read the start-up package."""
    session.write(site / PTH_NAME, PTH.encode())


def startup_variables(*, identity: bool, parallel: int) -> dict[str, str]:
    """Give the variables of a hook.

    Args:
        identity: its interpreter says that it is the target's.
        parallel: how many processes of the build may work at the same time.
    """
    variables = {STARTUP_VARIABLE: str(IDENTITY)}
    if identity:
        variables[IDENTITY_VARIABLE] = "1"
    if parallel > 1:
        variables[PARALLEL_VARIABLE] = str(parallel)
    return variables
