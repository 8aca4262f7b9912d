"""What native tools cannot do is done by the image's own, emulated; and what nobody can, once."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.elf_interface import read_wheel_interface
from tests.integration.suites import INTERPRETER, install_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from aarch64_wheels.engine.api import Session
    from tests.integration.conftest import Accelerated, Run

#: What a wheel may ask of any system (PEP 599); all else must be in the wheel.
SYSTEM = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "ld-linux-aarch64.so.1"}


@dataclass(frozen=True, kw_only=True)
class Built:
    """One run of the command for CPython 3.13, and what it left in the output directory."""

    status: int
    said: str
    output: Path
    target: Mapping[str, Any]
    log: str

    @property
    def wheel(self) -> Path:
        assert self.status == 0, self.said
        (path,) = self.output.glob("*.whl")
        return path

    @property
    def reasons(self) -> dict[str, int]:
        return dict(self.target["calls"]["reasons"])

    @property
    def compilers(self) -> dict[str, list[str]]:
        """Give the compilers of each object, without their versions, by its bare name."""
        rows = self.target["wheel"]["objects"]
        return {
            re.sub(r".*/|[-.].*", "", row["path"]): [name.split()[0] for name in row["compilers"]]
            for row in rows
        }


@pytest.fixture(scope="module")
def build(
    run: Run, debian_image: str, projects: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Built]:
    """Build one of the projects, with options."""
    assert debian_image

    def build_project(name: str, *options: str) -> Built:
        output = tmp_path_factory.mktemp(name)
        words = ["--image=debian", "--python=cp313", "--mode=accelerated", *options]
        done = run("build", projects / name, *words, "--output-dir", output)
        said = done.stdout + done.stderr
        assert done.returncode in (0, 1), said
        report = json.loads((output / "report.json").read_text(encoding="utf-8"))
        (target,) = report["targets"]
        log = (output / target["log"]).read_text(encoding="utf-8")
        return Built(status=done.returncode, said=said, output=output, target=target, log=log)

    return build_project


@pytest.fixture(scope="module")
def openmp(build: Callable[..., Built]) -> Built:
    return build("openmp")


@pytest.fixture(scope="module")
def fortran(build: Callable[..., Built]) -> Built:
    return build("fortran")


@pytest.fixture(scope="module")
def importer(build: Callable[..., Built]) -> Built:
    return build("importer")


@pytest.fixture(scope="module")
def container(accelerated: Accelerated) -> Iterator[Session]:
    with accelerated() as session:
        yield session


def ask(session: Session, wheel: Path, script: str) -> str:
    """Run a script of the image's own CPython 3.13 with the wheel installed."""
    site = PurePosixPath("/tried") / wheel.stem / "site"
    install_wheel(session, wheel, site)
    variables = {"PYTHONPATH": str(site), "OMP_NUM_THREADS": "3"}
    return session.capture([INTERPRETER, "-P", "-c", script], env=variables, sink=print).strip()


def missing_libraries(wheel: Path) -> set[str]:
    """Name what the wheel's objects ask for that is neither in it nor in every system."""
    interface = read_wheel_interface(wheel)
    grafted = {PurePosixPath(name).name for name in interface.objects}
    needed = {name for row in interface.objects.values() for name in row.needed}
    return needed - grafted - SYSTEM


def test_openmp_is_compiled_by_the_images_own_compiler(openmp: Built) -> None:
    assert openmp.wheel
    assert openmp.target["backend"] == "native"
    assert openmp.reasons == {"openmp": 2}
    assert openmp.target["calls"]["fallback"] == 2
    assert openmp.compilers["_core"] == ["gcc"]
    assert openmp.compilers["_plain"] == ["clang"]
    assert "openmp" in openmp.said


def test_openmp_works(openmp: Built, container: Session) -> None:
    assert missing_libraries(openmp.wheel) == set()
    script = (
        "import manythreads as m; print(m.max_threads(), m.team(), m.squares(1000), m.answer())"
    )
    assert ask(container, openmp.wheel, script) == f"3 3 {sum(i * i for i in range(1001))} 42"


def test_the_runtime_of_openmp_travels_in_the_wheel(openmp: Built) -> None:
    objects = read_wheel_interface(openmp.wheel).objects
    (core,) = (row for name, row in objects.items() if "_core" in name)
    grafted = {name for name in core.needed if name.startswith("libgomp")}
    assert {PurePosixPath(name).name for name in objects} >= grafted
    assert grafted


def test_fortran_is_compiled_by_the_images_own_compiler(fortran: Built) -> None:
    assert fortran.wheel
    assert fortran.target["backend"] == "native"
    assert fortran.reasons["fortran"] >= 1
    assert fortran.compilers["oldwords"] == ["clang", "gcc"]


def test_fortran_works(fortran: Built, container: Session) -> None:
    assert missing_libraries(fortran.wheel) == set()
    script = "import oldwords as o; print(o.length(3.0, 4.0), o.words(-12), o.words(2147483647))"
    assert ask(container, fortran.wheel, script) == "5.0 number -12 number 2147483647"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("openmp", "aarch64-wheels: openmp: not allowed by --compiler native-only"),
        # Meson asks each compiler who it is, and tells nothing of what this one answers.
        ("fortran", "Unknown compiler(s): [['gfortran']"),
    ],
)
def test_native_only_allows_no_fallback(build: Callable[..., Built], name: str, words: str) -> None:
    done = build(name, "--compiler=native-only")
    assert done.status == 1
    assert words in done.log
    assert done.target["calls"]["fallback"] == 0
    assert done.target["backend"] == "native"


def test_a_backend_that_imports_what_it_built_is_emulated(
    importer: Built, container: Session
) -> None:
    assert importer.wheel
    assert importer.target["backend"] == "emulated"
    assert "No module named 'selfmade_core'" in importer.target["backend_reason"]
    assert "the build backend ran emulated" in importer.said
    # Its compiler calls are still native.
    assert importer.target["calls"]["fallback"] == 0
    assert importer.compilers == {"selfmade_core": ["clang"]}
    script = "import selfmade_core as c, selfmade_table as t; print(c.cube(5), t.CUBES)"
    assert ask(container, importer.wheel, script) == "125 [0, 1, 8, 27, 64]"


def test_it_is_an_error_where_the_backend_must_be_native(build: Callable[..., Built]) -> None:
    done = build("importer", "--backend=native")
    assert done.status == 1
    assert "the build backend cannot run natively" in done.said
    assert "use `--backend auto`" in done.said
    assert "runs under emulation" not in done.log


def test_an_error_of_the_code_is_final(build: Callable[..., Built]) -> None:
    done = build("broken")
    assert done.status == 1
    assert done.target["backend"] == "native"
    calls = done.target["calls"]
    assert (calls["fallback"], calls["failed"]) == (0, 1)
    output, _, summary = done.log.partition("`build_wheel of the build backend` ended")
    for text in (output, summary):  # which quotes the last lines of the output
        assert text.count("use of undeclared identifier 'divisor_that_nobody_has_declared'") == 1
    assert "runs under emulation" not in done.log
    assert "divisor_that_nobody_has_declared" in done.said
