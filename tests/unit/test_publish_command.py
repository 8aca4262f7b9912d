"""The command `publish`, whole: against a stand-in of an index and one of GitHub."""

from __future__ import annotations

import html
import io
import json
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.commands.publish import run_publish
from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.journal import FILE_NAME as JOURNAL
from aarch64_wheels.publish.release import Release
from aarch64_wheels.publish.teller import Teller
from aarch64_wheels.report.writer import FILE_NAME as REPORT
from aarch64_wheels.settings.publishing import PublishSettings
from tests.unit.publish_desk import EXTRA, Desk
from tests.unit.publish_samples import make_sdist

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("_judged")


def test_all_is_published_and_again_nothing(desk: Desk) -> None:
    assert desk.publish("--github-release", "v1.0") == 0
    out, err = desk.said()
    assert all(name in out for name in [*desk.names, *EXTRA])
    assert f"{desk.index.upload_url} has all 3 files" in err
    assert sorted(desk.index.files) == desk.names
    assert sorted(desk.assets) == sorted([*desk.names, *EXTRA])
    (release,) = desk.github.store.releases
    assert (release.tag_name, release.draft, release.prerelease) == ("v1.0", False, False)
    before = desk.sent()
    assert desk.publish("--github-release", "v1.0") == 0
    assert desk.sent() == before
    assert desk.said()[0].count("is there already") == 2 * 3 + len(EXTRA)
    assert [desk.index.arrivals(name) for name in desk.names] == [[200]] * 3


def test_a_dry_run_sends_nothing_and_writes_nothing(desk: Desk) -> None:
    before = {path: path.stat().st_mtime_ns for path in desk.out.rglob("*")}
    plan = desk.plan("--github-release", "v1.0")
    assert plan["index"]["steps"] == dict.fromkeys(desk.names, "upload")
    assert plan["release"]["steps"] == dict.fromkeys([*desk.names, *EXTRA], "upload")
    assert plan["release"] | {"steps": None} == {"tag": "v1.0", "exists": False, "steps": None}
    assert desk.sent() == []
    assert {path: path.stat().st_mtime_ns for path in desk.out.rglob("*")} == before
    assert desk.index.files == {}
    assert desk.github.store.releases == []


def test_a_dry_run_prints_a_table(desk: Desk) -> None:
    assert desk.publish("--dry-run", "--github-release", "v1.0") == 0
    out, err = desk.said()
    assert "release v1.0" in out
    assert out.count("upload") == 2 * 3 + len(EXTRA) + desk.index.upload_url.count("upload")
    assert err == ""


def test_nobody_reads_along_with_json(desk: Desk) -> None:
    assert desk.publish("--json") == 0
    out, err = desk.said()
    assert json.loads(out)["project"] == "demo"
    assert "uploaded" in err


def test_what_is_there_is_left_and_the_rest_is_sent(desk: Desk) -> None:
    desk.index.add_file("demo", "1.0", desk.names[0], (desk.out / desk.names[0]).read_bytes())
    desk.index.add_file("demo", "0.9", "demo-0.9.tar.gz", b"old")
    assert desk.plan()["index"]["steps"][desk.names[0]] == "is there already"
    assert desk.publish() == 0
    assert [record.filename for record in desk.index.uploads] == desk.names[1:]


def test_the_report_lies_beside_the_files_that_were_moved(desk: Desk, tmp_path: Path) -> None:
    """A job that publishes gets them as an artifact, wherever it wants them."""
    desk.out.rename(tmp_path / "dist")
    (tmp_path / "dist" / desk.wheels[0].name).unlink()
    assert desk.publish("dist") == 4
    assert "it was built, and is not among the files" in desk.said()[1]
    words = ["dist", "--allow-partial", "--github-release", "v1.0"]
    assert desk.publish(*words, to="none") == 0
    assert REPORT in desk.assets


def test_another_tools_report_is_not_published(desk: Desk, tmp_path: Path) -> None:
    desk.out.rename(tmp_path / "dist")
    (tmp_path / "dist" / REPORT).write_text('{"tests": 12}')
    words = ["dist", "--allow-partial", "--github-release", "v1.0"]
    assert desk.publish(*words, to="none") == 0
    assert "report.json is no report of a build, and is not compared" in desk.said()[1]
    assert REPORT not in desk.assets


def test_an_asset_is_exchanged_where_that_is_wanted(desk: Desk) -> None:
    release = desk.github.store.add_release("v1.0")
    desk.github.store.add_asset(release, desk.names[0], b"another")
    assert desk.publish("--github-release", "v1.0", "--replace", to="none") == 0
    assert sorted(desk.assets) == sorted([*desk.names, *EXTRA])
    contents = {one.name: one.content for one in release.assets}
    assert contents[desk.names[0]] == (desk.out / desk.names[0]).read_bytes()


