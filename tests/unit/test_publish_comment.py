"""The comment on a pull request: one, ours, kept up to date."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import PublishError, UsageError
from aarch64_wheels.publish.comment import keep_comment, marker, pull_request_number
from tests.standins_github import GitHubServer, faults
from tests.standins_github.entering import TOKEN, checked_server, entered, everything, patient
from tests.standins_github.releasing import writes
from tests.standins_github.routes import LONGEST_COMMENT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from github.Repository import Repository

    from tests.standins_github.faults import Fault

MARKER = marker("")
TABLE = "| file |\n| --- |\n| demo.whl |\n"
OURS = f"{MARKER}\n{TABLE}"
COMMENTS = "/issues/7/comments$"


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with checked_server() as server:
        server.store.issues.add(7)
        yield server


@pytest.fixture
def repo(server: GitHubServer) -> Iterator[Repository]:
    with entered(server) as repository:
        yield repository


def keep(repo: Repository, text: str = TABLE, waits: list[float] | None = None) -> bool:
    return keep_comment(repo, 7, text, patient(waits))


def bodies(server: GitHubServer) -> list[str]:
    return [comment.body for comment in server.store.comments]


def test_comment_is_made_changed_and_left_alone(server: GitHubServer, repo: Repository) -> None:
    assert keep(repo, "first")
    assert keep(repo)
    assert not keep(repo)
    assert bodies(server) == [OURS]
    comments = [line for line in writes(server) if "graphql" not in line]
    assert [line.split()[0] for line in comments] == ["POST", "PATCH"]


@pytest.mark.parametrize("shown", [OURS.rstrip(), OURS.replace("\n", "\r\n"), f"{OURS}\n"])
def test_ends_of_lines_are_no_change(server: GitHubServer, repo: Repository, shown: str) -> None:
    server.store.add_comment(7, shown)
    assert not keep(repo)
    assert bodies(server) == [shown]


def test_nobody_is_asked_for_where_there_is_no_comment(
    server: GitHubServer, repo: Repository
) -> None:
    server.store.add_comment(7, f"> {MARKER}\n\nWhat is this?", "reader")
    assert keep(repo)
    assert server.asked("POST", "graphql") == []
    assert bodies(server)[1:] == [OURS]


@pytest.mark.parametrize("login", ["reader", "other-app[bot]", "github-actions"])
def test_comment_of_somebody_else_is_left_alone(
    server: GitHubServer, repo: Repository, login: str
) -> None:
    """The token may edit it: GitHub would not refuse. Its author could edit it after us."""
    theirs = f"{MARKER}\nwheels of mine"
    server.store.add_comment(7, theirs, login)
    assert keep(repo, "first")
    assert keep(repo)
    assert bodies(server) == [theirs, OURS]


def test_own_comment_is_known_by_any_login(server: GitHubServer, repo: Repository) -> None:
    server.store.viewer = "release-app[bot]"
    server.store.add_comment(7, f"{MARKER}\nof the job")
    server.store.add_comment(7, f"{MARKER}\nof the App", "release-app[bot]")
    assert keep(repo)
    assert bodies(server) == [f"{MARKER}\nof the job", OURS]


@pytest.mark.parametrize("viewer", [None, ""])
def test_who_is_not_told_who_it_is_is_the_job(
    server: GitHubServer, repo: Repository, viewer: str | None
) -> None:
    server.store.viewer = viewer
    server.store.add_comment(7, f"{MARKER}\nwheels of mine", "reader")
    server.store.add_comment(7, f"{MARKER}\nold")
    assert keep(repo)
    assert bodies(server) == [f"{MARKER}\nwheels of mine", OURS]


def test_more_than_a_page_of_comments(server: GitHubServer, repo: Repository) -> None:
    for number in range(130):
        server.store.add_comment(7, f"Comment {number}.", "reader")
    ours = server.store.add_comment(7, f"{MARKER}\nold")
    assert keep(repo)
    assert ours.body == OURS
    assert len(server.store.comments) == 131


@pytest.mark.parametrize(
    "fault", [faults.lost_answer(), faults.server_error(502), faults.cut_before_answer()]
)
@pytest.mark.parametrize("path", [COMMENTS, "/graphql$"])
def test_trouble_makes_no_second_comment(
    server: GitHubServer, repo: Repository, fault: Fault, path: str
) -> None:
    if path != COMMENTS:
        server.store.add_comment(7, f"{MARKER}\nold")
    server.faults.add(fault, "POST", path)
    waits: list[float] = []
    keep(repo, waits=waits)
    assert bodies(server) == [OURS]
    assert waits == [2.0]


def test_without_knowing_who_we_are_nothing_is_written(
    server: GitHubServer, repo: Repository
) -> None:
    server.store.add_comment(7, f"{MARKER}\nold")
    server.faults.add(faults.server_error(502), "POST", "/graphql$", times=5)
    with pytest.raises(PublishError, match="comment on pull request 7"):
        keep(repo)
    assert bodies(server) == [f"{MARKER}\nold"]


@pytest.mark.parametrize("fault", [faults.lost_answer(), faults.server_error(502)])
def test_change_is_repeated(server: GitHubServer, repo: Repository, fault: Fault) -> None:
    server.store.add_comment(7, f"{MARKER}\nold")
    server.faults.add(fault, "PATCH", "/issues/comments/")
    assert keep(repo)
    assert bodies(server) == [OURS]
    assert len(server.asked("PATCH", "")) == 2


def test_limit_on_a_change_is_no_reason_for_another_comment(
    server: GitHubServer, repo: Repository
) -> None:
    server.store.add_comment(7, f"{MARKER}\nold")
    server.faults.add(faults.secondary_limit(retry_after=3600), "PATCH", "/issues/comments/")
    with pytest.raises(PublishError, match="comment on pull request 7") as caught:
        keep(repo)
    assert "limit" in caught.value.hint
    assert len(server.store.comments) == 1


def test_server_that_stays_broken_is_none_either(server: GitHubServer) -> None:
    server.store.add_comment(7, f"{MARKER}\nold")
    server.faults.add(faults.server_error(502), "PATCH", "/issues/comments/", times=3)
    with (
        entered(server, patient(again=2)) as repository,
        pytest.raises(PublishError, match="comment on pull request 7") as caught,
    ):
        keep(repository)
    assert caught.value.found == "502"
    assert len(server.store.comments) == 1


def test_comment_that_may_not_be_changed_is_made_anew(
    server: GitHubServer, repo: Repository
) -> None:
    server.store.add_comment(7, f"{MARKER}\nold")
    server.faults.add(faults.not_accessible(), "PATCH", "/issues/comments/")
    assert keep(repo)
    assert bodies(server) == [f"{MARKER}\nold", OURS]


@pytest.mark.parametrize(
    ("fork", "hint"),
    [(True, "read the table in the job's summary"), (False, "`permissions: pull-requests: w")],
)
def test_token_that_may_only_read(
    server: GitHubServer, repo: Repository, hint: str, *, fork: bool
) -> None:
    if fork:
        server.store.forks.add(7)
    server.faults.add(faults.not_accessible(), "POST", COMMENTS)
    with pytest.raises(PublishError, match="comment on pull request 7") as caught:
        keep(repo)
    assert caught.value.found == "403 Resource not accessible by integration"
    assert hint in caught.value.hint
    assert TOKEN not in everything(caught.value)
    assert bodies(server) == []


def test_unknown_pull_request_is_named(server: GitHubServer, repo: Repository) -> None:
    with pytest.raises(PublishError, match="cannot comment on pull request 8") as caught:
        keep_comment(repo, 8, TABLE, patient())
    assert caught.value.found.startswith("404")
    assert writes(server) == []


@pytest.mark.parametrize("spare", [1, 0, -1, -5000])
def test_long_table_is_cut_between_two_lines(
    server: GitHubServer, repo: Repository, spare: int
) -> None:
    head = f"{TABLE}| é-"
    text = head + "x" * (LONGEST_COMMENT - spare - len(f"{MARKER}\n{head} |\n{TABLE}"))
    text = f"{text} |\n{TABLE}"
    assert keep(repo, text)
    assert not keep(repo, text)
    (body,) = bodies(server)
    assert len(body) <= LONGEST_COMMENT
    if spare >= 0:
        assert body == f"{MARKER}\n{text}"
    else:
        table, _, rest = body.removeprefix(f"{MARKER}\n").partition("\n\n")
        assert f"{text}\n".startswith(f"{table}\n")
        assert rest == "The rest is too long for a comment: the summary of the job has it.\n"


@pytest.mark.parametrize(
    "event",
    [
        None,
        "no JSON",
        "[]",
        "{}",
        '{"pull_request": null}',
        '{"pull_request": {"number": "seven"}}',
    ],
)
def test_job_of_no_pull_request(tmp_path: Path, event: str | None) -> None:
    path = tmp_path / "event.json"
    if event is not None:
        path.write_text(event)
    given = {"GITHUB_EVENT_PATH": str(path), "GITHUB_EVENT_NAME": "push"}
    with pytest.raises(UsageError, match="there is no pull request") as caught:
        pull_request_number(given)
    assert caught.value.found == "the job runs for `push`"


def test_each_project_has_a_comment_of_its_own(server: GitHubServer, repo: Repository) -> None:
    one, other = "### demo 1.0\n", "### other&#45;demo 1.0\n"
    for text in (one, other, one, other):
        keep(repo, text)
    keep_comment(repo, 7, "third", patient(), project="Other_Demo")
    marks = [marker("demo"), marker("other-demo")]
    assert bodies(server) == [f"{marks[0]}\n{one}", f"{marks[1]}\nthird"]


def test_a_heading_cannot_end_the_marker(server: GitHubServer, repo: Repository) -> None:
    keep(repo, "### a--&gt;b 1.0\n")
    assert bodies(server) == [f"{MARKER}\n### a--&gt;b 1.0\n"]


@pytest.mark.parametrize("numbers", [[], [7], [7, 8]])
def test_a_workflow_that_ran_for_one_pull_request(tmp_path: Path, numbers: list[int]) -> None:
    path = tmp_path / "event.json"
    rows = [{"number": number} for number in numbers]
    path.write_text(json.dumps({"workflow_run": {"pull_requests": rows}}))
    given = {"GITHUB_EVENT_PATH": str(path), "GITHUB_EVENT_NAME": "workflow_run"}
    if len(numbers) == 1:
        assert pull_request_number(given) == 7
        return
    with pytest.raises(UsageError, match="there is no pull request") as caught:
        pull_request_number(given)
    assert "names none that is from a fork" in caught.value.hint


def test_number_of_the_pull_request(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text(json.dumps({"pull_request": {"number": 7}}))
    assert pull_request_number({"GITHUB_EVENT_PATH": str(path)}) == 7
    with pytest.raises(UsageError) as caught:
        pull_request_number({})
    assert caught.value.found == "the job runs for `no event`"
