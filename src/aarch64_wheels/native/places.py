"""Where the native tools, and what they know of the image, are in a container."""

from __future__ import annotations

from pathlib import PurePosixPath

#: The bundle, mounted read-only.
NATIVE = PurePosixPath("/native")
BIN = NATIVE / "bin"
LIBRARIES = NATIVE / "lib"
LOADER = LIBRARIES / "ld-linux-x86-64.so.2"
TOOLS = NATIVE / "tools"
#: The program that repairs wheels (`repairer`), by its name on PATH.
REPAIR = "aarch64-wheels-repair"
INTERPRETERS = NATIVE / "python"
TOOLS_PYTHON = INTERPRETERS / "tools/bin/python3"
#: Asks the image's compilers what they are, and writes what is below `WORK`.
CONFIGURE = NATIVE / "configure.py"

#: Everything of ours in a container that is not mounted is below this directory.
WORK = PurePosixPath("/aarch64-wheels")
COMPILERS = WORK / "compilers"
#: Where cibuildwheel has the project: settings of projects name files there by this path.
PROJECT = PurePosixPath("/project")
CALLS = WORK / "calls"
IDENTITY = WORK / "identity"
