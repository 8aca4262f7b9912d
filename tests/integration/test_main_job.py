"""The main job: a project in, audited wheels and a report out."""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Run

TAGS = ("cp39", "cp311", "cp313", "cp314", "cp315")


def test_the_default_selection_gives_a_wheel_for_each_interpreter(spring_wheelhouse: Path) -> None:
    names = sorted(path.name for path in spring_wheelhouse.glob("*.whl"))
    platform = "manylinux2014_aarch64.manylinux_2_17_aarch64"
    assert names == sorted(f"spring-1.0-{tag}-{tag}-{platform}.whl" for tag in TAGS)


@pytest.mark.parametrize("tag", TAGS)
def test_auditwheel_by_itself_agrees(spring_wheelhouse: Path, tag: str) -> None:
    (wheel,) = spring_wheelhouse.glob(f"*-{tag}-*.whl")
    shown = subprocess.run(
        [sys.executable, "-m", "auditwheel", "show", wheel],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r'platform\s+tag:\s+"(manylinux_2_(\d+)_aarch64)"', shown.stdout)
    assert found, shown.stdout
    assert int(found[2]) <= 17


def test_the_report_tells_what_happened(spring_wheelhouse: Path) -> None:
    report = json.loads((spring_wheelhouse / "report.json").read_text(encoding="utf-8"))
    mode = "native" if platform.machine() == "aarch64" else "accelerated"
    assert (report["project"], report["version"], report["mode"]) == ("spring", "1.0", mode)
    assert report["image_id"].startswith("sha256:")
    for target in report["targets"]:
        assert target["status"] == "ok"
        assert [stage["stage"] for stage in target["stages"]] == [
            "environment",
            "build",
            "repair",
            "audit",
        ]
        assert all(stage["seconds"] > 0 for stage in target["stages"])
        wheel = spring_wheelhouse / target["wheel"]["filename"]
        assert wheel.stat().st_size == target["wheel"]["size"]
        assert (spring_wheelhouse / target["log"]).read_text(encoding="utf-8")


@pytest.mark.skipif(platform.machine() == "aarch64", reason="nothing is accelerated on arm64")
def test_an_accelerated_build_is_native_all_through(spring_wheelhouse: Path) -> None:
    report = json.loads((spring_wheelhouse / "report.json").read_text(encoding="utf-8"))
    for target in report["targets"]:
        assert (target["backend"], target["backend_reason"]) == ("native", "")
        assert (target["calls"]["native"], target["calls"]["fallback"]) == (2, 0)
        (extension,) = target["wheel"]["objects"]
        (compiler,) = extension["compilers"]
        assert re.fullmatch(r"clang \d+\.\d+\.\d+", compiler)


@pytest.mark.skipif(platform.machine() == "aarch64", reason="nothing is emulated on arm64")
def test_an_emulated_build_makes_the_same_wheel(
    run: Run, spring: Path, spring_wheelhouse: Path, tmp_path: Path
) -> None:
    """The slow way gives the same name, and the same files but for the code itself."""
    done = run(
        *("build", spring, "--image=debian", "--python=cp313", "--mode=emulated"),
        *("--output-dir", tmp_path),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (emulated,) = tmp_path.glob("*.whl")
    accelerated = spring_wheelhouse / emulated.name
    names = [zipfile.ZipFile(wheel).namelist() for wheel in (emulated, accelerated)]
    assert sorted(names[0]) == sorted(names[1])
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    (target,) = report["targets"]
    assert (report["mode"], target["backend"], target["calls"]) == ("emulated", "", None)


def test_audit_of_the_command_line_agrees(run: Run, spring_wheelhouse: Path) -> None:
    wheels = sorted(spring_wheelhouse.glob("*.whl"))
    done = run("audit", *wheels, "--plat", "manylinux2014_aarch64", "--json")
    assert done.returncode == 0, done.stdout
    assert len(json.loads(done.stdout)["wheels"]) == len(TAGS)


def test_audit_accepts_real_wheels_of_an_index(run: Run, tmp_path: Path) -> None:
    names = ["markupsafe==3.0.3", "msgpack==1.1.2", "cffi==2.0.0", "lxml==6.0.2"]
    download = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "-d",
        str(tmp_path),
    ]
    download += ["--only-binary=:all:", "--platform=manylinux_2_28_aarch64"]
    download += ["--platform=manylinux2014_aarch64", "--python-version=313", *names]
    subprocess.run(download, check=True)
    wheels = sorted(tmp_path.glob("*.whl"))
    assert len(wheels) == len(names)
    done = run("audit", *wheels)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_plan_is_the_same_twice_and_needs_no_engine(run: Run, spring: Path) -> None:
    nowhere = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    first, second = (run("plan", spring, "--json", env=nowhere) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert json.loads(first.stdout)["project"] == "spring"


def test_a_second_build_needs_no_network(run: Run, spring_wheelhouse: Path, spring: Path) -> None:
    """The image, and the environment of the first build, are kept; every connection fails."""
    nowhere = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    output = spring_wheelhouse.parent / "second"
    arguments = ["--image=debian", "--python=cp314", "--output-dir", str(output)]
    done = run("build", spring, *arguments, env={**nowhere, "NO_PROXY": ""})
    assert done.returncode == 0, done.stdout + done.stderr
    (log,) = (output / "logs").glob("*.log")
    assert "using the build environment kept by an earlier run" in log.read_text(encoding="utf-8")


def test_a_source_cannot_choose_where_is_written(run: Run, spring: Path, tmp_path: Path) -> None:
    project = tmp_path / "hostile"
    shutil.copytree(spring, project)
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (project / "wheelhouse/logs").mkdir(parents=True)
    (project / "wheelhouse/logs/cp313-manylinux_aarch64.log").symlink_to(victim)
    (project / "wheelhouse/report.json").symlink_to(victim)
    done = run("build", "--image=debian", "--python=cp313", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert victim.read_text() == "untouched"
    assert not (project / "wheelhouse/report.json").is_symlink()


def test_a_failing_target_stops_no_other(run: Run, tmp_path: Path, debian_image: str) -> None:
    assert debian_image
    project = tmp_path / "brittle"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools>=77"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "brittle"\nversion = "2.0"\n'
        '[tool.setuptools]\next-modules = [{ name = "brittle", sources = ["brittle.c"] }]\n'
    )
    (project / "brittle.c").write_text(
        "#include <Python.h>\n#if PY_VERSION_HEX >= 0x030F0000\n#error brittle breaks here\n"
        "#endif\nstatic PyModuleDef d = {PyModuleDef_HEAD_INIT, 0};\n"
        "PyMODINIT_FUNC PyInit_brittle(void) { return PyModule_Create(&d); }\n"
    )
    output = tmp_path / "out"
    python = ["--python", "cp314", "3.15"]
    done = run("build", project, "--image=debian", *python, "--output-dir", output)
    assert done.returncode == 1, done.stdout + done.stderr
    assert [path.name.split("-")[2] for path in output.glob("*.whl")] == ["cp314"]
    assert "brittle breaks here" in done.stdout
    log = "logs/cp315-manylinux_aarch64.log"
    assert log in done.stdout
    assert "brittle breaks here" in (output / log).read_text(encoding="utf-8")
    targets = json.loads((output / "report.json").read_text(encoding="utf-8"))["targets"]
    assert [target["status"] for target in targets] == ["ok", "failed"]
    assert [stage["status"] for stage in targets[1]["stages"]] == [
        "ok",
        "failed",
        "not run",
        "not run",
    ]
