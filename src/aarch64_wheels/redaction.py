"""Credentials taken out of texts that are to be shown. Pure."""

from __future__ import annotations

import re
import string

#: What a URL with a login has up to its last `@`: a name holds no `/`, but a password may. A host
#: with a dot and a port is none, so that a tag behind it stays (`git+https://h.example:8443/x@1`).
_LOGIN = re.compile(r"://(?![\w-]+(?:\.[\w-]+)+:\d{1,5}/)(?:[^/]*@|[^/:]*:.*@)")
_SCHEME = string.ascii_letters + string.digits + "+.-"


def redact_logins(text: str) -> str:
    """Redact the URLs that have a login, and nothing else: for errors and what programs print.

    There an `@` may as well be a digest's, a version's or a tag's (`git+https://h/x@1.2`). A
    line may be long and hostile: time is linear in it.
    """
    return re.sub(r"\S+", lambda word: _without_login(word[0]), text, flags=re.ASCII)


def _without_login(word: str) -> str:
    found = _LOGIN.search(word[: word.rfind("@") + 1])
    if found is None:
        return word
    before = word[: found.start()].rstrip(_SCHEME)
    return before + redact(word[len(before) :])


def redact(text: str) -> str:
    """Strip user names, passwords, queries and fragments from all URLs in a text.

    A password may hold what RFC 3986 forbids there (`/`, `?`, another `@`), so whatever stands
    before a word's last `@` goes, at the price of an `@` that was meant. For showing only: see
    `hostindex.without_credentials` for a URL that is still to be asked.
    """
    return re.sub(r"\S+", lambda word: _redact_word(word[0]), text, flags=re.ASCII)


def _redact_word(word: str) -> str:
    """Redact a URL, with what PEP 508 (`name@url`) or a quotation may put before it, or less."""
    if word == "@":
        return word
    start = re.match(
        r"""[(\['"<`]*(?:[\w.,\[\]-]+[=@])?[a-z][a-z0-9+.-]*://""", word, re.IGNORECASE
    )
    before, rest = (start[0], word[start.end() :]) if start else ("", word)
    login, _, place = rest.rpartition("@")
    if re.search(r"[?#]", login):  # what is a password here, what a query?
        return f"{before}..."
    return before + (re.split(r"[?#]", place)[0] if start or "/" in rest else place)
