"""A GitHub release that gets files: found or made, drafts of ours and of others, run again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.asset_files import AssetFile
from aarch64_wheels.publish.plan import Step
from aarch64_wheels.publish.release import MARKER
from tests.standins_github import GitHubServer, faults
from tests.standins_github.entering import TOKEN, checked_server, entered, everything
from tests.standins_github.releasing import Job, contents, kill, run, writes
from tests.standins_github.store import BRANCH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from github.Repository import Repository

    from tests.standins_github.faults import Fault
    from tests.standins_github.store import Release as Stored

ONE, TWO = "demo-1.0-cp313-cp313-linux_aarch64.whl", "demo-1.0-cp312-cp312-linux_aarch64.whl"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with checked_server() as server:
        yield server


@pytest.fixture
def repo(server: GitHubServer) -> Iterator[Repository]:
    with entered(server) as repository:
        yield repository


@pytest.fixture
def files(tmp_path: Path) -> list[AssetFile]:
    for name in (ONE, TWO):
        (tmp_path / name).write_bytes(name.encode())
    return [AssetFile.read(tmp_path / name) for name in (ONE, TWO)]


def all_there(release: Stored) -> bool:
    return contents(release) == {name: name.encode() for name in (ONE, TWO)}


def test_assets_are_added_to_the_release_of_a_tag(
    server: GitHubServer, repo: Repository, files: list[AssetFile]
) -> None:
    release = server.store.add_release("v1.0", name="One", body="notes", prerelease=True)
    server.store.add_asset(release, "other.txt", b"other")
    plan = run(repo, files)
    assert (plan.exists, plan.steps) == (True, {ONE: Step.UPLOAD, TWO: Step.UPLOAD})
    expected = {ONE: ONE.encode(), TWO: TWO.encode(), "other.txt": b"other"}
    assert contents(release) == expected
    assert (release.name, release.body, release.prerelease) == ("One", "notes", True)
    assert server.asked("PATCH", "") == []


@pytest.mark.parametrize("draft", [False, True])
def test_second_run_sends_nothing(
    server: GitHubServer, repo: Repository, files: list[AssetFile], *, draft: bool
) -> None:
    server.store.add_release("v1.0", draft=draft)
    run(repo, files)
    done = len(writes(server))
    assert run(repo, files).steps == {ONE: Step.THERE, TWO: Step.THERE}
    assert len(writes(server)) == done == 2


@pytest.mark.parametrize(("prerelease", "commit"), [(False, ""), (True, COMMIT)])
def test_release_is_made_and_published_with_its_files(
    server: GitHubServer, repo: Repository, files: list[AssetFile], *, prerelease: bool, commit: str
) -> None:
    job = Job(repo, {"prerelease": prerelease, "commit": commit})
    plan = job.run(files)
    (release,) = server.store.releases
    assert not plan.exists
    assert all_there(release)
    assert (release.draft, release.prerelease, release.name) == (False, prerelease, "v1.0")
    assert (release.body or "").startswith("**Full Changelog**")
    assert release.target_commitish == (commit or BRANCH)
    made, first, second, published = writes(server)
    assert [made, published] == [
        "POST /api/v3/repos/org/demo/releases -> 201",
        f"PATCH /api/v3/repos/org/demo/releases/{release.id} -> 200",
    ]
    assert "/assets" in first
    assert "/assets" in second
    (patch,) = server.asked("PATCH", "")
    assert json.loads(patch.request.body)["make_latest"] == "legacy"
    assert any("there is no tag v1.0 yet" in note for note in job.notes)
    assert job.notes[-1] == "the release v1.0 is published"
    assert run(repo, files).steps == {ONE: Step.THERE, TWO: Step.THERE}
    assert len(writes(server)) == 4


def test_nobody_sees_it_before_all_is_there(
    server: GitHubServer, repo: Repository, files: list[AssetFile]
) -> None:
    server.faults.add(faults.not_accessible(), "POST", "/assets$")
    with pytest.raises(PublishError, match="cannot upload"):
        run(repo, files)
    assert [release.draft for release in server.store.releases] == [True]


def test_tag_that_is_there_keeps_its_commit(
    server: GitHubServer, repo: Repository, files: list[AssetFile]
) -> None:
    server.store.tags["v1.0"] = COMMIT[::-1]
    run(repo, files, commit=COMMIT)
    assert server.store.releases[0].target_commitish == BRANCH
    assert server.store.tags == {"v1.0": COMMIT[::-1]}


@pytest.mark.parametrize("uploaded", [1, 2])
def test_killed_run_is_gone_on_with(
    server: GitHubServer, repo: Repository, files: list[AssetFile], uploaded: int
) -> None:
    last = files[uploaded - 1].name
    with pytest.raises(KeyboardInterrupt):
        Job(repo, meanwhile={f"{last}: uploaded": kill}).run(files)
    (draft,) = server.store.releases
    assert (draft.draft, len(draft.assets)) == (True, uploaded)
    assert (draft.body or "").startswith(MARKER)
    draft.prerelease = True  # by hand, in its editor
    steps = run(repo, files).steps
    assert list(steps.values()).count(Step.THERE) == uploaded
    assert server.store.releases == [draft]
    assert all_there(draft)
    assert (draft.draft, draft.prerelease) == (False, True)
    assert MARKER not in (draft.body or "")
    assert len(server.asked("POST", "/assets$")) == 2


def test_notes_of_our_draft_are_kept(
    server: GitHubServer, repo: Repository, files: list[AssetFile]
) -> None:
    text = f"## New\n\n{MARKER}\n\nEverything."
    draft = server.store.add_release("v1.0", name="One", draft=True, body=text)
    run(repo, files)
    assert (draft.draft, draft.name, draft.body) == (False, "One", "## New\n\n\n\nEverything.")


def test_notes_written_meanwhile_are_kept(
    server: GitHubServer, repo: Repository, files: list[AssetFile]
) -> None:
    def edit() -> None:
        server.store.releases[0].body = f"{MARKER}\nBetter notes."

    Job(repo, meanwhile={f"{TWO}: uploaded": edit}).run(files)
    assert [(one.draft, one.body) for one in server.store.releases] == [(False, "Better notes.")]


@pytest.mark.parametrize("changes", [{"body": "Mine now."}, {"draft": False}])
def test_draft_may_be_taken_over(
    server: GitHubServer, repo: Repository, files: list[AssetFile], changes: dict[str, object]
) -> None:
    def take() -> None:
        for name, value in changes.items():
            setattr(server.store.releases[0], name, value)

    job = Job(repo, meanwhile={f"{TWO}: uploaded": take})
    job.run(files)
    assert server.asked("PATCH", "") == []
    assert "was taken over by somebody" in job.notes[-1]


@pytest.mark.parametrize("body", [None, "", "My own notes."])
def test_draft_of_a_maintainer_stays_one(
    server: GitHubServer, repo: Repository, files: list[AssetFile], body: str | None
) -> None:
    for number in range(120):  # more than a page of others
        server.store.add_release(f"v0.{number}", draft=number > 100)
    draft = server.store.add_release("v1.0", draft=True, body=body)
    server.store.releases.sort(key=lambda one: one.id == draft.id)  # the last of them
    job = Job(repo)
    assert job.run(files).exists
    assert all_there(draft)
    assert (draft.draft, draft.body) == (True, body)
    assert server.asked("PATCH", "") == []
    assert "draft that was not made here" in job.notes[-1]
    pages = [record.request.query for record in server.asked("GET", "/releases$")]
    assert [page["per_page"] for page in pages] == ["100", "100"]


def test_two_drafts_are_one_too_many(
    server: GitHubServer, repo: Repository, files: list[AssetFile]
) -> None:
    for _ in range(2):
        server.store.add_release("v1.0", draft=True)
    with pytest.raises(PublishError, match="there are 2 drafts for the release"):
        run(repo, files)
    assert writes(server) == []


@pytest.mark.parametrize("fault", [faults.lost_answer(), faults.server_error(502)])
def test_release_is_made_once(
    server: GitHubServer, repo: Repository, files: list[AssetFile], fault: Fault
) -> None:
    """PyGithub would send the request again, which makes a second draft."""
    server.faults.add(fault, "POST", "/releases$")
    job = Job(repo)
    job.run(files)
    (release,) = server.store.releases
    assert all_there(release)
    assert not release.draft
    assert job.waits == [2.0]


@pytest.mark.parametrize(
    "fault",
    [
        faults.server_error(502),
        faults.lost_answer(),
        faults.secondary_limit(),
        faults.primary_limit(),
    ],
)
def test_publication_is_repeated(
    server: GitHubServer, repo: Repository, files: list[AssetFile], fault: Fault
) -> None:
    server.faults.add(fault, "PATCH", "/releases/")
    run(repo, files)
    assert [release.draft for release in server.store.releases] == [False]
    assert len(server.asked("PATCH", "/releases/")) == 2


@pytest.mark.parametrize(
    ("method", "path", "what"),
    [
        ("GET", "/releases/tags/", "look for the release v1.0"),
        ("POST", "/releases$", "make the release v1.0"),
        ("POST", "/assets$", f"upload {ONE}"),
        ("PATCH", "/releases/", "publish the release v1.0"),
    ],
)
def test_missing_permission_is_named(
    server: GitHubServer,
    repo: Repository,
    files: list[AssetFile],
    method: str,
    path: str,
    what: str,
) -> None:
    server.faults.add(faults.not_accessible(), method, path)
    with pytest.raises(PublishError, match=what) as caught:
        run(repo, files)
    assert caught.value.hint == "give the job `permissions: contents: write`"
    assert "not accessible by integration" in caught.value.found
    assert TOKEN not in everything(caught.value)


def test_immutable_release_is_not_tried(
    server: GitHubServer, repo: Repository, files: list[AssetFile]
) -> None:
    release = server.store.add_release("v1.0", immutable=True)
    server.store.add_asset(release, ONE, ONE.encode())
    assert run(repo, files[:1]).steps == {ONE: Step.THERE}
    with pytest.raises(PublishError, match="is immutable") as caught:
        run(repo, files)
    assert caught.value.found == f"not there as they are here: {TWO}"
    assert writes(server) == []
