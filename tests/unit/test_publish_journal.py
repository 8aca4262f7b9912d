"""The note of what an index has taken: it survives crashes, and is believed in little."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.journal import FILE_NAME, PATIENCE, Journal
from tests.unit.publish_samples import SDIST, WHEEL, named

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

URL, OTHER = "https://index.invalid/legacy/", "https://other.invalid/legacy/"
A, B = "a" * 64, "b" * 64
NOW = 1_800_000_000.0


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(path=tmp_path / FILE_NAME, clock=lambda: NOW)


def _later(journal: Journal, seconds: float) -> Journal:
    return Journal(path=journal.path, clock=lambda: NOW + seconds)


def _line(**changes: object) -> str:
    row = {"time": NOW, "destination": URL, "filename": WHEEL, "sha256": A}
    return json.dumps(row | changes)


def test_what_was_noted_is_known_to_the_next_run(journal: Journal) -> None:
    assert journal.sent(URL) == {}
    journal.note(URL, named(WHEEL, A))
    journal.note(URL, named(SDIST, B))
    journal.note(OTHER, named(WHEEL, B))
    again = _later(journal, 60)
    assert again.sent(URL) == {WHEEL: A, SDIST: B}
    assert again.sent(OTHER) == {WHEEL: B}
    assert again.sent("https://third.invalid/") == {}


def test_the_last_word_counts(journal: Journal) -> None:
    journal.note(URL, named(WHEEL, A))
    journal.note(URL, named(WHEEL, B))
    assert journal.sent(URL) == {WHEEL: B}


@pytest.mark.parametrize(
    ("seconds", "known"),
    [(PATIENCE - 1, True), (PATIENCE, False), (-60, True), (-PATIENCE, False)],
    ids=["just-now", "long-ago", "clock-set-back", "from-the-future"],
)
def test_a_line_counts_for_some_time(journal: Journal, seconds: float, *, known: bool) -> None:
    journal.note(URL, named(WHEEL, A))
    assert _later(journal, seconds).sent(URL) == ({WHEEL: A} if known else {})


def test_a_line_after_one_that_a_crash_has_cut_off_is_whole(journal: Journal) -> None:
    journal.note(URL, named(SDIST, A))
    journal.path.write_text(journal.path.read_text() + _line()[:40])
    journal.note(URL, named(WHEEL, B))
    assert journal.sent(URL) == {SDIST: A, WHEEL: B}
    journal.note(URL, named("demo-1.0-py2-none-any.whl", A))
    assert len(journal.path.read_text().splitlines()) == 4


FORGED = {
    "no-json": "nonsense",
    "empty": "",
    "no-object": "[1, 2]",
    "text": '"text"',
    "nested": "[" * 200_000,
    "no-time": json.dumps({"destination": URL, "filename": WHEEL, "sha256": B}),
    "time-as-text": _line(time=str(NOW), sha256=B),
    "time-beyond-floats": _line(sha256=B).replace(str(NOW), "9" * 400),
    "time-too-long": _line(sha256=B).replace(str(NOW), "9" * 5000),
    "time-not-a-number": _line(time=float("nan"), sha256=B),
    "time-infinite": _line(time=float("inf"), sha256=B),
    "not-unicode": _line(sha256=B).replace(WHEEL, "\udcff"),
}


@pytest.mark.parametrize("line", FORGED.values(), ids=FORGED.keys())
def test_what_is_no_note_of_ours_is_passed_over(journal: Journal, line: str) -> None:
    text = "\n".join([_line(), line, _line(filename=SDIST), ""])
    journal.path.write_text(text, encoding="utf-8", errors="surrogateescape")
    assert journal.sent(URL) == {WHEEL: A, SDIST: A}


def test_of_a_long_journal_the_end_is_read(journal: Journal) -> None:
    old = _line(filename="x" * 1000, time=NOW - 2 * PATIENCE)
    journal.path.write_text(f"{old}\n" * 5000)
    journal.note(URL, named(WHEEL, A))
    assert journal.sent(URL) == {WHEEL: A}


def test_links_are_not_followed(journal: Journal, tmp_path: Path) -> None:
    """A source may bring an output directory, and the journal of another one in it."""
    target = tmp_path / "target"
    target.write_text(f"{_line()}\n")
    journal.path.symlink_to(target)
    assert journal.sent(URL) == {}
    with pytest.raises(PublishError, match="cannot be noted"):
        journal.note(URL, named(WHEEL, B))
    assert target.read_text() == f"{_line()}\n"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "directory"])
def test_what_is_no_file_hinders_nobody(journal: Journal, make: Callable[[Path], None]) -> None:
    make(journal.path)
    assert journal.sent(URL) == {}
    with pytest.raises(PublishError, match="cannot be noted"):
        journal.note(URL, named(WHEEL, A))


def test_a_full_disk_is_told(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PublishError, match=f"{WHEEL} is uploaded, but") as caught:
        journal.note(URL, named(WHEEL, A))
    assert caught.value.found == "No space left on device"


def test_a_note_is_on_the_disk_before_it_counts(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda _: contents.append(journal.path.read_text()))
    journal.note(URL, named(WHEEL, A))
    assert [json.loads(text) for text in contents] == [json.loads(_line())]
