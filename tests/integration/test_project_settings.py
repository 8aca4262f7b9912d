"""What a project sets for its builds, on a real engine: as for cibuildwheel, unchanged."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.small_projects import SmallProject, pure_project

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.engine.client import Engine
    from tests.integration.conftest import Run

pytestmark = pytest.mark.usefixtures("debian_image")
TESTS = "python -m unittest discover -v -s {project}/tests"
WHOLE = f"""
[tool.cibuildwheel]
build = "cp31{{3,4}}-*"
build-frontend = "build[uv]"
before-all = "cat /proc/sys/kernel/random/uuid > {{project}}/token"
before-build = "cp {{package}}/token built-with"
environment = {{ SMALL_VALUE = "$(cat built-with 2>/dev/null || echo none)", EMPTY = "" }}
test-command = "{TESTS}"
test-skip = "cp314-*"

[[tool.cibuildwheel.overrides]]
select = "cp313-*"
inherit.environment = "append"
environment = {{ ONLY = "for cp313" }}
before-test = "echo before the test of $ONLY"
"""


def _report(wheelhouse: Path) -> dict[str, dict[str, Any]]:
    report = json.loads((wheelhouse / "report.json").read_text(encoding="utf-8"))
    return {target["identifier"].partition("-")[0]: target for target in report["targets"]}


def _stages(target: dict[str, Any]) -> dict[str, str]:
    return {row["stage"]: row["status"] for row in target["stages"]}


def _log(wheelhouse: Path, tag: str) -> str:
    return (wheelhouse / f"logs/{tag}-manylinux_aarch64.log").read_text(encoding="utf-8")


def test_a_project_of_cibuildwheel_unchanged(run: Run, tmp_path: Path) -> None:
    """`before-all` runs once for both targets, and what it leaves in the project is there."""
    project, out = SmallProject(settings=WHOLE).write(tmp_path / "a project"), tmp_path / "out"
    done = run("build", project, "--image", "debian", "--output-dir", out)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    targets = _report(out)
    assert sorted(targets) == ["cp313", "cp314"]
    assert _stages(targets["cp313"])["test"] == "ok"
    assert _stages(targets["cp314"])["test"] == "not run"
    log = _log(out, "cp313")
    assert "before the test of for cp313" in log
    value = re.search(r"^tested \(3, 13\) (\S+) (\S+)$", log, re.MULTILINE)
    assert value is not None
    assert re.fullmatch(r"[0-9a-f-]{36}", value[1])
    assert "/site-packages/" in value[2]
    logs = log + _log(out, "cp314")
    assert logs.count("$ cat /proc/sys/kernel/random/uuid") == 1
    assert f'-DVALUE="{value[1]}"'.replace('"', "") in _log(out, "cp314").replace('"', "").replace(
        "\\", ""
    )
    again = run("build", project, "--image", "debian", "--output-dir", out, "--python", "cp313")
    assert again.returncode == 0
    assert "using what `before-all` left in an earlier run" in _log(out, "cp313")
    assert value[1] in _log(out, "cp313")


def test_a_failing_test_leaves_no_wheel(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    settings = """
    [tool.aarch64-wheels]
    test-command = "python -c 'import small; assert small.value() == 1'"
    """
    project = SmallProject(settings=settings).write(tmp_path / "project")
    done = run("build", project, "--image", "debian", "--python", "cp313", "--output-dir", out)
    assert done.returncode == 1
    assert "AssertionError" in _report(out)["cp313"]["error"]
    assert _stages(_report(out)["cp313"]) == {
        **dict.fromkeys(("environment", "build", "repair", "audit"), "ok"),
        "test": "failed",
    }
    assert not list(out.glob("*.whl"))


def test_a_crash_under_emulation_is_no_failed_test(run: Run, tmp_path: Path) -> None:
    """The first run of the tests crashes, the second passes: a crash is tried once more."""
    crash = "test -e /tmp/once || { touch /tmp/once; kill -SEGV $$; }; echo tests have passed"
    project = SmallProject().write(tmp_path / "project")
    words = ("--image", "debian", "--python", "cp313", "--output-dir", tmp_path / "out")
    done = run("build", project, *words, "--test-command", crash)
    assert done.returncode == 0
    log = _log(tmp_path / "out", "cp313")
    assert "SIGSEGV" in log
    assert "tests have passed" in log
    done = run("build", project, *words, "--test-command", "kill -SEGV $$")
    assert done.returncode == 1
    assert "crashed under emulation (SIGSEGV)" in _report(tmp_path / "out")["cp313"]["error"]


def test_no_isolation_means_the_images_own_python(run: Run, tmp_path: Path) -> None:
    settings = """
    [tool.cibuildwheel]
    build-frontend = { name = "build", args = ["--no-isolation", "-Cbuild-dir=x"] }
    before-build = "pip install setuptools"
    """
    out = tmp_path / "out"
    project = SmallProject(settings=settings).write(tmp_path / "project")
    done = run("build", project, "--image", "debian", "--python", "cp313", "--output-dir", out)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    target = _report(out)["cp313"]
    assert target["backend"] == "emulated"
    assert "no isolation" in target["backend_reason"]


def test_an_own_repair_chooses_the_tag(run: Run, tmp_path: Path) -> None:
    """Also one that the image's policy does not reach to, as under cibuildwheel."""
    settings = """
    [tool.cibuildwheel]
    environment = { PLAT = "manylinux_2_28_aarch64" }
    repair-wheel-command = "auditwheel repair --only-plat --plat $PLAT -w {dest_dir} {wheel}"
    """
    out = tmp_path / "out"
    project = SmallProject(settings=settings).write(tmp_path / "project")
    done = run("build", project, "--image", "debian", "--python", "cp313", "--output-dir", out)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    (wheel,) = out.glob("*.whl")
    assert wheel.name.endswith("-cp313-cp313-manylinux_2_28_aarch64.whl")


