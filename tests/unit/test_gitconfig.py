"""What of git's configuration is copied: files that the host's own git has made and reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.gitconfig import cleaned, read_cleaned
from tests.unit.git_samples import git, make_repository, write

if TYPE_CHECKING:
    from pathlib import Path

#: What `actions/checkout` and people leave there.
SECRETS = {
    "http.https://h.example/.extraheader": "AUTHORIZATION: basic SECRET",
    "http.proxy": "http://me:SECRET@proxy.example",
    "http.cookieFile": "/home/SECRET/cookies",
    "credential.helper": "store --file=/SECRET",
    "credential.https://h.example.username": "SECRET",
    "include.path": "../SECRET",
    "includeIf.gitdir:/a/.path": "/tmp/SECRET.config",
    "url.https://SECRET@h.example/.insteadOf": "https://h.example/",
    "remote.origin.pushurl": "https://SECRET@h.example/o/n",
    "remote.other.url": "https://me:SECRET@h.example:8443/o/n.git?SECRET#SECRET",
    "remote.https://SECRET@h.example/.fetch": "+refs/heads/*:refs/x/*",
    "remote.helper.url": "codecommit::eu://SECRET@n",
    "remote.program.url": "ext::sh -c SECRET",
    "remote.slash.url": "https://me:SEC/RET@h.example/SECRET",
    "submodule.a.url": "https://SECRET@h.example/a",
    "submodule.a.update": "!SECRET",
    "branch.main.remote": "https://me:SECRET@h.example/o/n",
    "core.sshCommand": "ssh -i /home/SECRET",
    "core.hooksPath": "/SECRET",
    "user.email": "SECRET@h.example",
    "alias.x": "!SECRET",
}
KEPT = {
    "remote.origin.url": "git@h.example:o/n.git",
    "remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*",
    "remote.origin.promisor": "true",
    "remote.ssh.url": "ssh://git@h.example:22/o/n",
    "remote.near.url": "file:///srv/a b",
    "branch.a/b.c.merge": "refs/heads/a/b",
    'submodule.sub "quoted" \\ one.active': "true",
    "filter.lfs.clean": "git-lfs clean -- %f",
    "core.abbrev": "12",
}


def _listed(config: Path) -> dict[str, str]:
    rows = git(config.parent, "config", "--file", str(config), "--list", "-z").split("\0")
    return {key: value for key, _, value in (row.partition("\n") for row in rows if row)}


def test_a_configuration_made_by_git_loses_its_secrets_alone(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "repository")
    before = _listed(place / ".git/config")
    for name, value in {**SECRETS, **KEPT}.items():
        git(place, "config", name, value)
    (tmp_path / "config").write_bytes(read_cleaned(place / ".git/config"))
    assert "SECRET" not in (tmp_path / "config").read_text()
    expected = {
        "remote.other.url": "https://h.example:8443/o/n.git",
        "submodule.a.url": "https://h.example/a",
        "branch.main.remote": "https://h.example/o/n",
    }
    assert _listed(tmp_path / "config") == {**before, **KEPT, **expected}


ODD = {
    "same-line": "[core] bare = true",
    "comments": "# a \\\n[core] # b [x]\nabbrev = 9 # c\n;d\neol = lf;e",
    "continued": '[remote "a"]\nfetch = +refs/heads/*:\\\n  refs/x/*\nurl = /b',
    "quotes": '[branch "x"]\nmerge = " a#b;c "d" \\"e\\" \\\\ f" \nremote = ""',
    "old-form": "[remote.Origin]\nurl = /x",
    "part": '[remote "a\\\\b\\"]c"]\nurl = /x',
    "small-letters": '[REMOTE "X"]\nURL = /x\n[CORE]\nFileMode = false',
    "twice": '[core]\nbare = false\n[remote "o"]\nurl = /x\n[core]\nabbrev = 8',
    "mark": "\ufeff[core]\nbare = false\n",
    "windows": '[core]\r\n\tbare = false\r\n[remote "o"]\r\n\turl = /x\r\n',
    "empty": "",
    "headings-alone": '[core]\n[remote "x"]\n',
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_git_reads_the_same_from_what_is_kept(tmp_path: Path, text: str) -> None:
    (tmp_path / "before").write_text(text, newline="")
    (tmp_path / "after").write_text(cleaned(text), newline="")
    assert _listed(tmp_path / "after") == _listed(tmp_path / "before")
    assert cleaned(cleaned(text)) == cleaned(text)


def test_a_key_alone_is_true() -> None:
    assert cleaned("[core]\n\tbare\n") == '[core]\n\tbare = "true"\n'


NOT_UNDERSTOOD = {
    "heading": ('[http "x\nbare = SECRET\n[core]\nabbrev = 7', "7"),
    "another-heading": ("[core]\n[http SECRET]\neol = SECRET\n[core]\nabbrev = 7", "7"),
    "open-quote": ('[core]\neol = "SECRET\nabbrev = 7', "7"),
    "unknown-escape": ("[core]\neol = \\SECRET\nabbrev = 7", "7"),
    "continued": ("[core]\n_odd = \\\neol = SECRET\nabbrev = 7", "7"),
    "control-letters": ("[core]\neol = SECRET\x1b[2J\nabbrev = 7", "7"),
    "no-heading": ("bare = SECRET\n[core]\nabbrev = 7", "7"),
    "control-in-heading": ('[remote "SECRET\t"]\nurl = SECRET\n[core]\nabbrev = 7', "7"),
    "end": ("[core]\nabbrev = 7\neol = \\", "7"),
}


@pytest.mark.parametrize(("text", "kept"), NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD.keys())
def test_what_is_not_understood_is_left_out(text: str, kept: str) -> None:
    assert cleaned(text) == f'[core]\n\tabbrev = "{kept}"\n'


def test_what_is_too_large_is_not_read_in_part(tmp_path: Path) -> None:
    """A login that is cut off would look like a host."""
    write(tmp_path, {"config": "[core]\nbare = true\n" + "# much\n" * 200_000})
    assert read_cleaned(tmp_path / "config") == b""
