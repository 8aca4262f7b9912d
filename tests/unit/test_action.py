"""The building step, in this process: inputs in; outputs, summary, annotations out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels import action, doctor
from aarch64_wheels.commands import build
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.settings.schema import BuildOptions, Settings, options
from aarch64_wheels.signals import Terminated
from tests.unit.report_samples import FAILED_TARGET, OK_TARGET, WHEEL, report

if TYPE_CHECKING:
    from collections.abc import Callable

    from aarch64_wheels.settings.layers import Layers


class Runner:
    """What the step would find on a runner, and what it was asked to do."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.output = tmp_path / "output"
        self.summary = tmp_path / "summary"
        self.output.touch()
        self.settings: Settings | None = None
        self.doctor_calls: list[dict[str, Any]] = []
        self.doctor_status = 0
        self.build: Callable[[], tuple[int, Any]] = lambda: (0, report(OK_TARGET))
        self._monkeypatch = monkeypatch
        monkeypatch.chdir(tmp_path)
        for name in [
            f"INPUT_{option.field.upper()}" for option in [*options(), *options(BuildOptions)]
        ] + ["RUNNER_DEBUG"]:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("GITHUB_OUTPUT", str(self.output))
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(self.summary))
        monkeypatch.setattr(build, "run_build", self._run_build)
        monkeypatch.setattr(doctor, "run_doctor", self._run_doctor)

    def give(self, **inputs: str) -> None:
        for name, value in inputs.items():
            self._monkeypatch.setenv(f"INPUT_{name.upper()}", value)

    def outputs(self) -> dict[str, str]:
        text = self.output.read_text()
        return dict(re.findall(r"^(\w+)<<(?:\S+)\n(.*)\nghadelimiter", text, re.MULTILINE))

    def _run_build(self, layers: Layers, *_: object) -> tuple[int, Any]:
        self.settings = layers.settings()
        return self.build()

    def _run_doctor(self, **arguments: Any) -> int:
        self.doctor_calls.append(arguments)
        return self.doctor_status


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    return Runner(tmp_path, monkeypatch)


def test_inputs_become_flags_and_empty_ones_are_not_given(runner: Runner) -> None:
    runner.give(source=" tests/spring ", python="cp311 cp313", output_dir="", jobs="2")
    runner.give(no_cache="true")
    assert action.main() == 0
    assert runner.settings is not None
    assert runner.settings.source == "tests/spring"
    assert runner.settings.python == ("cp311", "cp313")
    assert runner.settings.jobs == 2
    assert runner.settings.no_cache is True
    assert runner.settings.output_dir == Path("wheelhouse")
    assert runner.settings.image == "manylinux2014"


def test_outputs_name_wheels_wheelhouse_and_report(runner: Runner, tmp_path: Path) -> None:
    runner.give(output_dir="dist")
    assert action.main() == 0
    outputs = runner.outputs()
    assert json.loads(outputs["wheels"]) == [str(tmp_path / "dist" / WHEEL)]
    assert outputs["wheelhouse"] == str(tmp_path / "dist")
    assert outputs["report"] == str(tmp_path / "dist" / "report.json")
    assert outputs["sarif"] == str(tmp_path / "dist" / "audit.sarif")
    assert WHEEL.replace("_", "&#95;") in runner.summary.read_text()


def test_finished_wheels_are_handed_over_when_others_failed(runner: Runner) -> None:
    runner.build = lambda: (1, report(OK_TARGET, FAILED_TARGET))
    assert action.main() == 1
    assert len(json.loads(runner.outputs()["wheels"])) == 1
    assert "<details>" in runner.summary.read_text()


def test_a_summary_is_added_to_what_is_there(runner: Runner) -> None:
    runner.summary.write_text("before\n")
    action.main()
    assert runner.summary.read_text().startswith("before\n### ")


def test_the_runner_is_prepared_first(runner: Runner, tmp_path: Path) -> None:
    runner.give(output_dir="dist", cache_dir=str(tmp_path / "cache"))
    assert action.main() == 0
    (call,) = runner.doctor_calls
    assert call["fix"] is True
    assert call["cache_dir"] == tmp_path / "cache"
    assert call["output_dir"] == Path("dist")


