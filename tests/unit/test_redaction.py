"""Logins are left out of what is shown, and of what programs print nothing else."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aarch64_wheels.engine.watch import Overrun, timed_out
from aarch64_wheels.errors import AarchWheelsError, CommandError
from aarch64_wheels.native.backend import NotNative
from aarch64_wheels.redaction import redact, redact_logins

#: Seconds of the processor: a quadratic search would take minutes.
LIMIT = 5

LOGINS = {
    "name and password": ("https://u:S3CRET@h.example/simple", "https://h.example/simple"),
    "token": ("https://S3CRET@h.example/simple", "https://h.example/simple"),
    "slash": ("https://u:S3/CRET@h.example/simple", "https://h.example/simple"),
    "at": ("https://u:S3@CRET@h.example/", "https://h.example/"),
    "digits": ("https://u:12/S3CRET@h.example/", "https://h.example/"),
    "behind a port": (
        "http://h.example:80/x;https://u:S3CRET@h.example/",
        "http://h.example:80/x;https://h.example/",
    ),
    "empty name": ("https://:S3CRET@h.example/", "https://h.example/"),
    "git": ("x @ git+https://u:S3CRET@h.example/x.git", "x @ git+https://h.example/x.git"),
    "variable": ("A=https://S3CRET@h.example B='1'", "A=https://h.example B='1'"),
    "words": (
        'cannot ask "https://u:S3CRET@h.example/": 401',
        'cannot ask "https://h.example/": 401',
    ),
    "lines": ("a\n  https://S3CRET@h.example\nb", "a\n  https://h.example\nb"),
}
KEPT = (
    *("x@1.2", "me@host.example", "quay.io/a/b@sha256:0123abcd", "@", "f@plt", "a @ b"),
    *("git+https://h.example/x@1.2#egg=x", "https://h.example/?page=2#top", "http://h:80/", "://"),
    *("git+https://h.example:8443/x@1.2", "http://127.0.0.1:80/a/b@c/"),
)


@pytest.mark.parametrize(("text", "expected"), LOGINS.values(), ids=LOGINS.keys())
def test_a_login_is_left_out(text: str, expected: str) -> None:
    assert redact_logins(text) == expected


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_login_stays(text: str) -> None:
    assert redact_logins(text) == text


@pytest.mark.parametrize("word", ["a", "x@://:", "://a.b", "a.", "https://u@h/?", "a://", "@"])
def test_long_lines_take_no_long_time(word: str) -> None:
    text = word * 100_000
    started = time.process_time()
    redact_logins(f"{text}\n{text}=https://u:S3CRET@h.example/")
    assert time.process_time() - started < LIMIT


def test_a_command_and_what_it_printed_are_told_without_logins() -> None:
    url = "https://u:S3CRET@h.example/simple"
    error = CommandError(("pip", "install", "-i", url, "x@1.2"), 1, f"no answer of {url}")
    assert error.tail == "no answer of https://h.example/simple"
    assert str(error) == (
        "`pip install -i https://h.example/simple x@1.2` ended with status 1\n"
        "found: no answer of https://h.example/simple"
    )


def test_no_error_tells_a_login() -> None:
    url = "https://u:S3CRET@h.example/x"
    error = AarchWheelsError(f"cannot get {url}", found=f"a\n{url}: 401", hint=f"see `{url}`")
    assert (error.what, error.found) == (
        "cannot get https://h.example/x",
        "a\nhttps://h.example/x: 401",
    )
    assert error.hint == "see `https://h.example/x`"
    assert error.args == (error.what,)


def test_a_stage_that_was_ended_is_told_without_logins() -> None:
    url = "https://u:S3CRET@h.example/simple"
    overrun = Overrun(stage="build", setting="time-limit", limit=60, ran=60, silent=0)
    error = timed_out(overrun, [f"5 s: pip install -i {url}"], [f"Looking in: {url}"])
    assert "5 s: pip install -i https://h.example/simple" in error.found
    assert error.found.endswith("  Looking in: https://h.example/simple")
    assert "S3CRET" not in str(error)


def test_a_reason_for_emulation_is_told_without_logins() -> None:
    error = NotNative("this is no requirement: 'x @@ https://u:S3CRET@h.example/x'")
    assert error.reason == error.found == "this is no requirement: 'x @@ https://h.example/x'"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://user:secret@h.example:1/simple?token=secret#x", "https://h.example:1/simple"),
        ("git+https://secret@h.example/x.git", "git+https://h.example/x.git"),
        ("user:secret@h.example/x", "h.example/x"),
        ("u:secret/secret@h/x", "h/x"),
        ("https://u:secret/secret@h/x", "https://h/x"),
        ("https://u:secret@secret@h/x", "https://h/x"),
        ("https://u:secret?secret@h/x", "https://..."),
        ("https://h/x?mail=a@b&token=secret", "https://..."),
        ("ftp://bob:secret@h/simple", "ftp://h/simple"),
        ("//bob:secret@h/simple", "h/simple"),
        ("pkg @ https://user:secret@host/x", "pkg @ https://host/x"),
        ("pkg[a]@https://user:secret@host/x", "pkg[a]@https://host/x"),
        ("pkg@https://user:secret@host/x", "pkg@https://host/x"),
        ("corp=https://user:secret@host/x", "corp=https://host/x"),
        ("no 'https://u:secret@h/x' via http://u:secret@p:1", "no 'https://h/x' via http://p:1"),
        ("h.example/x?token=secret", "h.example/x"),
        ("/srv/simple", "/srv/simple"),
        ("https://secret@[h/", "https://[h/"),
        ("what is it? #1", "what is it? #1"),
        ("", ""),
    ],
)
def test_redact(text: str, expected: str) -> None:
    assert redact(text) == expected


# What RFC 3986 forbids in a user name or password is in real ones all the same.
_LETTERS = st.characters(min_codepoint=33, max_codepoint=0x2FF)
_PASSWORDS = st.text(_LETTERS, max_size=12).flatmap(
    lambda rest: st.sampled_from([f"SECRET{rest}", f"{rest}SECRET", f"SEC{rest}RETSECRET"])
)
_FRAMES = (
    "{}",
    "https://{}",
    "ftp://{}",
    "git+ssh://{}",
    "pkg @ https://{}",
    "pkg@https://{}",
    "corp=https://{}",
    "cannot reach 'http://{}': refused",
    "a https://{} and HTTPS://{} b",
)


@settings(deadline=None, max_examples=400, database=None)
@given(st.sampled_from(_FRAMES), _PASSWORDS, st.sampled_from(["", "/simple", "/x?SECRET#SECRET"]))
def test_no_password_is_ever_shown(frame: str, password: str, path: str) -> None:
    shown = redact(frame.replace("{}", f"user:{password}@host.example{path}"))
    assert "SECRET" not in shown
    assert "user" not in shown