def test_another_image_to_test_in(run: Run, tmp_path: Path, debian_image: str) -> None:
    """What the build has left behind in its container is not there."""
    project, out = SmallProject().write(tmp_path / "project"), tmp_path / "out"
    build = ("build", project, "--image", "debian", "--python", "cp313", "--output-dir", out)
    hooks = ("--before-build", "touch /left-behind", "--test-command", f"ls /left-behind; {TESTS}")
    done = run(*build, *hooks, "--test-image", debian_image)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    assert "cannot access '/left-behind'" in _log(out, "cp313")
    assert "tested (3, 13)" in _log(out, "cp313")
    alone = ("--before-build", "touch /left-behind", "--test-command", "test -e /left-behind")
    assert run(*build, *alone).returncode == 0


def test_the_stable_abi_is_built_once_and_tested_on_each(run: Run, tmp_path: Path) -> None:
    project = SmallProject(limited=True).write(tmp_path / "project")
    out = tmp_path / "out"
    words = ("--python", "cp311", "cp313", "cp314", "--test-command", TESTS)
    done = run("build", project, "--image", "debian", "--output-dir", out, *words)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    targets = _report(out)
    assert [path.name.split("-")[2:4] for path in out.glob("*.whl")] == [["cp311", "abi3"]]
    assert {name: row["shared"] for name, row in targets.items()} == {
        "cp311": False,
        "cp313": True,
        "cp314": True,
    }
    assert [_stages(targets["cp314"])[name] for name in ("build", "test")] == ["not run", "ok"]
    for tag, version in (("cp311", "(3, 11)"), ("cp313", "(3, 13)"), ("cp314", "(3, 14)")):
        assert f"tested {version} none" in _log(out, tag)


def test_a_false_claim_of_the_stable_abi_is_refused(run: Run, tmp_path: Path) -> None:
    """The tag says abi3; the code asks for what only one version of CPython has."""
    place = SmallProject(
        limited=True, body="PyLong_FromVoidPtr((void *) &_PyObject_GC_Link)"
    ).write(tmp_path / "project")
    source = place / "small/_small.c"
    text = source.read_text(encoding="utf-8")
    declared = "extern void _PyObject_GC_Link(void *);\nstatic PyObject *value"
    source.write_text(text.replace("static PyObject *value", declared, 1), encoding="utf-8")
    out = tmp_path / "out"
    done = run("build", place, "--image", "debian", "--python", "cp311", "--output-dir", out)
    print(done.stdout, done.stderr)
    assert done.returncode == 1
    error = _report(out)["cp311"]["error"]
    assert "abi3: " in error
    assert "_PyObject_GC_Link" in error


def test_pure_python_is_built_once_and_tested_on_each(run: Run, tmp_path: Path) -> None:
    project, out = pure_project(tmp_path / "project"), tmp_path / "out"
    words = ("--python", "cp39", "cp313", "--test-command", TESTS)
    done = run("build", project, "--image", "debian", "--output-dir", out, *words)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    assert [path.name for path in out.glob("*.whl")] == ["small-1.0-py3-none-any.whl"]
    assert [_report(out)[tag]["shared"] for tag in ("cp39", "cp313")] == [False, True]
    assert "no platform tag" in _log(out, "cp39")
    assert "tested (3, 13) pure" in _log(out, "cp313")


def test_two_of_five_fail_and_a_resumed_run_builds_two(
    run: Run, tmp_path: Path, shared_engine: Engine
) -> None:
    """The settings that make them fail are outside of the source, as an index or a disk is."""
    project, out = SmallProject().write(tmp_path / "project"), tmp_path / "out"
    config = tmp_path / "settings.toml"
    config.write_text(
        '[[tool.cibuildwheel.overrides]]\nselect = "cp31{1,4}-*"\nbefore-build = "exit 3"\n',
        encoding="utf-8",
    )
    build = ("build", project, "--image", "debian", "--output-dir", out, "--resume")
    first = run(*build, "--config-file", config)
    print(shared_engine, first.stdout, first.stderr)
    assert first.returncode == 1
    wheels = {path.name.split("-")[2]: path.stat().st_mtime_ns for path in out.glob("*.whl")}
    assert sorted(wheels) == ["cp313", "cp315", "cp39"]
    config.write_text("[tool.cibuildwheel]\nbuild-verbosity = 0\n", encoding="utf-8")
    second = run(*build, "--config-file", config)
    print(second.stdout, second.stderr)
    assert second.returncode == 0
    after = {path.name.split("-")[2]: path.stat().st_mtime_ns for path in out.glob("*.whl")}
    assert sorted(after) == ["cp311", "cp313", "cp314", "cp315", "cp39"]
    assert {tag: after[tag] for tag in wheels} == wheels
    resumed = {tag for tag, row in _report(out).items() if row["resumed"]}
    assert resumed == set(wheels)
