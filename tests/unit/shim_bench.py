"""The shim, built by this machine's compiler, between fake compilers that say how they were run."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_FAKE = """\
#!/bin/sh
# Says how it was run, then what the test wants it to say.
{ [ $# = 0 ] || printf '%s\\000' "$@"; printf '\\001'; } >> "LOG/NAME.argv"
printf '%s' "$MARK" > "LOG/NAME.mark"
[ -z "$NAME_STDIN" ] || cat > "LOG/NAME.stdin"
printf '%s' "$NAME_STDOUT"
printf '%s' "$NAME_STDERR" >&2
[ -z "$NAME_SIGNAL" ] || kill -s "$NAME_SIGNAL" $$
exit "${NAME_STATUS:-0}"
"""

CONF = """\
policy auto
tool gcc cc {real}
tool gcc-10 cc {real}
tool g++ c++ {real}
tool aarch64-linux-gnu-g++ c++ {real}
tool cpp cpp {real}
tool gfortran fortran {real}
tool ld ld {real}
tool ar ar {real}
tool gcc-ar ar {real}
tool ranlib ranlib {real}
std-c gnu17
std-c++ gnu++14
always --ALWAYS
lenient --LENIENT
headers --HEADERS
link --LINK
link-last --LAST
libdir {root}/libraries
ld-last --LD-LAST
"""

#: p: clang has it; d: dropped; b: without its value; f: GCC must do it; c: clang's alone.
OPTIONS = {
    "p": """-Wall -Wextra -Wformat=2 -Werror -Wno-error -Wimplicit-fallthrough -Wunused-variable
 -Wint-conversion -Wno-unused -Wunused -fPIC -fwrapv -fno-plt -fvisibility= -mcmodel= -std=c++11
 -ftemplate-depth- -fno-semantic-interposition -mstrict-align -march=armv8-a -mcpu=cortex-a72
 -mcpu=old -mtune=cortex-a72 -mtune=old -mcpu=generic +fp +sve +crypto +crc ld:warn-once
 __builtin_abs __builtin_apply __builtin_goto -fpack-struct= -std=c11 -std=c99 -std=gnu99
 -std=gnu11 -std=gnu2x
 -std=gnu++17 -std=gnu++2a -std=c++17 -std=c++2a""",
    "d": """-Wlogical-op -Wno-logical-op -fno-tree-vectorize -ftree-vectorize -fipa-pta
 -flto-partition= -Wstringop-overflow=""",
    "b": "-Wimplicit-fallthrough= -Wunused-const-variable= -Wshadow=",
    "f": "-fabi-version= -fkeep-inline-functions -ffixed- --weird",
    "c": """-Wshorten-64-to-32 -fcolor-diagnostics -mavx2 -msse2 -stdlib= -Wunknown-warning-option
 -Wunused-command-line-argument -fconstexpr-steps=""",
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one call.

    Attributes:
        status: the shim's exit status, -N after signal N.
        out: its standard output.
        err: its standard error.
        clang: the words of its calls of zig, one list for each call.
        real: the words of its calls of the image's compiler.
    """

    status: int
    out: str
    err: str
    clang: list[list[str]]
    real: list[list[str]]

    @property
    def words(self) -> list[str]:
        """The user's words as clang got them."""
        return _outside(self.clang[0])

    @property
    def additions(self) -> list[str]:
        """What the shim gave clang besides."""
        outside = _outside(self.clang[0])
        return [w for w in self.clang[0][1:] if w not in outside and "unused-arguments" not in w]


def _outside(words: list[str]) -> list[str]:
    """Leave out what stands between --start-no-unused-arguments and --end-no-unused-arguments."""
    found, inside = list[str](), False
    for word in words[1:]:
        if word == "--start-no-unused-arguments":
            inside = True
        elif word == "--end-no-unused-arguments":
            inside = False
        elif not inside and not word.startswith("--driver-mode="):
            found.append(word)
    return found


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A place with the shim's links, its configuration and the fakes.

    Attributes:
        root: the directory, in which the shim is run.
    """

    root: Path

    @property
    def calls(self) -> list[list[str]]:
        """The lines of the record, in fields."""
        text = (self.root / "work/calls").read_text()
        return [line.split("\t") for line in text.splitlines()]

    def configure(self, *, policy: str = "auto", text: str = CONF) -> None:
        """Write shim.conf, links and an empty record."""
        lines = text.replace("policy auto", f"policy {policy}").format(
            real=self.root / "REAL", root=self.root
        )
        table = {name: letter for letter, names in OPTIONS.items() for name in names.split()}
        options = "".join(f"{name} {table[name]}\n" for name in sorted(table, key=os.fsencode))
        (self.root / "work/shim.conf").write_text(f"{lines}options\n{options}")
        (self.root / "work/calls").write_text("")

    def run(self, command: str | list[str], *, stdin: str = "", **environment: str) -> Outcome:
        """Run the shim by the name that begins `command`, with words in a shell's quoting."""
        for log in self.root.glob("*.argv"):
            log.unlink()
        words = shlex.split(command) if isinstance(command, str) else command
        done = subprocess.run(
            [str(self.root / "work/compilers" / words[0]), *words[1:]],
            cwd=self.root,
            env={"PATH": os.environ["PATH"], "MARK": "inherited"} | environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        clang, real = (self._logged(name) for name in ("ZIG", "REAL"))
        return Outcome(
            status=done.returncode, out=done.stdout, err=done.stderr, clang=clang, real=real
        )

    def _logged(self, name: str) -> list[list[str]]:
        log = self.root / f"{name}.argv"
        calls = log.read_bytes().decode().split("\1")[:-1] if log.exists() else []
        return [call.split("\0")[:-1] for call in calls]


def build_bench(root: Path) -> Bench:
    """Compile the shim for `root` and lay out everything around it."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.fail("the shim's tests compile it: install a C compiler (cc) on this machine")
    for directory in ("native/zig", "native/bin", "work/compilers", "work/answers", "libraries"):
        (root / directory).mkdir(parents=True)
    with resources.as_file(resources.files("aarch64_wheels.native") / "shim") as sources:
        subprocess.run(
            [
                *(compiler, "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-O1", "-ffreestanding"),
                *("-fno-stack-protector", "-fno-tree-loop-distribute-patterns", "-fno-pie"),
                *("-nostdlib", "-static", "-no-pie", f'-DNATIVE="{root}/native"'),
                *(f'-DWORK="{root}/work"', str(sources / "shim.c"), "-o", str(root / "shim")),
            ],
            check=True,
        )
    for line in CONF.splitlines():
        if line.startswith("tool "):
            (root / "work/compilers" / line.split()[1]).symlink_to(root / "shim")
    (root / "native/bin/ld.lld").symlink_to(root / "shim")
    _write_fake(root, root / "native/zig/zig", "ZIG")
    _write_fake(root, root / "REAL", "REAL")
    bench = Bench(root=root)
    bench.configure()
    return bench


def _write_fake(root: Path, path: Path, name: str) -> None:
    path.write_text(_FAKE.replace("LOG", str(root)).replace("NAME", name))
    path.chmod(0o755)
