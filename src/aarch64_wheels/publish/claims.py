"""What a CI job says of itself to an index (OIDC), and why an index does not believe it.

The cases here are those that people meet: each is told apart by what the job's environment and
the token's claims show, and each has its own next step.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from id import IdentityError, decode_oidc_token, detect_credential

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish import answers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: The claims by which an index knows a publisher, and what tells a reusable workflow.
_SHOWN = ("repository", "workflow_ref", "job_workflow_ref", "environment", "ref", "event_name")
#: Those of other CI systems.
_SHOWN_ELSEWHERE = ("iss", "sub")
_TIMEOUT = 10.0
#: How twine gives an index's reasons.
_REASON = re.compile(r"^\* `([\w-]+)`: (.*)", re.MULTILINE)
#: What twine raises when an answer lacks what it looks for.
_ODD = (requests.JSONDecodeError, LookupError, TypeError)
_UNKNOWN = ("invalid-publisher", "invalid-pending-publisher")
#: Where the documents say what a publisher is.
_REGISTER = (
    "compare the job with the Trusted Publisher on the index: owner and repository, the "
    "workflow's file name, and the environment, which must be equal or empty on both sides"
)
_NOT_SUPPORTED = (
    "see whether this index supports Trusted Publishing; if not, give it a password "
    "(--trusted-publishing never)"
)
_AGAIN = "see whether the index and the CI's token service are up, then run the job again"


def require_identity(environ: Mapping[str, str]) -> None:
    """See that a job on GitHub can be given an identity at all.

    Raises:
        PublishError: it cannot.
    """
    if not environ.get("GITHUB_ACTIONS") or environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
        return
    if _is_from_fork(environ):
        raise PublishError(
            "a pull request from a fork cannot publish",
            found="GitHub gives its jobs no identity, whatever their permissions",
            hint="publish from a push, a tag or a release of the repository itself",
        )
    raise PublishError(
        "this job may not ask GitHub who it is, so Trusted Publishing cannot work",
        found="ACTIONS_ID_TOKEN_REQUEST_TOKEN is not set, and no password is known",
        hint="give the job `permissions: id-token: write` (in a called workflow also its caller); "
        "or a password, from a secret that is set",
    )


def _is_from_fork(environ: Mapping[str, str]) -> bool:
    """Tell a pull request from another repository. One that is gone was another."""
    if not environ.get("GITHUB_EVENT_NAME", "").startswith("pull_request"):
        return False
    try:
        event = json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        ends = [event["pull_request"][end]["repo"] for end in ("head", "base")]
        head, base = [end and end["full_name"] for end in ends]
    except (OSError, ValueError, LookupError, TypeError):
        return False
    return str(head) != str(base)


def is_passing(error: Exception) -> bool:
    """Tell whether a token may be had in a moment: nobody has said no."""
    answer = _answer(error)
    if answer is not None:
        return answers.is_passing(answer)
    is_odd = isinstance(error, _ODD) or answers.is_untrusted(error)
    return not is_odd and not _REASON.search(str(error))


def explain_refusal(
    error: Exception, repository_url: str, environ: Mapping[str, str], mask: Callable[[str], None]
) -> PublishError:
    """Say why no upload token was minted.

    Args:
        error: of twine, the network, or the index's answer.
        repository_url: where the token was asked for.
        environ: of the job.
        mask: told the job's identity, should it be asked for once more.
    """
    # A URL from `.pypirc` may have a password in it.
    host = urlsplit(repository_url).netloc.rpartition("@")[2]
    what = f"{host} gives this job no upload token"
    reasons = _REASON.findall(str(error))
    if not reasons:
        return PublishError(what, found=_trouble(error), hint=_next(error, environ))
    claims = read_claims(host, mask)
    lines = ["; ".join(f"{code}: {words}" for code, words in reasons)]
    if is_reusable(claims):
        lines.append("the job runs in a reusable workflow")
    return PublishError(
        what, found="\n".join([*lines, *_table(claims)]), hint=_advice(reasons, claims)
    )


def _advice(reasons: Sequence[tuple[str, str]], claims: Mapping[str, Any]) -> str:
    """Say what to do about an index's reasons."""
    if is_reusable(claims):
        return (
            "indexes do not support that (warehouse issue 11096): upload in a job of the "
            "calling workflow, with the wheels as its artifact"
        )
    if str(claims.get("event_name")) == "pull_request_target":
        return "publish from a push, a tag or a release: indexes refuse pull_request_target"
    if any(code in _UNKNOWN for code, _ in reasons):
        return _REGISTER
    return "see the index's words, and run the job again"


def read_claims(host: str, mask: Callable[[str], None]) -> dict[str, Any]:
    """Ask once more who this job is, to show it; empty where that fails.

    Args:
        host: of the index, which tells the audience.
        mask: told the identity before it is read.
    """
    with suppress(requests.RequestException, IdentityError, ValueError, LookupError, TypeError):
        answer = requests.get(f"https://{host}/_/oidc/audience", timeout=_TIMEOUT)
        answer.raise_for_status()
        token = detect_credential(answer.json()["audience"])
        if not token:
            return {}
        mask(token)
        claims = json.loads(decode_oidc_token(token)[1])
        return claims if isinstance(claims, dict) else {}
    return {}


def is_reusable(claims: Mapping[str, Any]) -> bool:
    """Tell whether the job is one of a workflow that another workflow has called."""
    job, workflow = claims.get("job_workflow_ref"), claims.get("workflow_ref")
    return bool(job and workflow) and _file(job) != _file(workflow)


def _file(reference: object) -> str:
    return str(reference).partition("@")[0]


def _table(claims: Mapping[str, Any]) -> list[str]:
    names = _SHOWN if "repository" in claims else _SHOWN_ELSEWHERE
    return [f"{name}: {claims.get(name) or '(none)'}" for name in names if claims]


def _answer(error: Exception) -> requests.Response | None:
    """Give the answer that was an error; others are what they are."""
    answer = getattr(error, "response", None)
    return answer if isinstance(answer, requests.Response) and not answer.ok else None


def _trouble(error: Exception) -> str:
    """Say what kind of trouble it was, if the index has given no reasons."""
    answer = _answer(error)
    if answer is not None:
        return f"it answered {answer.status_code} {answers.said(answer)}"
    if isinstance(error, _ODD):
        return "its answer is not one of Trusted Publishing"
    if isinstance(error, requests.RequestException):
        return answers.trouble(error)
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _next(error: Exception, environ: Mapping[str, str]) -> str:
    answer = _answer(error)
    if isinstance(error, _ODD) or (answer is not None and not answers.is_passing(answer)):
        return _NOT_SUPPORTED
    if answers.is_untrusted(error):
        return "name the file with your certificate authority in REQUESTS_CA_BUNDLE"
    if environ.get("GITHUB_ACTIONS"):
        return _AGAIN
    return "Trusted Publishing works in CI only: elsewhere set TWINE_PASSWORD to an API token"
