"""The configuration of git repositories, without what is not for builds to see.

`actions/checkout` up to its version 5 keeps the job's token in `.git/config`
(`http.….extraheader`), people keep logins in the URLs of remotes. A list says what is kept: what
repositories are read by, and what versions are told from. All else is left out, and whatever
cannot be read (git-config(1) has the grammar; git itself refuses such a file).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: What is larger is no configuration that somebody has written.
MAX_CONFIG = 1 << 20

_CORE = (
    *("abbrev", "autocrlf", "bare", "checkstat", "eol", "filemode", "ignorecase"),
    *("logallrefupdates", "precomposeunicode", "quotepath", "repositoryformatversion"),
    *("safecrlf", "sharedrepository", "sparsecheckout", "sparsecheckoutcone", "symlinks"),
    *("trustctime", "untrackedcache"),
)
#: By section, in small letters as they mean the same to git. Filters are programs, without which
#: files of git-lfs count as changed. `promisor` and the like: of blobless clones.
_KEPT = {
    "branch": ("merge", "remote"),
    "core": _CORE,
    "diff": ("ignoresubmodules",),
    "extensions": None,
    "filter": ("clean", "process", "required", "smudge"),
    "index": ("sparse",),
    "remote": ("fetch", "partialclonefilter", "promisor", "tagopt", "url"),
    "submodule": ("active", "branch", "ignore", "url"),
}
_SECTION = r'\[(?P<section>[\w.-]+)(?:[ \t]+"(?P<part>(?:[^"\\\n]|\\[^\n])*+)")?\]'
_ESCAPE = r'\\[\n"\\ntb]'
_VALUE = rf'(?:[^"\\\n#;]|{_ESCAPE}|"(?:[^"\\\n]|{_ESCAPE})*+")*+'
_ENTRY = rf"(?P<key>[a-z][a-z0-9-]*+)[ \t]*+(?:=(?P<value>{_VALUE}))?(?:[#;][^\n]*+)?(?=\n|\Z)"
#: Last, what is not understood: up to the line's end, and further where that is escaped.
_OTHER = r"[#;][^\n]*+|(?P<odd>(?:[^\\\n]|\\[\s\S]?)+)"
_TOKEN = re.compile(rf"\s*+(?:{_SECTION}|{_ENTRY}|{_OTHER})", re.IGNORECASE | re.ASCII)
#: `ext::…`: an address for a program, in whatever form.
_HELPER = re.compile(r"[\w.+-]+::")

_Section = tuple[str, str]


def read_cleaned(path: Path) -> bytes:
    """Read a repository's configuration, for a copy of it.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        data = stream.read(MAX_CONFIG + 1)
    text = "" if len(data) > MAX_CONFIG else data.decode(errors="surrogateescape")
    return cleaned(text).encode()


def cleaned(text: str) -> str:
    """Give what of a repository's configuration is to be copied, in a form of our own.

    Args:
        text: a `config` or `config.worktree`, as git writes it or a person.
    """
    lines, last = [], None
    for section, key, value in _entries(text.removeprefix("\ufeff").replace("\r\n", "\n")):
        if not _is_kept(section, key) or (kept := _without_login(value)) is None:
            continue
        if section != last:
            lines.append(_heading(section))
            last = section
        lines.append(f"\t{key} = {_quoted(kept)}")
    return "".join(f"{line}\n" for line in lines)


def _entries(text: str) -> Iterator[tuple[_Section, str, str]]:
    """Give the entries with their sections; those below a heading that is odd have none."""
    section, place = ("", ""), 0
    while found := _TOKEN.match(text, place):
        place = found.end()
        if found["section"]:
            section = _section(found["section"], found["part"])
        elif found["key"]:
            value = "true" if found["value"] is None else _plain(found["value"])
            yield section, found["key"].lower(), value
        elif (found["odd"] or "").startswith("["):
            section = ("", "")


def _section(name: str, part: str | None) -> _Section:
    if part is None:  # `[remote.origin]` is the old form of `[remote "origin"]`
        name, _, part = name.lower().partition(".")
        return name, part
    return name.lower(), re.sub(r"\\(.)", r"\1", part)


def _plain(value: str) -> str:
    """Take away quotes and escapes."""
    letters = {"n": "\n", "t": "\t", "b": "\b", "\n": ""}

    def meant(found: re.Match[str]) -> str:
        return letters.get(found[1], found[1]) if found[1] else ""

    return re.sub(r'\\([\s\S])|"', meant, value.strip(" \t"))


def _is_kept(section: _Section, key: str) -> bool:
    name, part = section
    if name not in _KEPT or not part.isprintable() or "://" in part:
        return False
    keys = _KEPT[name]
    return keys is None or key in keys


def _without_login(value: str) -> str | None:
    """Take the login out of a URL; None for what may hold one that cannot be told apart."""
    if not value.isprintable() or _HELPER.match(value):
        return None
    if "://" not in value:
        return value
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    login, _, host = parts.netloc.rpartition("@")
    if (not parts.netloc and parts.scheme != "file") or "@" in f"{parts.path}{parts.query}":
        return None
    # Of ssh the user's name is needed, and no secret.
    user = login.partition(":")[0] if parts.scheme == "ssh" else ""
    netloc = f"{user}@{host}" if user else host
    return parts._replace(netloc=netloc, query="", fragment="").geturl()


def _heading(section: _Section) -> str:
    name, part = section
    return f"[{name} {_quoted(part)}]" if part else f"[{name}]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
