"""The comment with the table of wheels on a pull request: one for a project, kept up to date."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from github import GithubException, RateLimitExceededException
from packaging.utils import canonicalize_name

from aarch64_wheels.errors import UsageError
from aarch64_wheels.publish.github import told
from aarch64_wheels.publish.patience import USUAL, Patience, may_pass, persevere

if TYPE_CHECKING:
    from collections.abc import Mapping

    from github.IssueComment import IssueComment
    from github.PullRequest import PullRequest
    from github.Repository import Repository

#: How a table's heading begins: with the project, in Markdown.
_HEADING = re.compile(r"### (\S+) ")
_NEEDS = "give the job `permissions: pull-requests: write`"
_FORK = (
    "a pull request from a fork gets a token that may only read, whatever the workflow says: "
    "read the table in the job's summary"
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
        return int(_pull_request(event)["number"])
    except (OSError, ValueError, LookupError, TypeError):
        raise UsageError(
            "there is no pull request to comment on",
            found=f"the job runs for `{environ.get('GITHUB_EVENT_NAME', 'no event')}`",
            hint="use --comment in jobs of pull requests, or of a `workflow_run` for one of them; "
            "there GitHub names none that is from a fork: read the table in the job's summary",
        ) from None


def _pull_request(event: Any) -> Any:
    """Give the pull request of an event; where a workflow has run for many, it is none of them."""
    if "workflow_run" not in event:
        return event["pull_request"]
    (only,) = event["workflow_run"]["pull_requests"]
    return only


def marker(project: str) -> str:
    """Give what a project's comment begins with, and is found again by: it is not shown."""
    name = canonicalize_name(project)
    return f"<!-- aarch64-wheels: wheels{' of ' * bool(name)}{name} -->"


def keep_comment(
    repository: Repository,
    number: int,
    text: str,
    patience: Patience = USUAL,
    *,
    project: str | None = None,
) -> bool:
    """Write the comment, or bring it up to date.

    Args:
        repository: PyGithub's.
        number: of the pull request.
        text: Markdown.
        patience: how GitHub is waited for.
        project: whose comment it is; None: that of the text's heading.

    Returns:
        False if it says this already.

    Raises:
        PublishError: GitHub does not take it.
    """
    mark = marker(_project(text) if project is None else project)
    what, body = f"comment on pull request {number}", _fitting(f"{mark}\n{text}")
    with told(what, needs=_NEEDS):
        pull = repository.get_pull(number)
    with told(what, needs=_FORK if _is_forks(pull, repository) else _NEEDS):
        return persevere(
            patience, lambda: _update(pull, mark, body, patience), lambda: _create(pull, body)
        )


def _project(text: str) -> str:
    """Read the project from a table's heading, in which some characters are references."""
    heading = _HEADING.match(text)
    name = html.unescape(heading.group(1)) if heading else ""
    return name if re.fullmatch(r"[A-Za-z0-9._-]+", name) else ""


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


def _update(pull: PullRequest, mark: str, body: str, patience: Patience) -> bool | None:
    """Bring our comment up to date; None: there is none, or none that we may edit."""
    mine = _find(pull, mark, patience)
    if mine is None or _same(mine.body, body):
        return None if mine is None else False
    try:
        mine.edit(body)
    except GithubException as error:
        if isinstance(error, RateLimitExceededException) or error.status not in _NOT_OURS:
            raise
        return None
    return True


def _find(pull: PullRequest, mark: str, patience: Patience) -> IssueComment | None:
    """Find our comment.

    Everybody may begin a comment with the marker, and who may write to the repository may edit
    everybody's comments: ours is the one that is by us, too.
    """
    marked = [row for row in pull.get_issue_comments() if (row.body or "").startswith(mark)]
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
