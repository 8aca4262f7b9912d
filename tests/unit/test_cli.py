"""The command line: what it runs, what it says, and the status it ends with."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.cli import guard, main
from aarch64_wheels.errors import AarchWheelsError, CommandError, StageError, UnfitError, UsageError
from aarch64_wheels.settings.publishing import PublishSettings
from aarch64_wheels.signals import Terminated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("_own_signals")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "spring"\nversion = "1.0"\n')
    return tmp_path


ERRORS: dict[str, tuple[BaseException, int, str]] = {
    "base": (AarchWheelsError("tried"), 1, "error: tried\n"),
    "stage": (StageError("tried", hint="do"), 1, "error: tried\nnext: do\n"),
    "usage": (UsageError("tried", found="x"), 2, "error: tried\nfound: x\n"),
    "unfit": (
        UnfitError("tried", found="x", hint="do"),
        3,
        "error: tried\nfound: x\nnext: do\n",
    ),
    "command": (
        CommandError(("cc", "-c"), 4, "fatal"),
        1,
        "error: `cc -c` ended with status 4\nfound: fatal\n",
    ),
    "hostile": (
        UsageError("a\n::error::b", found="c\n::error::d\n  \x1b[31m::error::e", hint="f\ng"),
        2,
        "error: a ::error::b\nfound: c\n  | ::error::d\n  |   ::error::e\nnext: f g\n",
    ),
    "interrupt": (
        KeyboardInterrupt(),
        130,
        "interrupted: no container is left, and what was published stays\n",
    ),
    "terminated": (
        Terminated(),
        143,
        "terminated: no container is left, and what was published stays\n",
    ),
}


@pytest.mark.parametrize(("error", "status", "said"), ERRORS.values(), ids=ERRORS.keys())
def test_an_error_becomes_its_exit_code_and_a_message(
    error: BaseException, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guard(_raising(error), debug=False) == status
    assert capsys.readouterr() == ("", said)


def _raising(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


def test_a_bug_shows_no_traceback_and_says_how_to_get_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert guard(_raising(KeyError("tag")), debug=False) == 1
    said = capsys.readouterr().err
    assert said.startswith("internal error: KeyError: 'tag'\n")
    assert "--debug" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("error", [UsageError("tried"), KeyError("tag")], ids=["ours", "bug"])
def test_debug_shows_the_traceback_too(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    guard(_raising(error), debug=True)
    said = capsys.readouterr().err
    assert said.startswith("Traceback (most recent call last):")
    assert "in work" in said


@pytest.mark.parametrize("status", [0, 1, 3])
def test_a_status_is_handed_on(status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert guard(lambda: status, debug=False) == status
    assert capsys.readouterr() == ("", "")


def test_sigterm_ends_like_an_interrupt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run_audit(*_arguments: object, **_options: object) -> int:
        signal.raise_signal(signal.SIGTERM)
        return 0

    monkeypatch.setattr("aarch64_wheels.commands.audit.run_audit", run_audit)
    assert main(["audit", "some.whl"]) == 143
    assert capsys.readouterr().err.startswith("terminated:")


def test_plan_needs_no_engine(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plan", "--json", "--image", "debian", "--python", "cp39", "cp313", "--", str(project)]
    assert main(words) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["project"] == "spring"
    assert {row["image"]["name"] for row in plan["targets"]} == {"debian"}
    assert [row["interpreter"]["tag"] for row in plan["targets"]] == ["cp39", "cp313"]


def test_a_dry_run_shows_the_plan_and_builds_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = project / "out"
    words = ["build", str(project), "--dry-run", "--image", "debian", "--output-dir", str(output)]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "spring 1.0" in said
    assert "cp39-manylinux_aarch64" in said
    assert not output.exists()


def test_the_environment_counts_where_no_flag_is_given(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AARCH64_WHEELS_PYTHON", "cp311")
    monkeypatch.setenv("AARCH64_WHEELS_IMAGE", "musllinux_1_2")
    assert main(["plan", str(project), "--json", "--image", "debian"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert [row["identifier"] for row in plan["targets"]] == ["cp311-manylinux_aarch64"]


FAILURES = {
    "no-such-image": (["plan", "--image", "manylinux2015"], 2, "no image is called"),
    "no-such-interpreter": (["plan", "--image", "debian", "--python", "cp312"], 3, "cp312"),
    "no-number": (["build", "--jobs", "many"], 2, "--jobs must be"),
    "no-wheel": (["audit", "no-such.whl"], 2, "no-such.whl"),
    "nothing-built": (["publish"], 2, "wheelhouse cannot be published"),
    "no-distribution": (["publish", "pyproject.toml"], 2, "neither a wheel nor an sdist"),
}


@pytest.mark.parametrize(("words", "status", "said"), FAILURES.values(), ids=FAILURES.keys())
def test_failures_end_with_their_status_and_at_most_4_lines(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    status: int,
    said: str,
) -> None:
    monkeypatch.chdir(project)
    assert main(words) == status
    text = capsys.readouterr().err
    assert said in text
    assert len(text.splitlines()) <= 4
    assert "Traceback" not in text


def test_a_bug_with_a_hostile_text_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    guard(_raising(ValueError("x\n::error::y")), debug=False)
    assert capsys.readouterr().err.splitlines()[0] == "internal error: ValueError: x ::error::y"


def test_doctor_checks_the_chosen_engine_and_the_embedded_image_s_tools(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[dict[str, object]] = []
    monkeypatch.setenv("AARCH64_WHEELS_ENGINE", "podman")
    monkeypatch.setattr("aarch64_wheels.doctor.run_doctor", lambda **given: calls.append(given))
    main(["doctor", "--fix"])
    assert (calls[0]["engine_name"], calls[0]["embedded"]) == ("podman", True)
    assert calls[0]["fix"] is True


def test_publish_gets_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[object, dict[str, object]]] = []

    def run_publish(settings: object, *_rest: object, **given: object) -> int:
        calls.append((settings, given))
        return 4

    monkeypatch.setattr("aarch64_wheels.commands.publish.run_publish", run_publish)
    monkeypatch.setenv("AARCH64_WHEELS_REPOSITORY", "testpypi")
    assert main(["publish", "a.whl", "dist", "--replace", "--dry-run"]) == 4
    assert main(["publish", "--repository", "none", "--json"]) == 4
    first = PublishSettings(dists=("a.whl", "dist"), repository="testpypi", replace=True)
    assert calls == [
        (first, {"dry_run": True, "as_json": False}),
        (PublishSettings(repository="none"), {"dry_run": False, "as_json": True}),
    ]


@pytest.mark.parametrize("name", ["twine", "github"])
def test_without_the_packages_for_it_publish_says_what_to_install(name: str) -> None:
    """In a process of its own: here they are imported already."""
    code = f"import sys; sys.modules[{name!r}] = None; from aarch64_wheels.cli import main; "
    words = [sys.executable, "-c", code + "sys.exit(main(['publish', '--dry-run']))"]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert f"found: there is no {name}" in ended.stderr
    assert ended.stderr.endswith('next: install "aarch64-wheels[publish]"\n')
