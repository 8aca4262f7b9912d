"""Ask the image's GCC, its linker and clang what they are, and read their answers.

As `configure.py`, whose part it is, this needs nothing but the standard library.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: Names of compilers, the part each plays for the shim and where the image's own program is.
Tools = dict[str, tuple[str, str]]

#: Questions whose answers are kept; the others go to GCC itself when somebody asks them.
KEPT = (
    *("-dumpmachine", "-dumpversion", "-dumpfullversion", "-print-search-dirs"),
    *("-print-multiarch", "-print-libgcc-file-name", "-print-multi-lib", "-print-sysroot"),
    "-print-prog-name=ld",
)
#: Without an answer to these, nothing is known.
_NEEDED = ("-dumpmachine", "-dumpversion", "-print-libgcc-file-name")
_HELP = ("common", "target", "optimizers", "warnings", "c", "c++", "undocumented")

#: Settings of the caller that change what GCC answers.
_DISTURBING = ("LIBRARY_PATH", "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "GCC_EXEC_PREFIX")

#: How often a program is started that was killed: by QEMU, or for want of memory.
_TRIES = 3
#: What GCC's driver says when that happened to a part of it.
_KILLED = re.compile(rb"terminated program|internal compiler error")


class UnansweredError(Exception):
    """A compiler did not say what must be known of it."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A command whose output tells something.

    Attributes:
        words: the command.
        complaint: it answers on standard error.
        needed: without an answer, the compilers cannot be stood in for.
    """

    words: tuple[str, ...]
    complaint: bool = False
    needed: bool = True


@dataclass(frozen=True, kw_only=True)
class Gcc:
    """What the image's GCC is, read from its answers to `questions`."""

    answers: dict[str, str]

    @property
    def triplet(self) -> str:
        """What it calls the target."""
        return self.answers["-dumpmachine"].strip()

    @property
    def major(self) -> int:
        """The first number of its version."""
        return int(self.answers["-dumpversion"].split(".")[0])

    @property
    def install(self) -> str:
        """Where its libgcc is, which is what clang calls its installation."""
        return os.path.normpath(self.answers["-print-libgcc-file-name"].strip() + "/..")

    @property
    def link(self) -> tuple[str, ...]:
        """The words its linker would be called with for a program."""
        lines = re.findall(r"^ \S*/collect2\"? (.*)$", self.answers["link"], re.MULTILINE)
        return tuple(shlex.split(lines[0])) if lines else ()

    @property
    def libraries(self) -> list[str]:
        """The directories it looks for libraries in, in its order."""
        found = (os.path.normpath(word[2:]) for word in self.link if word.startswith("-L"))
        return list(dict.fromkeys(found))

    def macro(self, name: str, language: str = "c") -> str | None:
        """Give the value of what it predefines when it optimises, None if it does not."""
        text = self.answers[f"{language} macros"]
        found = re.search(rf"^#define {name} ?(.*)$", text, re.MULTILINE)
        return found[1] if found else None

    def has_on(self, option: str) -> bool:
        """Say whether an option is on by itself."""
        return bool(re.search(rf"^\s+{option}\s+\[enabled\]", self.answers["on"], re.MULTILINE))


def questions(tools: Tools, zig: Path) -> dict[str, Question]:
    """Give the questions whose answers tell everything, by what they tell."""
    cc, none = tools["gcc"][1], os.devnull
    cxx = tools.get("g++", ("", cc))[1]
    ld = next((path for role, path in tools.values() if role == "ld"), None)

    def machine(option: str) -> Question:
        words = (cc, f"{option}unheard-of", "-fsyntax-only", "-x", "c", none)
        return Question(words=words, complaint=True, needed=False)  # old GCCs list none

    def linker(option: str) -> Question:
        return Question(words=(ld or "true", option), needed=ld is not None)

    kept = {each: Question(words=(cc, each), needed=each in _NEEDED) for each in KEPT}
    cxx_macros = (cxx, "-dM", "-E", "-x", "c++", none)
    return kept | {
        "link": Question(words=(cxx, "-###", "-x", "c", none, "-o", "probe"), complaint=True),
        "c macros": Question(words=(cc, "-O2", "-dM", "-E", "-x", "c", none)),
        "c++ macros": Question(words=cxx_macros, needed="g++" in tools),
        "on": Question(words=(cc, "-Q", "--help=common", "--help=target")),
        "options": Question(words=(cc, *(f"--help={part}" for part in _HELP))),
        "architectures": machine("-march="),
        "extensions": machine("-march=armv8-a+"),
        "processors": machine("-mcpu="),
        "linker options": linker("--help"),
        "linker directories": linker("--verbose"),
        "compiler proper": Question(words=(cc, "-print-prog-name=cc1")),
        "clang warnings": Question(words=(str(zig), "clang", "--autocomplete=-W")),
        "clang options": Question(words=(str(zig), "clang", "--autocomplete=-")),
    }


def ask_all(tools: Tools, zig: Path) -> Gcc:
    """Ask every question, some at a time.

    Raises:
        UnansweredError: one that must be answered was not.
    """
    asked = questions(tools, zig)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        said = pool.map(ask, asked.values())
    return Gcc(answers=dict(zip(asked, said, strict=True)))


def ask(question: Question) -> str:
    """Run a program as if the caller had told compilers nothing; give what it said.

    Raises:
        UnansweredError: it was killed each time, or said nothing where it must.
    """
    for _ in range(_TRIES):
        done = _run(question.words)
        if not _was_killed(done):
            break
    else:
        raise _unanswered(question, f"was killed {_TRIES} times", done)
    said = (done.stderr if question.complaint else done.stdout).decode(errors="replace")
    if question.needed and not said.strip():
        raise _unanswered(question, "gave no answer", done)
    return said


def _run(words: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
    environment = {k: v for k, v in os.environ.items() if k not in _DISTURBING}
    environment["LC_ALL"] = "C"
    return subprocess.run(words, env=environment, capture_output=True, check=False)


def _was_killed(done: subprocess.CompletedProcess[bytes]) -> bool:
    """Say whether a signal ended it, a program that its wrapper ran, or a part of GCC."""
    by_signal = done.returncode < 0 or done.returncode > 128  # noqa: PLR2004
    return by_signal or bool(_KILLED.search(done.stderr))


def _unanswered(
    question: Question, what: str, done: subprocess.CompletedProcess[bytes]
) -> UnansweredError:
    tail = done.stderr.decode(errors="replace").strip()[-300:]
    text = f"`{shlex.join(question.words)}` {what} (status {done.returncode})"
    return UnansweredError(f"{text}: {tail}" if tail else text)
