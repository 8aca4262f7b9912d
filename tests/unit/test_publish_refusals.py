"""What the command `publish` refuses, with nothing sent to anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aarch64_wheels import cli
from tests.unit.publish_desk import EXTRA, PASSWORD, Desk
from tests.unit.publish_samples import make_aarch64, make_sdist, write_built

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("_judged")


def test_another_file_on_the_index_stops_all(desk: Desk) -> None:
    desk.index.add_file("demo", "1.0", desk.names[2], b"another")
    assert desk.publish("--github-release", "v1.0") == 4
    out, err = desk.said()
    assert out == ""
    assert "has other files of these names: nothing is uploaded" in err
    assert f"found: {desk.names[2]}: here " in err
    assert desk.sent() == []


def test_another_asset_of_the_release_stops_all(desk: Desk) -> None:
    release = desk.github.store.add_release("v1.0")
    desk.github.store.add_asset(release, desk.names[0], b"another")
    assert desk.publish("--github-release", "v1.0") == 4
    assert "--replace exchanges them" in desk.said()[1]
    assert desk.sent() == []
    assert desk.plan("--github-release", "v1.0", "--replace")["release"]["steps"] | {
        desk.names[0]: "replace"
    } == {**dict.fromkeys([*desk.names, *EXTRA], "upload"), desk.names[0]: "replace"}


TAGS = {
    "option": (["--tag", "v1.1"], {}, "the tag v1.1 says version 1.1, the files say 1.0"),
    "release": (["--github-release", "demo-v1.1"], {}, "the tag demo-v1.1 says version 1.1"),
    "pushed": ([], {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.1"}, "the tag v1.1 says"),
    "no-version": (["--tag", "latest"], {}, "the tag latest names no version"),
    "good": (["--tag", "release-1.0"], {}, ""),
    "option-over-pushed": (
        ["--tag", "1.0"],
        {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "nightly"},
        "",
    ),
    "option-over-release": (["--tag", "1.0", "--github-release", "nightly"], {}, ""),
    "branch": ([], {"GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "v1.1"}, ""),
}


@pytest.mark.parametrize(("words", "environ", "said"), TAGS.values(), ids=TAGS.keys())
def test_the_tag_is_compared_with_the_version(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    environ: dict[str, str],
    said: str,
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert desk.publish(*words) == (4 if said else 0)
    assert said in desk.said()[1]
    assert bool(desk.sent()) == (not said)


def test_an_incomplete_set_needs_consent(desk: Desk) -> None:
    write_built(desk.out, *desk.wheels, failed=["cp39-manylinux_aarch64"])
    desk.wheels[0].unlink()
    assert desk.publish() == 4
    err = desk.said()[1]
    assert "the target cp39-manylinux_aarch64 has no wheel" in err
    assert f"{desk.wheels[0].name}: it was built, and is not among the files" in err
    assert (desk.sent(), desk.index.records) == ([], [])
    assert desk.publish("--allow-partial") == 0
    assert sorted(desk.index.files) == desk.names


def test_a_wheel_changed_since_the_audit(desk: Desk) -> None:
    make_aarch64(desk.out, 313, "changed")
    assert desk.publish("--allow-partial") == 4
    assert "it is not the file that was built and audited" in desk.said()[1]
    assert desk.index.records == []


@pytest.mark.parametrize("words", [[], ["--allow-partial"]], ids=["all", "partial"])
def test_a_failed_targets_old_wheel_does_not_go_out(desk: Desk, words: list[str]) -> None:
    """Its directory was used before, and the build that went wrong has left it there."""
    old = make_aarch64(desk.out, 314)
    write_built(desk.out, *desk.wheels, failed=["cp314-manylinux_aarch64"])
    assert desk.publish("--github-release", "v1.0", *words) == 4
    assert f"{old.name}: no report has it as built and audited" in desk.said()[1]
    assert (desk.sent(), desk.index.records) == ([], [])
    old.unlink()
    assert desk.publish("--allow-partial") == 0


@pytest.mark.parametrize("words", [[], ["--dry-run"]], ids=["publish", "dry-run"])
def test_wheels_without_a_report_need_consent(desk: Desk, words: list[str]) -> None:
    (desk.out / "report.json").unlink()
    assert desk.publish(*words) == 4
    assert "bring report.json along with the wheels" in desk.said()[1]
    assert (desk.sent(), desk.index.records) == ([], [])
    assert desk.publish("--allow-partial", *words) == 0


def test_all_that_is_wrong_is_said_at_once(desk: Desk) -> None:
    make_aarch64(desk.out, 313, "changed")
    (desk.out / "demo-1.0-cp39-cp39-manylinux2014_aarch64.whl").write_bytes(b"no wheel")
    assert desk.publish("--tag", "v2") == 4
    err = desk.said()[1]
    assert "the tag v2 says version 2" in err
    assert "is not the file that was built" in err
    assert "cp39-manylinux2014_aarch64.whl: File is not a zip file" in err
    assert "audit: demo-1.0-cp39" in err
    assert err.endswith("nothing was sent\n")


def test_the_audit_has_its_say(desk: Desk) -> None:
    """It is asked again, of files that the report knows, too."""
    bad = make_aarch64(desk.out, 314, platform="manylinux2014_aarch64.win32")
    write_built(desk.out, *desk.wheels, bad)
    assert desk.publish() == 4
    assert "audit: the platform tag win32 is not one of aarch64 Linux" in desk.said()[1]
    assert desk.index.records == []


def test_nowhere_to_publish_to(desk: Desk) -> None:
    assert desk.publish(to="none") == 2
    assert "nowhere to publish to" in desk.said()[1]
    plan = desk.plan(to="none")
    assert (plan["index"], plan["release"]) == (None, None)
    assert desk.index.records == []
    assert desk.github.records == []


def test_public_indexes_are_not_tried_with_what_they_never_take(desk: Desk, tmp_path: Path) -> None:
    """Nothing is asked of them, either: a test that did would fail."""
    files = [make_sdist(tmp_path, version="1.0+gpu"), make_aarch64(tmp_path, version="1.0+gpu")]
    words = [*map(str, files), "--output-dir", "none", "--allow-partial"]
    assert desk.publish(*words, to="testpypi") == 4
    assert desk.said()[1].count("1.0+gpu is a local version") == 2


def test_a_wrong_password_is_told_and_not_shown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINE_PASSWORD", wrong := f"{PASSWORD}2")
    assert desk.publish() == 4
    assert wrong not in "".join(desk.capsys.readouterr())
    assert desk.index.files == {}


def test_a_release_without_a_token_sends_nothing_to_the_index(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    assert desk.publish("--github-release", "v1.0") == 2
    assert "GITHUB_TOKEN is not set" in desk.said()[1]
    assert desk.sent() == []


def test_a_comment_outside_of_a_pull_request_sends_nothing(desk: Desk) -> None:
    assert desk.publish("--comment") == 2
    assert "no pull request to comment on" in desk.said()[1]
    assert desk.sent() == []


FAILURES = {
    "nothing-built": (["empty"], 2, "aarch64-wheels build"),
    "no-distribution": (["wheelhouse/report.json"], 2, "neither a wheel nor an sdist"),
    "no-such-repository": (["--repository", "mine"], 2, "there is no such repository"),
    "two-releases": (["wheelhouse", "demo-2.0.tar.gz"], 2, "of several releases"),
    "attestation": (["demo-2.0.tar.gz.publish.attestation"], 2, "there is nothing to publish in"),
}


@pytest.mark.parametrize(("words", "status", "said"), FAILURES.values(), ids=FAILURES.keys())
def test_failures_end_with_their_status_and_at_most_4_lines(
    desk: Desk, tmp_path: Path, words: list[str], status: int, said: str
) -> None:
    (tmp_path / "empty").mkdir()
    make_sdist(tmp_path, version="2.0")
    (tmp_path / "demo-2.0.tar.gz.publish.attestation").touch()
    assert cli.main(["publish", *words]) == status
    out, err = desk.said()
    assert (out, said in err) == ("", True)
    assert len(err.splitlines()) <= 4
    assert "Traceback" not in err
