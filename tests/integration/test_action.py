"""The Action, run by `act` as GitHub would run it: `uses: ./` after a checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.integration.conftest import copy_repository

WORKFLOW = """\
    on: push
    permissions: {}
    jobs:
      wheels:
        runs-on: ubuntu-latest
        steps:
          - uses: actions/checkout@v4
          - id: wheels
            uses: ./
            with:
              source: tests/projects/spring
              image: debian
              python: cp311 cp313
              output-dir: wheel house
              audit-levels: debug-info=warning build-path=off
          - name: the outputs reach the next step
            env:
              WHEELS: ${{ steps.wheels.outputs.wheels }}
              REPORT: ${{ steps.wheels.outputs.report }}
              WHEELHOUSE: ${{ steps.wheels.outputs.wheelhouse }}
              SARIF: ${{ steps.wheels.outputs.sarif }}
              RESULT: %s
            run: |
              cp "$REPORT" "$RESULT/report.json"
              cp "$SARIF" "$RESULT/audit.sarif"
              ls "$WHEELHOUSE" > "$RESULT/listing"
              printf '%%s' "$WHEELS" > "$RESULT/wheels.json"
"""

FAILING = """\
    on: push
    permissions: {}
    jobs:
      wheels:
        runs-on: ubuntu-latest
        steps:
          - uses: actions/checkout@v4
          - uses: ./
            with:
              source: "tests/projects/spring"
              image: "debian"
              python: $(touch %s/owned) cp313
              setup: "false"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The repository as it stands, committed in a place of its own."""
    return copy_repository(tmp_path / "check out")


def act(checkout: Path, workflow: str) -> subprocess.CompletedProcess[str]:
    workflows = checkout / ".github/workflows"
    workflows.mkdir(parents=True)
    (workflows / "test.yml").write_text(textwrap.dedent(workflow), encoding="utf-8")
    me = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"]
    for command in (["init", "--quiet"], ["add", "."], [*me, "commit", "--quiet", "-m", "test"]):
        subprocess.run(["git", *command], cwd=checkout, check=True)
    program = str(Path(sys.executable).with_name("act"))
    return subprocess.run(
        [program, "push", "-P", "ubuntu-latest=-self-hosted", "--no-cache-server"],
        cwd=checkout,
        env={**os.environ, "RUNNER_TOOL_CACHE": str(checkout.parent / "tools")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_action_builds_and_hands_over_its_outputs(
    checkout: Path, debian_image: str, tmp_path: Path
) -> None:
    assert debian_image
    result = tmp_path / "result"
    result.mkdir()
    done = act(checkout, WORKFLOW % result)
    assert done.returncode == 0, done.stdout + done.stderr
    wheels = json.loads((result / "wheels.json").read_text(encoding="utf-8"))
    assert [Path(wheel).name.split("-")[2] for wheel in wheels] == ["cp311", "cp313"]
    assert all(Path(wheel).parent.name == "wheel house" for wheel in wheels)
    report = json.loads((result / "report.json").read_text(encoding="utf-8"))
    assert [target["status"] for target in report["targets"]] == ["ok", "ok"]
    listing = (result / "listing").read_text(encoding="utf-8").split()
    assert {"logs", "report.json"} <= set(listing)
    sarif = json.loads((result / "audit.sarif").read_text(encoding="utf-8"))
    assert {row["ruleId"] for row in sarif["runs"][0]["results"]} <= {"debug-info"}
    # A step's summary is its own: act shows it, as GitHub does, on the job's page.
    _, shown, summary = (done.stdout + done.stderr).partition("Summary - ")
    assert shown
    assert "spring-1.0-cp313-cp313-manylinux2014_aarch64.manylinux_2_17_aarch64.whl" in summary
    assert "GLIBC 2.17" in summary


def test_inputs_are_data_and_never_a_script(checkout: Path, tmp_path: Path) -> None:
    done = act(checkout, FAILING % tmp_path)
    assert done.returncode != 0
    assert not (tmp_path / "owned").exists()
    assert "$(touch" in done.stdout
