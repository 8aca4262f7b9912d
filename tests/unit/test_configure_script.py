"""Asking an image's compilers: what they say is kept, and what they do not say stops it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aarch64_wheels.native import configure, gcc_answers
from aarch64_wheels.native.gcc_answers import Question, UnansweredError, ask, questions
from tests.unit.compiler_samples import write_program

GCC = {"-dumpmachine": "aarch64-linux-gnu", "-dumpversion": "12"}


def _question(path: Path, *, complaint: bool = False, needed: bool = True) -> Question:
    return Question(words=(str(path), "-dumpmachine"), complaint=complaint, needed=needed)


def test_questions_are_undisturbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBRARY_PATH", "/elsewhere")
    monkeypatch.setenv("LC_ALL", "tlh")
    write_program(tmp_path / "gcc", 'echo "$LC_ALL $LIBRARY_PATH"')
    assert ask(_question(tmp_path / "gcc")) == "C \n"


#: How a program may die: by itself, below a wrapper, or as a part of GCC.
DEATHS = [
    "kill -SEGV $$",
    "kill -KILL $$",
    "exit 139",
    "echo 'gcc: fatal error: Killed signal terminated program cc1' >&2; exit 1",
    "echo 'gcc: internal compiler error: Segmentation fault' >&2; exit 4",
]


@pytest.mark.parametrize("death", DEATHS)
def test_killed_program_is_asked_again(tmp_path: Path, death: str) -> None:
    """QEMU crashes now and then; half an answer must not be kept."""
    once = f"if mkdir {tmp_path}/died 2>/dev/null; then echo half; {death}; fi"
    write_program(tmp_path / "gcc", f"{once}\necho whole")
    assert ask(_question(tmp_path / "gcc")) == "whole\n"


@pytest.mark.parametrize("needed", [True, False])
@pytest.mark.parametrize("death", DEATHS)
def test_program_that_is_always_killed_is_named(
    tmp_path: Path, death: str, *, needed: bool
) -> None:
    write_program(tmp_path / "gcc", f"echo half\necho >> {tmp_path}/count\n{death}")
    with pytest.raises(UnansweredError, match="gcc -dumpmachine` was killed 3 times"):
        ask(_question(tmp_path / "gcc", needed=needed))
    assert (tmp_path / "count").read_text() == "\n" * 3


@pytest.mark.parametrize(("complaint", "said"), [(False, "answer\n"), (True, "complaint\n")])
def test_streams_are_kept_apart(tmp_path: Path, *, complaint: bool, said: str) -> None:
    write_program(tmp_path / "gcc", "echo answer\necho complaint >&2\nexit 1")
    assert ask(_question(tmp_path / "gcc", complaint=complaint)) == said


def test_complaint_is_no_answer(tmp_path: Path) -> None:
    write_program(tmp_path / "gcc", "echo 'unrecognized option' >&2\nexit 1")
    assert ask(_question(tmp_path / "gcc", needed=False)) == ""
    with pytest.raises(UnansweredError) as error:
        ask(_question(tmp_path / "gcc"))
    assert str(error.value) == (
        f"`{tmp_path}/gcc -dumpmachine` gave no answer (status 1): unrecognized option"
    )


def test_what_an_image_may_lack_is_not_needed() -> None:
    """Old GCCs have fewer questions, an image may have neither C++ nor a linker on its PATH."""
    optional = {*gcc_answers.KEPT} - {"-dumpmachine", "-dumpversion", "-print-libgcc-file-name"}
    optional |= {"architectures", "extensions", "processors"}
    absent = {"c++ macros", "linker options", "linker directories"}
    tools = {"gcc": ("cc", "/gcc")}
    all_tools = {**tools, "g++": ("c++", "/g++"), "ld": ("ld", "/ld")}
    for found, expected in ((tools, optional | absent), (all_tools, optional)):
        asked = questions(found, Path("/zig"))
        assert {name for name, question in asked.items() if not question.needed} == expected


def _lay_out(root: Path, **special: str) -> None:
    """Make a container's files: no package around the scripts, fakes for programs."""
    (root / "native").mkdir()
    for name in ("configure.py", "gcc_answers.py"):
        source = Path(configure.__file__).with_name(name)
        (root / "native" / name).write_bytes(source.read_bytes())
    write_program(root / "native/zig/zig", "echo -- -Wall; echo '-###' >&2")
    cases = "".join(f"{option}) echo {said};; " for option, said in GCC.items())
    cases += "".join(f"{option.replace('_', '-')}) {does};; " for option, does in special.items())
    write_program(
        root / "bin/gcc",
        f'case "$1" in {cases} -###) echo x >&2;; *) echo {root}/l/libgcc.a;; esac',
    )
    write_program(root / "work/compilers/gcc")
    for directory, names in (("native/zig/lib", "stdatomic.h"), ("l", "stdatomic.h omp.h")):
        (root / directory / "include").mkdir(parents=True)
        for name in names.split():
            (root / directory / "include" / name).touch()


def _configure(root: Path) -> subprocess.CompletedProcess[str]:
    script = root / "native/configure.py"
    return subprocess.run(
        [sys.executable, "-I", script, "--native", root / "native", "--work", root / "work"],
        env={"PATH": f"{root}/work/compilers:{root}/bin:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("times", [1, 2])
def test_script_runs_on_its_own(tmp_path: Path, times: int) -> None:
    _lay_out(tmp_path, _dumpfullversion="echo unheard of >&2; exit 1")
    done = [_configure(tmp_path) for _ in range(times)][-1]
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("aarch64-linux-gnu, GCC 12: ")
    link = tmp_path / "work/compilers/gcc"
    assert link.readlink() == tmp_path / "native/shim"
    assert (tmp_path / "work/answers/dumpversion").read_text() == "12\n"
    assert not (tmp_path / "work/answers/dumpfullversion").exists()
    conf = (tmp_path / "work/shim.conf").read_text().splitlines()
    assert conf[0] == "policy auto"
    assert f"tool gcc cc {tmp_path}/bin/gcc" in conf


def test_of_gccs_headers_those_are_at_hand_that_clang_lacks(tmp_path: Path) -> None:
    """clang's stdatomic.h would go on to GCC's, which clang cannot compile."""
    _lay_out(tmp_path)
    assert _configure(tmp_path).returncode == 0
    headers = list((tmp_path / "work/headers").iterdir())
    assert [header.readlink() for header in headers] == [tmp_path / "l/include/omp.h"]
    conf = (tmp_path / "work/shim.conf").read_text().splitlines()
    assert f"headers {tmp_path}/work/headers" in conf


@pytest.mark.parametrize(
    ("does", "what"),
    [("kill -SEGV $$", "was killed 3 times (status -11)"), ("exit 0", "gave no answer (status 0)")],
)
def test_question_without_an_answer_stops_it(tmp_path: Path, does: str, what: str) -> None:
    _lay_out(tmp_path, _print_libgcc_file_name=does)
    done = _configure(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"`{tmp_path}/bin/gcc -print-libgcc-file-name` {what}\n"
    assert not (tmp_path / "work/shim.conf").exists()


def test_image_without_a_compiler_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, configure.__file__, "--work", tmp_path],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "this image has no gcc: nothing to stand in for\n"
