"""What the host adds to a project's options: variables, and never a secret; constraints."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.commands.given import check_given, given_to
from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings.schema import BuildOptions
from tests.unit.report_samples import BAD, GOOD, plan

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.plan import Plan


def _plan(**options: Any) -> Plan:
    """Two targets: the first with these options, the second with none."""
    first, second = plan().targets
    return plan().with_targets((replace(first, options=BuildOptions(**options)), second))


def test_each_target_is_given_what_it_asks_for(tmp_path: Path) -> None:
    (tmp_path / "limits.txt").write_text("numpy<2\n")
    (tmp_path / "limits-python313.txt").write_text("numpy<3\n")
    sample = _plan(environment_pass=("CI", "GONE"), dependency_versions="limits.txt")
    notes: list[str] = []
    found = given_to(sample, tmp_path, {"CI": "1", "HOME": "/root"}, notes.append)
    assert (found[GOOD].passed, found[GOOD].constraints) == ({"CI": "1"}, "numpy<3\n")
    assert (found[BAD].passed, found[BAD].constraints) == ({}, "")
    assert notes == []


@pytest.mark.parametrize(
    "name",
    [
        *("GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
        *("TWINE_PASSWORD", "UV_PUBLISH_TOKEN", "INPUT_PASSWORD", "INPUT_GITHUB_TOKEN"),
    ],
)
def test_a_secret_is_not_passed_and_told_without_its_value(tmp_path: Path, name: str) -> None:
    notes: list[str] = []
    sample = _plan(environment_pass=("CI", name))
    found = given_to(sample, tmp_path, {"CI": "1", name: "hush"}, notes.append)
    assert found[GOOD].passed == {"CI": "1"}
    assert notes == [f"`environment-pass` does not pass ${name}: it is a secret of this job"]


def test_constraints_that_lead_out_are_an_error_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`dependency-versions`"):
        given_to(_plan(dependency_versions="../x"), tmp_path, {}, print)


WRONG = {
    "constraints": ({"dependency_versions": "gone.txt"}, "`dependency-versions`"),
    "argument": ({"container_engine": "docker; create_args: --gpus all"}, "`container-engine`"),
    "engine": ({"container_engine": "lxc"}, "`lxc` is no `container-engine`"),
}


@pytest.mark.parametrize(("options", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_the_last_target_asks_for_is_looked_at_too(
    options: dict[str, Any], words: str, tmp_path: Path
) -> None:
    first, second = _plan(**options).targets
    check_given(plan().with_targets((second,)), tmp_path, {})
    with pytest.raises(UsageError, match=words):
        check_given(plan().with_targets((second, first)), tmp_path, {})


def test_arguments_of_a_frontend_that_mean_nothing_are_named_once(tmp_path: Path) -> None:
    sample = _plan(build_frontend="build; args: --wheel -n --outdir x --wheel")
    notes: list[str] = []
    given_to(sample, tmp_path, {}, notes.append)
    assert notes == ["`build-frontend`: no effect has --wheel --outdir x"]
