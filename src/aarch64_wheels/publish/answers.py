"""What an index says to an upload: taken, to be tried again, there already, or refused and why."""

from __future__ import annotations

import binascii
import enum
import html
import re
import ssl
import time
from base64 import b64decode
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import requests

from aarch64_wheels.hostindex import without_credentials
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CODES = requests.codes
#: Worth another try, besides all of 500 to 599.
_PASSING = frozenset({_CODES.request_timeout, _CODES.too_early, _CODES.too_many_requests})
#: The words of PyPI, pypiserver and devpi; of old PyPI; of Artifactory; of Nexus; of GitLab.
_EXISTS = re.compile(
    r"already exist|already been uploaded|overwrite|updating asset|already been taken",
    re.IGNORECASE,
)
#: What a status line says by itself.
_PHRASES = frozenset({"", *(status.phrase for status in HTTPStatus)})
_MOST_READ = 1 << 14
_MOST_SAID = 400
#: A shorter password cannot be told from words.
_LEAST_SECRET = 4

#: Words of an answer, and what to do about it. The first that fits counts.
_ADVICE: Sequence[tuple[str, str]] = (
    (
        r"project size (is )?too (large|big)",
        "ask the index for a higher limit of the project's size, or delete old releases there",
    ),
    (
        r"(file|content) (is )?too (large|big)|entity too large|exceeds? .*limit",
        "make the wheel smaller (strip debug info), or ask the index for a higher file size limit",
    ),
    (
        r"non-user identities|pending publisher|isn't allowed to create",
        "the project is not there yet: register a pending Trusted Publisher for it first",
    ),
    (
        r"isn't allowed to upload|not allowed to upload|not authori[sz]ed",
        "use the credentials of somebody who may upload to this project",
    ),
    (
        r"(invalid|expired|non-existent) (api )?(token|auth)|authentication information",
        "check user and password; an API token's user is `__token__`, and each index has its own",
    ),
    (
        r"username/password authentication",
        "set TWINE_USERNAME to `__token__` and TWINE_PASSWORD to an API token of this index",
    ),
    (
        r"(already been|previously) used",
        "a file of this name was deleted there, and its name stays taken: release another version",
    ),
    (
        r"attestation",
        "publish again with --attestations never, and look at the index's words",
    ),
    (
        r"two-?factor|2fa",
        "the index wants two-factor authentication: use an API token or Trusted Publishing",
    ),
    (
        r"the name .*(isn't allowed|is too similar|conflicts with)",
        "the index does not take a project of this name: choose another one",
    ),
    (
        r"unsupported platform tag",
        "build again: an index wants a manylinux or musllinux tag, which a repaired wheel has",
    ),
    (
        r"metadata|classifier|invalid value for",
        "mend the project's metadata (pyproject.toml) as the index says, and build again",
    ),
)
_BY_STATUS = {
    _CODES.unauthorized: "check user and password (TWINE_USERNAME, TWINE_PASSWORD, .pypirc)",
    _CODES.forbidden: "check user and password, and that they may upload to this project",
    _CODES.not_found: "check --repository-url: nothing takes uploads there",
    _CODES.method_not_allowed: "check --repository-url: nothing takes uploads there",
    _CODES.proxy_authentication_required: "check user and password of the proxy (HTTPS_PROXY)",
    _CODES.request_entity_too_large: "make the file smaller, or have the server's limit raised",
}


#: What to do about a certificate that is not trusted.
TRUST_HINT = "name the file with the certificates to trust in TWINE_CERT"


class Verdict(enum.StrEnum):
    """What became of an upload."""

    TAKEN = "taken"
    AGAIN = "again"
    EXISTS = "exists"
    REFUSED = "refused"


def judge(answer: requests.Response) -> Verdict:
    """Judge an index's answer to an upload.

    A file of that name exists: some say so with status 409, others with 400 or 403 and words.
    """
    status = answer.status_code
    if _CODES.ok <= status < _CODES.multiple_choices:
        return Verdict.TAKEN
    if is_passing(answer):
        return Verdict.AGAIN
    refused = status in (_CODES.bad_request, _CODES.forbidden)
    if status == _CODES.conflict or (refused and _EXISTS.search(said(answer))):
        return Verdict.EXISTS
    return Verdict.REFUSED


def is_passing(answer: requests.Response) -> bool:
    """Tell whether the server may answer otherwise in a moment."""
    status = answer.status_code
    return status >= _CODES.internal_server_error or status in _PASSING


def said(answer: requests.Response) -> str:
    """Give the words of an answer on one line: its reason, its text, and where it leads."""
    page = answer.text[:_MOST_READ]
    page = re.sub(r"<(style|script|title)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    text = one_line(" ".join(html.unescape(page).split()))
    reason = one_line(answer.reason or "")
    words = _without_login(_joined(reason, text), answer)[:_MOST_SAID]
    return f"{words} (it leads to {_target(answer)})" if answer.is_redirect else words


def advice(answer: requests.Response) -> str:
    """Say what to do about a refusal."""
    if answer.is_redirect:
        return "name the URL it leads to with --repository-url: an upload is never sent on"
    words = said(answer)
    for pattern, text in _ADVICE:
        if re.search(pattern, words, re.IGNORECASE):
            return text
    return _BY_STATUS.get(answer.status_code, "see the index's words, and publish again")


def wait_wanted(answer: requests.Response, limit: float) -> float:
    """Give the seconds that an answer wants to be waited (Retry-After, RFC 9110), at most `limit`.

    0 where it says nothing. A date is of the server's clock, which need not be ours.
    """
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        wanted = float(text)
    elif moment := _moment(text):
        wanted = moment - (_moment(answer.headers.get("Date", "")) or time.time())
    else:
        wanted = 0.0
    return min(max(wanted, 0.0), limit)


def trouble(error: BaseException) -> str:
    """Say why there was no answer: what kind of error, and the system's reason beneath it.

    A library's own words would show whole URLs, and addresses of objects.
    """
    reason = ""
    for link in _chain(error):
        if isinstance(link, OSError) and not isinstance(link, requests.RequestException):
            reason = one_line(link.strerror or str(link))
    return f"{type(error).__name__}: {reason}" if reason else type(error).__name__


def is_untrusted(error: BaseException) -> bool:
    """Tell whether a server's certificate is the reason: no further try will mend that."""
    return any(isinstance(link, ssl.SSLCertVerificationError) for link in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _joined(reason: str, text: str) -> str:
    """Put reason and text together, neither of them twice."""
    if text in reason or (reason in text and reason not in _PHRASES):
        return reason  # an index's own words; the page around them adds none
    return text if reason in text else f"{reason}: {text}"


def _moment(text: str) -> float:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _target(answer: requests.Response) -> str:
    """Give where a redirect leads, without what may be a secret in it."""
    return one_line(without_credentials(urljoin(answer.url, answer.headers["Location"])))


def _without_login(text: str, answer: requests.Response) -> str:
    """Take out what a server repeats of the login that it was sent."""
    sent = answer.request.headers.get("Authorization", "") if answer.request else ""
    encoded = sent.rpartition(" ")[2]
    try:
        password = b64decode(encoded).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        password = ""
    for secret in (encoded, password):
        if len(secret) >= _LEAST_SECRET:
            text = text.replace(secret, "***")
    return text
