"""In mode `accelerated` nothing of a build is emulated but the shell and its small helpers.

The proof: in the container of the build, after it was made ready, every aarch64 program of the
image is replaced by a script that writes down its call. All but a few named ones then fail, so a
build that ends well has run none of them; and the record says what it ran of the others.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import platformdirs
import pytest
from bench.sources import load_catalogue

from aarch64_wheels.report.model import Status
from aarch64_wheels.settings.schema import Backend, Compiler, Mode, Settings
from aarch64_wheels.stages.job import ENVIRONMENT
from tests.integration.traps import ALLOWED, build_among_traps, lay_traps, read_record

if TYPE_CHECKING:
    from pathlib import Path

    from bench.sources import Source

    from aarch64_wheels.engine.api import Session
    from tests.integration.conftest import Run

SOURCES = load_catalogue().sources
GCC = "/opt/gcc-10/usr/lib/gcc/aarch64-linux-gnu/10"
#: What issue 3 names, where the image has it, and the interpreter that runs all of Python.
TOOLS = {
    "cc1": f"{GCC}/cc1",
    "cc1plus": f"{GCC}/cc1plus",
    "collect2": f"{GCC}/collect2",
    "lto1": f"{GCC}/lto1",
    "as": "/usr/bin/as",
    "ld": "/usr/bin/ld",
    "gcc": "/usr/bin/gcc",
    "g++": "/usr/bin/g++",
    "ar": "/usr/bin/ar",
    "make": "/usr/bin/make",
    "python": "/opt/python/cp313-cp313/bin/python",
    "auditwheel": "/usr/local/bin/auditwheel",
    "uv": "/usr/local/bin/uv",
    "patchelf": "/usr/local/bin/patchelf",
}


def settings_of(source: str, output: Path, compiler: Compiler) -> Settings:
    return Settings(
        source=source,
        image="debian",
        python=("cp313",),
        mode=Mode.ACCELERATED,
        backend=Backend.NATIVE,
        compiler=compiler,
        # The tests that these projects ask for in their settings are emulated by design.
        test_skip=("*",),
        output_dir=output,
        cache_dir=platformdirs.user_cache_path("aarch64-wheels"),
    )


@pytest.fixture(scope="module")
def asked(
    run: Run, spring: Path, debian_image: str, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The image, of which an ordinary build has learnt all that is asked only once."""
    for compiler in (Compiler.NATIVE_ONLY, Compiler.GCC):
        output = tmp_path_factory.mktemp(compiler)
        words = ["--image=debian", "--python=cp313", "--mode=accelerated", "--backend=native"]
        done = run("build", spring, *words, "--compiler", compiler, "--output-dir", output)
        assert done.returncode == 0, done.stdout + done.stderr
    return debian_image


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_no_emulated_tool_runs(asked: str, source: Source, tmp_path: Path) -> None:
    assert asked
    settings = settings_of(source.requirement, tmp_path / "out", Compiler.NATIVE_ONLY)
    report, record = build_among_traps(settings)
    print(*record.ran, "trapped:", *record.trapped, "programs:", *record.programs, sep="\n")
    assert record.trapped == ()
    assert [target.status for target in report.targets] == [Status.OK]
    assert record.names() <= ALLOWED
    # cmake, ninja and the like may also come as wheels: none that is there is an emulated one.
    tools = [path for path in record.programs if path.startswith(str(ENVIRONMENT))]
    assert tools == []


def test_a_build_with_gcc_is_trapped(asked: str, spring: Path, tmp_path: Path) -> None:
    assert asked
    settings = settings_of(str(spring), tmp_path / "out", Compiler.GCC)
    report, record = build_among_traps(settings)
    assert [target.status for target in report.targets] == [Status.FAILED]
    names = {PurePosixPath(line.split("\t")[0]).name for line in record.trapped}
    assert names & {"aarch64-linux-gnu-gcc-10", "aarch64-linux-gnu-g++-10"}


def test_each_tool_of_the_image_is_trapped(accelerated_session: Session) -> None:
    lay_traps(accelerated_session)
    script = "".join(f"{path} --version >/dev/null 2>&1; echo $?\n" for path in TOOLS.values())
    answer = accelerated_session.capture(["sh", "-c", script])
    assert dict(zip(TOOLS, answer.split(), strict=True)) == dict.fromkeys(TOOLS, "97")
    assert len(read_record(accelerated_session).trapped) == len(TOOLS)
