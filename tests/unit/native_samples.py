"""A stand-in for uv that makes the native tools' wheels, and for what lays out their system."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.native.components import COMPONENTS
from aarch64_wheels.native.system import NoInterpreter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Makes the files of each wheel in its lock, as scripts that write down how they are called.
UV = """#!{python}
import json, sys
from pathlib import Path

log, files = Path({log!r}), json.loads({files!r})
options = dict(word.split("=", 1) for word in sys.argv if word.startswith("--") and "=" in word)
lock = Path(options["--requirements"]).read_text()
names = [line.split("==")[0] for line in lock.splitlines() if "==" in line]
with log.open("a") as stream:
    print(options["--python-platform"], *names, file=stream)
for name in names:
    for file in files[name]:
        path = Path(options["--target"]) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\\necho ${{0##*/}} $* >> {log}\\n" + {clang!r})
        path.chmod(0o755)
"""

#: And one of them is asked for its version.
CLANG = "[ \"$*\" != 'clang --version' ] || echo 'clang version 1.2.3'\n"

#: Directories of the wheels, and what they hold here.
DIRECTORIES = {
    "ziglang/lib/include": ("stddef.h", "arm_neon.h"),
    "cmake/data/share/cmake-*": ("Modules/CMake.cmake", "Templates/t.in", "Help/index.rst"),
    "auditwheel": ("__init__.py", "main.py"),
    "auditwheel-*.dist-info": ("METADATA",),
    "elftools": ("__init__.py",),
    "packaging": ("__init__.py",),
}


def wheel_files() -> dict[str, list[str]]:
    """The files of each wheel that the components take their parts from, and one more."""
    files: dict[str, list[str]] = {}
    for row in COMPONENTS:
        found = files.setdefault(row.name, [f"{row.name}-1.0.dist-info/RECORD"])
        for pattern, _ in row.files:
            below = DIRECTORIES.get(pattern)
            found += [pattern, *()] if below is None else [f"{pattern}/{name}" for name in below]
    return {name: [file.replace("*", "1.0") for file in rows] for name, rows in files.items()}


def write_uv(path: Path, log: Path, files: dict[str, list[str]] | None = None) -> None:
    """Write the stand-in for uv, which keeps its calls in `log`."""
    text = json.dumps(wheel_files() if files is None else files)
    write_script(path, UV.format(python=sys.executable, log=str(log), files=text, clang=CLANG))


@dataclass(kw_only=True)
class FakeSystem:
    """Lays out a loader and an interpreter that are scripts; `versions` are those it has."""

    log: Path
    key: str = "system-1"
    release: str = "3.13.0"
    tools_version: str = "3.13"
    versions: tuple[str, ...] = ("3.13",)
    laid: list[str] = field(default_factory=list)
    error: Exception | None = None

    def interpreter_key(self, version: str, note: Callable[[str], None]) -> str:
        note(f"asked for {version}")
        return f"{self.key} {version} {self.release}"

    def lay_libraries(self, into: Path) -> None:
        self.laid.append("libraries")
        if self.error:
            raise self.error
        write_script(into / "ld-linux-x86-64.so.2", f"#!/bin/sh\necho ld $* >> {self.log}\n")
        (into / "libc.so.6").touch()

    def lay_interpreter(self, version: str, into: Path) -> None:
        self.laid.append(version)
        if version not in self.versions:
            raise NoInterpreter(version, "nobody has one")
        write_script(into / f"bin/python{version}", "#!/bin/sh\n")
        (into / "bin/python3").symlink_to(f"python{version}")
