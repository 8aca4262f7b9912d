"""What indexes say, in the words and with the statuses that they have."""

from __future__ import annotations

import base64
import socket
import ssl

import pytest
import requests

from aarch64_wheels.publish.answers import (
    Verdict,
    advice,
    is_untrusted,
    judge,
    said,
    trouble,
    wait_wanted,
)


def answer(
    status: int = 200,
    reason: str = "",
    text: str = "",
    headers: dict[str, str] | None = None,
    authorization: str = "",
) -> requests.Response:
    made = requests.Response()
    made.status_code, made.reason, made.url = status, reason, "https://index.example/legacy"
    made._content = text.encode()  # noqa: SLF001 - what an adapter does
    made.encoding = "utf-8"
    made.headers.update(headers or {})
    request = requests.Request("POST", made.url, headers={"Authorization": authorization})
    made.request = request.prepare()
    return made


@pytest.mark.parametrize(
    ("status", "text", "verdict"),
    [
        (200, "", Verdict.TAKEN),
        (201, "", Verdict.TAKEN),
        (204, "", Verdict.TAKEN),
        (302, "", Verdict.REFUSED),
        (400, "Invalid value for classifiers.", Verdict.REFUSED),
        (400, "File already exists ('a.whl', with blake2_256 hash 'b')", Verdict.EXISTS),
        (400, "Package 'a.whl' already exists!", Verdict.EXISTS),
        (400, "A file named a.whl has already been uploaded", Verdict.EXISTS),
        (400, "Repository does not allow updating assets: pypi", Verdict.EXISTS),
        (400, "Validation failed: File name has already been taken", Verdict.EXISTS),
        (400, "This filename was previously used by a file", Verdict.REFUSED),
        (401, "File already exists", Verdict.REFUSED),
        (403, "Not enough permissions to overwrite artifact 'a.whl'", Verdict.EXISTS),
        (403, "Invalid API Token", Verdict.REFUSED),
        (404, "", Verdict.REFUSED),
        (408, "", Verdict.AGAIN),
        (409, "a.whl is there in a non-volatile index", Verdict.EXISTS),
        (413, "", Verdict.REFUSED),
        (425, "", Verdict.AGAIN),
        (429, "", Verdict.AGAIN),
        (500, "already exists", Verdict.AGAIN),
        (503, "", Verdict.AGAIN),
        (599, "", Verdict.AGAIN),
    ],
)
def test_verdicts(status: int, text: str, verdict: Verdict) -> None:
    assert judge(answer(status, text=text)) is verdict
    assert judge(answer(status, reason=text)) is verdict


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (answer(400), ""),
        (answer(400, "Bad Request"), "Bad Request"),
        (answer(400, "", "Wrong"), "Wrong"),
        (answer(400, "Bad Request", "Wrong"), "Bad Request: Wrong"),
        (answer(400, "No such thing", "<h1>400 No such thing</h1>It is wrong."), "No such thing"),
        (answer(403, "Forbidden", "<h1>403 Forbidden</h1>None"), "403 Forbidden None"),
        (
            answer(400, "", "<title>T</title><style>a {}</style><p>one\n two &#039;3&#039;"),
            "one two '3'",
        ),
        (answer(400, "", "&lt;b&gt; &#27;[31m::error::x"), "<b> [31m::error::x"),
        (answer(400, "", "::error::x"), "| ::error::x"),
        (answer(400, "::add-mask::x"), "| ::add-mask::x"),
        (answer(400, "", "x" * 1000), "x" * 400),
        (
            answer(308, "Permanent", headers={"Location": "/legacy/"}),
            "Permanent (it leads to https://index.example/legacy/)",
        ),
        (
            answer(
                302, "Found", headers={"Location": "https://u:geheim@sso.example/in?t=geheim#g"}
            ),
            "Found (it leads to https://sso.example/in)",
        ),
    ],
)
def test_words(made: requests.Response, words: str) -> None:
    assert said(made) == words


@pytest.mark.parametrize("password", ["geheim-123", "pypi-AgEIcHlwaS5vcmc", "schlüssel"])
def test_a_password_that_a_server_repeats_is_not_shown(password: str) -> None:
    encoded = base64.b64encode(f"me:{password}".encode()).decode()
    text = f"you sent Basic {encoded}: me with {password} - " + "x" * 400 + password
    words = said(answer(403, "Forbidden", text, authorization=f"Basic {encoded}"))
    assert words.startswith("Forbidden: you sent Basic ***: me with *** - x")
    assert password not in words
    cut = said(answer(403, "", "x" * 395 + password, authorization=f"Basic {encoded}"))
    assert cut == "x" * 395 + "***"