@pytest.mark.parametrize(("image", "embedded"), [("debian", True), ("musllinux_1_2", False)])
def test_the_embedded_images_tools_are_asked_for_where_it_is_used(
    runner: Runner, image: str, *, embedded: bool
) -> None:
    runner.give(image=image, engine="podman")
    assert action.main() == 0
    (call,) = runner.doctor_calls
    assert call["embedded"] is embedded
    assert call["engine_name"] == "podman"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://index.example/simple", ()),
        ("https://me:p%40ss@index.example/simple", ("p%40ss", "p@ss")),
        ("https://me:plain@index.example/simple", ("plain",)),
        ("https://a-token@index.example/simple", ("a-token",)),
        ("https://a-token:@index.example/simple", ("a-token",)),
        ("https://[broken", ()),
    ],
)
def test_what_is_secret_in_a_url(url: str, expected: tuple[str, ...]) -> None:
    assert action.passwords(url) == expected


def test_passwords_of_indexes_are_masked_before_anything_else(
    runner: Runner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    conf = tmp_path / "pip.conf"
    conf.write_text("[global]\nindex-url = https://me:s3%2Fcret@index.example/simple\n")
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL", "UV_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(conf))
    monkeypatch.setenv("UV_EXTRA_INDEX_URL", "https://me:other@second.example/simple")
    runner.give(jobs="many")
    assert action.main() == 2
    lines = capsys.readouterr().out.splitlines()
    masked = ["s3%252Fcret", "s3/cret", "other"]
    assert lines[:3] == [f"::add-mask::{secret}" for secret in masked]


@pytest.mark.parametrize(
    ("source", "masked"),
    [
        pytest.param("git+https://me:pass@host/a@v1", ["pass"], id="password"),
        pytest.param("a @ git+https://token@host/a", ["token"], id="token"),
        pytest.param("git+ssh://git@host/a", [], id="ssh"),
        pytest.param("kiwisolver==1.4.7", [], id="none"),
    ],
)
def test_a_password_of_the_source_is_masked(
    runner: Runner, capsys: pytest.CaptureFixture[str], source: str, masked: list[str]
) -> None:
    runner.give(source=source, jobs="many")
    assert action.main() == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "add-mask" in line] == [f"::add-mask::{it}" for it in masked]


def test_setup_can_be_left_out(runner: Runner) -> None:
    runner.give(setup="false")
    assert action.main() == 0
    assert runner.doctor_calls == []


def annotation(capsys: pytest.CaptureFixture[str]) -> str:
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::error ")]
    assert len(lines) == 1
    return lines[0]


def test_a_runner_that_is_not_fit(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.doctor_status = 3
    assert action.main() == 3
    assert "can't build aarch64 wheels as it is%0Afound: " in annotation(capsys)
    assert runner.settings is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("setup", "maybe", "true or false"), ("jobs", "many", "jobs"), ("mode", "fast", "mode")],
)
def test_an_input_that_is_wrong(
    runner: Runner, capsys: pytest.CaptureFixture[str], name: str, value: str, words: str
) -> None:
    runner.give(**{name: value})
    assert action.main() == 2
    message = annotation(capsys)
    assert words in message
    assert value in message


def test_an_error_is_annotated_with_all_its_lines(
    runner: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> tuple[int, Any]:
        raise UnfitError("no engine answered", found="no socket", hint="start Docker")

    runner.build = fail
    assert action.main() == 3
    assert annotation(capsys).endswith(
        "::no engine answered%0Afound: no socket%0Anext: start Docker"
    )


def test_a_fault_of_ours_shows_no_traceback(
    runner: Runner, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> tuple[int, Any]:
        raise KeyError("oops")

    runner.build = fail
    assert action.main() == 1
    message = annotation(capsys)
    assert "internal error: KeyError: 'oops'%0Afound: at test_action.py:" in message
    assert "Traceback" not in message
    monkeypatch.setenv("RUNNER_DEBUG", "1")
    assert action.main() == 1
    assert "Traceback" in annotation(capsys)


@pytest.mark.parametrize(
    ("stop", "status"), [(KeyboardInterrupt, 130), (Terminated, 143)], ids=["int", "term"]
)
def test_a_cancelled_job_ends_tidily(
    runner: Runner,
    capsys: pytest.CaptureFixture[str],
    stop: type[BaseException],
    status: int,
) -> None:
    def cancel() -> tuple[int, Any]:
        raise stop

    runner.build = cancel
    assert action.main() == status
    assert "cancelled" in capsys.readouterr().out
