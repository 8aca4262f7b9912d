"""Bytecode of an environment, made by a native interpreter where there is one.

Bytecode is the same on every machine (PEP 3147), if the interpreters agree on its form; making it
under emulation takes longer than most of what is done with it.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.errors import StageError

if TYPE_CHECKING:
    from aarch64_wheels.engine.api import LineSink, Session

_COMPILE = """\
import compileall, importlib.util, re, sys
if importlib.util.MAGIC_NUMBER.hex() == sys.argv[1]:
    rare = re.compile("/site-packages/pip/")  # large, and seldom imported
    compileall.compile_dir(sys.argv[2], quiet=2, workers=int(sys.argv[3]), rx=rare)
"""
_ASK = """\
import importlib.util, sysconfig
print(importlib.util.MAGIC_NUMBER.hex(), sysconfig.get_path("purelib"))
"""


def compile_bytecode(
    session: Session,
    native: PurePosixPath | None,
    magic: str,
    site: PurePosixPath,
    workers: int,
    sink: LineSink,
) -> None:
    """Make the bytecode of packages natively, where that can be done.

    Args:
        session: the container.
        native: the native interpreter, None if there is none.
        magic: of the bytecode wanted, in hex.
        site: the packages' directory.
        workers: how many processes may work at the same time.
        sink: takes what goes wrong, which costs some time later on.
    """
    if native is None:
        return
    try:
        session.run((native, "-I", "-c", _COMPILE, magic, site, str(workers)), sink=sink)
    except StageError as error:  # the interpreters make it themselves, only slower
        sink(f"no bytecode was made natively: {error.what}")


def ask_bytecode(session: Session, python: PurePosixPath) -> tuple[str, PurePosixPath]:
    """Ask an interpreter what its bytecode is, and where its packages are.

    Raises:
        StageError: it does not answer.
    """
    magic, _, site = session.capture([python, "-I", "-c", _ASK]).strip().partition(" ")
    return magic, PurePosixPath(site)