def test_what_is_no_basic_login_is_hidden_as_a_whole() -> None:
    words = said(answer(403, "", "Bearer abcdef!! is wrong", authorization="Bearer abcdef!!"))
    assert words == "Bearer *** is wrong"


@pytest.mark.parametrize(
    ("made", "next_step"),
    [
        (answer(308, "Redirect", "metadata", {"Location": "/legacy/"}), "--repository-url"),
        (answer(400, "File too large. Limit for project 'demo' is 100 MB."), "file size limit"),
        (
            answer(400, "Project size too large. Limit for project 'demo' total size is 10 GB."),
            "project's size",
        ),
        (answer(413, "Request Entity Too Large"), "strip debug"),
        (
            answer(400, "Non-user identities cannot create new projects."),
            "pending Trusted Publisher",
        ),
        (
            answer(403, "The user 'me' isn't allowed to upload to project 'demo'."),
            "somebody who may upload",
        ),
        (answer(403, "Invalid or non-existent authentication information."), "`__token__`"),
        (answer(403, "Invalid API Token: token is expired"), "`__token__`"),
        (
            answer(403, "Username/Password authentication is no longer supported."),
            "TWINE_USERNAME to `__token__`",
        ),
        (answer(400, "This filename has already been used, use another"), "another version"),
        (
            answer(400, "This filename was previously used by a file that has since been deleted."),
            "another version",
        ),
        (answer(400, "Invalid attestations supplied during upload"), "--attestations never"),
        (answer(401, "Two-factor authentication is needed"), "API token"),
        (answer(400, "The name 'os' isn't allowed."), "choose another"),
        (answer(400, "Binary wheel 'a' has an unsupported platform tag"), "manylinux"),
        (answer(400, "'x' is an invalid value for Classifier."), "pyproject.toml"),
        (answer(401, "Unauthorized"), "TWINE_PASSWORD"),
        (answer(403, "Forbidden"), "user and password"),
        (answer(404, "Not Found"), "--repository-url"),
        (answer(405, "Method Not Allowed"), "--repository-url"),
        (answer(407, "Proxy Authentication Required"), "HTTPS_PROXY"),
        (answer(418, "I'm a teapot"), "the index's words"),
    ],
)
def test_what_to_do(made: requests.Response, next_step: str) -> None:
    assert next_step in advice(made)


_DATE = "Wed, 21 Oct 2015 07:28:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": " 7 "}, 7),
        ({"Retry-After": "3600"}, 60),
        ({"Retry-After": "9" * 500}, 60),
        ({"Retry-After": "-1"}, 0),
        ({"Retry-After": "soon"}, 0),
        ({"Retry-After": "Wed, 99 Oct 2015 07:28:00 GMT"}, 0),
        ({"Retry-After": _DATE}, 0),  # long past
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:09 GMT", "Date": _DATE}, 9),
        ({"Retry-After": "Wed, 21 Oct 2015 09:28:09 GMT", "Date": _DATE}, 60),
        ({"Retry-After": _DATE, "Date": "Wed, 21 Oct 2015 07:28:09 GMT"}, 0),
        ({"Retry-After": "Thu, 21 Oct 2100 09:28:09 GMT", "Date": "nonsense"}, 60),
    ],
)
def test_the_wait_that_is_wanted(headers: dict[str, str], seconds: float) -> None:
    assert wait_wanted(answer(503, headers=headers), 60.0) == seconds


def test_a_broken_connection_is_told_by_its_reason() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        url = f"http://me:geheim@127.0.0.1:{taken.getsockname()[1]}/"
        with pytest.raises(requests.ConnectionError) as caught:
            requests.get(url, timeout=5, proxies={"http": ""})
    assert trouble(caught.value) == "ConnectionError: Connection refused"
    assert not is_untrusted(caught.value)


def test_an_error_without_a_reason_beneath_is_told_by_its_kind() -> None:
    assert trouble(requests.ReadTimeout("https://me:geheim@index.example/")) == "ReadTimeout"
    assert trouble(FileNotFoundError(2, "No such file or directory")).endswith("file or directory")


def test_a_certificate_is_found_beneath() -> None:
    error = requests.exceptions.SSLError("whole URLs")
    error.__cause__ = OSError("between")
    error.__cause__.__context__ = ssl.SSLCertVerificationError(1, "self-signed certificate")
    assert is_untrusted(error)
    assert trouble(error) == "SSLError: self-signed certificate"
