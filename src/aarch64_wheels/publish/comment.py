"""The comment with the table of wheels on a pull request: one, kept up to date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from github import GithubException, RateLimitExceededException

from aarch64_wheels.errors import UsageError
from aarch64_wheels.publish.github import told
from aarch64_wheels.publish.patience import USUAL, Patience, may_pass, persevere

if TYPE_CHECKING:
    from collections.abc import Mapping

    from github.IssueComment import IssueComment
    from github.PullRequest import PullRequest
    from github.Repository import Repository

#: By this the comment is found again. HTML comments are not shown.
MARKER = "<!-- aarch64-wheels: wheels -->"
_NEEDS = "give the job `permissions: pull-requests: write`"
_FORK = (
    "a pull request from a fork gets a token that may only read, whatever the workflow says: "
    "comment in a job of another event, such as `workflow_run`"
)
#: GitHub takes no more characters; what is left out is in the job's summary.
_LONGEST = 65_536
_CUT = "\nThe rest is too long for a comment: the summary of the job has it.\n"
#: Who a job's own token is.
_ACTIONS = "github-actions[bot]"
_NOT_OURS = (requests.codes.forbidden, requests.codes.not_found)


def pull_request_number(environ: Mapping[str, str]) -> int:
    """Give the number of the pull request that the job runs for.

    Raises:
        UsageError: it runs for none.
    """
    try:
        event = json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        return int(event["pull_request"]["number"])
    except (OSError, ValueError, LookupError, TypeError):
        raise UsageError(
            "there is no pull request to comment on",
            found=f"the job runs for `{environ.get('GITHUB_EVENT_NAME', 'no event')}`",
            hint="use --comment in jobs of pull requests only",
        ) from None


def keep_comment(
    repository: Repository, number: int, text: str, patience: Patience = USUAL
) -> bool:
    """Write the comment, or bring it up to date.

    Args:
        repository: PyGithub's.
        number: of the pull request.
        text: Markdown.
        patience: how GitHub is waited for.

    Returns:
        False if it says this already.

    Raises:
        PublishError: GitHub does not take it.
    """
    what, body = f"comment on pull request {number}", _fitting(f"{MARKER}\n{text}")
    with told(what, needs=_NEEDS):
        pull = repository.get_pull(number)
    with told(what, needs=_FORK if _is_forks(pull, repository) else _NEEDS):
        return persevere(
            patience, lambda: _update(pull, body, patience), lambda: _create(pull, body)
        )


def _fitting(body: str) -> str:
    """Cut a text between two lines, if it is too long for a comment."""
    if len(body) <= _LONGEST:
        return body
    head = body[: _LONGEST - len(_CUT)]
    return head[: head.rfind("\n") + 1] + _CUT


def _is_forks(pull: PullRequest, repository: Repository) -> bool:
    """Tell whether it comes from another repository, which may be deleted since."""
    return pull.head.repo is None or pull.head.repo.id != repository.id


def _create(pull: PullRequest, body: str) -> bool:
    pull.create_issue_comment(body)
    return True


def _update(pull: PullRequest, body: str, patience: Patience) -> bool | None:
    """Bring our comment up to date; None: there is none, or none that we may edit."""
    mine = _find(pull, patience)
    if mine is None or _same(mine.body, body):
        return None if mine is None else False
    try:
        mine.edit(body)
    except GithubException as error:
        if isinstance(error, RateLimitExceededException) or error.status not in _NOT_OURS:
            raise
        return None
    return True


def _find(pull: PullRequest, patience: Patience) -> IssueComment | None:
    """Find our comment.

    Everybody may begin a comment with the marker, and who may write to the repository may edit
    everybody's comments: ours is the one that is by us, too.
    """
    marked = [row for row in pull.get_issue_comments() if (row.body or "").startswith(MARKER)]
    login = _login(pull, patience) if marked else ""
    return next((row for row in marked if row.user and row.user.login == login), None)


def _login(pull: PullRequest, patience: Patience) -> str:
    """Ask who we are. `GET /user` knows people only; this knows tokens of jobs and Apps, too."""
    query = "query { viewer { login } }"
    try:
        _headers, data = persevere(
            patience, lambda: None, lambda: pull.requester.graphql_query(query, {})
        )
        return str(data["data"]["viewer"]["login"])
    except GithubException as error:
        if isinstance(error, RateLimitExceededException) or may_pass(error):
            raise
    except (LookupError, TypeError):  # an answer without it
        pass
    return _ACTIONS


def _same(one: str, other: str) -> bool:
    return one.strip().splitlines() == other.strip().splitlines()
