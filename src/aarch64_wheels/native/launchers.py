"""Lays the programs that run auditwheel with the native Python."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.native.places import NATIVE, REPAIR, TOOLS, TOOLS_PYTHON

if TYPE_CHECKING:
    from pathlib import Path

#: Goes beside auditwheel, which it imports.
REPAIRER = "repairer.py"

_START = f"""\
#!{TOOLS_PYTHON} -IS
import sys

sys.path.insert(0, "{TOOLS}")

"""
#: The stage of the repair calls the first; the second is for commands of a project.
_LAUNCHERS = {
    REPAIR: """\
from repairer import main

main()
""",
    "auditwheel": """\
from repairer import stand_on_aarch64

stand_on_aarch64()

from auditwheel.main import main

sys.exit(main())
""",
}


def lay_launchers(root: Path) -> None:
    """Put them and what they run into a bundle, which holds auditwheel already.

    Args:
        root: of the bundle, on this host.
    """
    source = resources.files("aarch64_wheels.native") / REPAIRER
    (root / TOOLS.relative_to(NATIVE) / REPAIRER).write_bytes(source.read_bytes())
    for name, text in _LAUNCHERS.items():
        write_script(root / "bin" / name, f"{_START}{text}")