def test_a_pull_request_gets_the_table_of_files(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.github.store.issues.add(7)
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    assert desk.publish("--comment", "--dry-run", to="none") == 0
    assert desk.sent() == []
    assert desk.publish("--comment", to="none") == 0
    (comment,) = desk.github.store.comments
    assert comment.issue == 7
    assert all(f"| {name.replace('_', '&#95;')} |" in comment.body for name in desk.names)


def test_no_index_at_all(desk: Desk) -> None:
    assert desk.publish("--github-release", "v1.0", to="none") == 0
    assert sorted(desk.assets) == sorted([*desk.names, *EXTRA])
    assert desk.index.records == []
    assert desk.plan("--github-release", "v1.0", to="none")["index"] is None


def test_a_url_wins_over_none(desk: Desk) -> None:
    assert desk.publish("--repository", "none") == 0
    assert sorted(desk.index.files) == desk.names


def test_a_prerelease_is_marked_as_one(desk: Desk, tmp_path: Path) -> None:
    path = make_sdist(tmp_path, version="1.0rc1")
    words = [str(path), "--output-dir", "none", "--github-release", "v1.0rc1"]
    assert desk.publish(*words, to="none") == 0
    assert [one.prerelease for one in desk.github.store.releases] == [True]
    assert REPORT not in desk.assets


@pytest.mark.parametrize(("kind", "tags"), [("tag", ["v1.0"]), ("branch", [])])
def test_the_jobs_own_tag_gets_a_release(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, kind: str, tags: list[str]
) -> None:
    monkeypatch.setenv("GITHUB_REF_TYPE", kind)
    monkeypatch.setenv("GITHUB_REF_NAME", "v1.0")
    assert desk.publish("--github-release", "auto") == 0
    assert [release.tag_name for release in desk.github.store.releases] == tags


def test_a_new_tag_is_put_at_the_jobs_commit(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SHA", commit := "0123456789" * 4)
    assert desk.publish("--github-release", "v1.0", to="none") == 0
    assert [one.target_commitish for one in desk.github.store.releases] == [commit]


@pytest.mark.parametrize("as_json", [True, False])
def test_a_reader_that_has_gone_ends_it_before_anything_is_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, as_json: bool
) -> None:
    """As `| head` does: what is printed waits in a buffer until it is flushed."""
    settings = PublishSettings(
        repository_url=desk.index.upload_url, index_url=desk.index.simple_url
    )
    teller = Teller(note=pytest.fail, mask=lambda _secret: None)
    monkeypatch.setattr(sys, "stdout", _Gone())
    with pytest.raises(BrokenPipeError):
        run_publish(settings, os.environ, teller, as_json=as_json)
    assert desk.sent() == []


class _Gone(io.StringIO):
    def flush(self) -> None:
        raise BrokenPipeError


def test_a_killed_upload_goes_on_where_it_stopped(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(_descriptor: int) -> None:
        signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", kill)
        assert desk.publish() == 143
    assert list(desk.index.files) == desk.names[:1]
    assert (desk.out / JOURNAL).is_file()
    assert desk.publish() == 0
    assert [desk.index.arrivals(name) for name in desk.names] == [[200]] * 3


def test_the_summary_gets_the_plan_at_its_end(desk: Desk, tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    page.write_text("before\n")
    settings = PublishSettings(repository="none", github_release="v1.0")
    teller = Teller(note=pytest.fail, mask=lambda _secret: None)
    assert run_publish(settings, os.environ, teller, dry_run=True, summary=page) == 0
    expected = "before\n### demo 1.0 - plan (dry run)\n\n| file |"
    assert page.read_text().startswith(expected)
    assert page.read_text().count("| upload |") == 3 + len(EXTRA)
    assert "- " not in page.read_text().partition("| SHA256SUMS")[2]
    assert desk.said()[0].count("upload") == 3 + len(EXTRA)


def _all_places(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch, page: Path
) -> tuple[int, list[str]]:
    """Publish to the index, a release and a pull request; gives the notes, too."""
    desk.github.store.issues.add(7)
    (event := folder / "event.json").write_text('{"pull_request": {"number": 7}}')
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    settings = PublishSettings(
        repository_url=desk.index.upload_url,
        index_url=desk.index.simple_url,
        github_release="v1.0",
        comment=True,
    )
    notes: list[str] = []
    teller = Teller(note=notes.append, mask=lambda _secret: None)
    return run_publish(settings, os.environ, teller, summary=page), notes


def test_the_summary_gets_the_outcome_at_each_place(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "summary.md"
    assert _all_places(desk, tmp_path, monkeypatch, page)[0] == 0
    plan, _, outcomes = page.read_text().partition("\n\n- ")
    assert plan.startswith("### demo 1.0 - plan\n\n| file |")
    assert html.unescape(outcomes).splitlines() == [
        f"published: 3 files on {desk.index.upload_url}",
        "- done: 6 files in the release v1.0",
        "- done: the table of files is on pull request 7",
    ]
    (comment,) = desk.github.store.comments
    assert "### demo 1.0\n" in comment.body, "no plan: it is done"


def test_the_summary_tells_what_was_done_before_a_failure(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise PublishError("the release is broken")

    monkeypatch.setattr(Release, "publish", fail)
    page = tmp_path / "summary.md"
    with pytest.raises(PublishError, match="the release is broken"):
        _all_places(desk, tmp_path, monkeypatch, page)
    outcomes = page.read_text().partition("\n\n- ")[2]
    assert html.unescape(outcomes) == f"published: 3 files on {desk.index.upload_url}\n"


def test_a_summary_that_cannot_be_written_stops_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, notes = _all_places(desk, tmp_path, monkeypatch, tmp_path)
    assert code == 0
    told = [note for note in notes if note.startswith("cannot write the summary")]
    assert told == [f"cannot write the summary {tmp_path}: Is a directory"]
    assert sorted(desk.index.files) == desk.names


def test_a_shell_may_name_all_that_lies_there(desk: Desk) -> None:
    beside = desk.out / f"{desk.names[0]}.publish.attestation"
    beside.write_text("{}")
    assert desk.publish(*(str(desk.out / name) for name in desk.names)) == 0
    assert f"{beside} is left alone" in desk.said()[1]
    assert sorted(desk.index.files) == [name for name in desk.names if name != beside.name]
