"""The plan as people and programs are shown it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.publish.plan import IndexPlan, Step, plan_index
from aarch64_wheels.publish.release import ReleasePlan
from aarch64_wheels.publish.render import Page, as_json, as_markdown, as_table
from aarch64_wheels.report.console import make_console
from tests.unit.publish_samples import SDIST, WHEEL, named

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aarch64_wheels.publish.distributions import Distribution

URL = "https://index.invalid/legacy/"
A, B = "a" * 64, "b" * 64
FILES = (named(WHEEL, A), named(SDIST, B))
INDEX = plan_index(URL, FILES, {WHEEL: A}, {})
STEPS = {WHEEL: Step.UPLOAD, SDIST: Step.REPLACE, "SHA256SUMS": Step.THERE}
RELEASE = ReleasePlan(tag="v1.0", exists=True, steps=STEPS)


def _table(
    index: IndexPlan | None, release: ReleasePlan | None, files: Sequence[Distribution] = FILES
) -> list[list[str]]:
    """The cells of the table's head and rows."""
    page = io.StringIO()
    make_console(page, {}).print(as_table(files, index, release))
    lines = [line for line in page.getvalue().splitlines() if line[0] in "┃│"]
    return [[cell.strip() for cell in line.replace("┃", "│").split("│")[1:-1]] for line in lines]


def test_the_table_has_a_column_for_each_place() -> None:
    head, *rows = _table(INDEX, RELEASE)
    assert head == ["file", "size", "sha256", URL, "release v1.0"]
    assert rows == [
        [WHEEL, "1000 B", "aaaaaaaaaaaa…", "is there already", "upload"],
        [SDIST, "1000 B", "bbbbbbbbbbbb…", "upload", "replace"],
        ["SHA256SUMS", "", "", "-", "is there already"],
    ]


def test_places_that_get_nothing_have_no_column() -> None:
    assert _table(None, None)[0] == ["file", "size", "sha256"]
    assert [row[-1] for row in _table(INDEX, None)] == [URL, "is there already", "upload"]
    assert [row[3:] for row in _table(None, RELEASE)][1:] == [
        [str(step)] for step in STEPS.values()
    ]


def test_a_hostile_tag_draws_nothing() -> None:
    release = replace(RELEASE, tag="v1\x1b[2J\n::error::[red]x")
    assert _table(None, release)[0][-1] == "release v1 ::error::[red]x"
    assert "release v1 &#58;&#58;error" in as_markdown(FILES, None, release)


def test_json_has_all_of_it() -> None:
    assert json.loads(as_json(FILES, INDEX, RELEASE)) == {
        "schema": 1,
        "project": "demo",
        "version": "1.0",
        "files": [
            {"filename": WHEEL, "size": 1000, "sha256": A},
            {"filename": SDIST, "size": 1000, "sha256": B},
        ],
        "index": {"url": URL, "steps": {WHEEL: "is there already", SDIST: "upload"}},
        "release": {
            "tag": "v1.0",
            "exists": True,
            "steps": {WHEEL: "upload", SDIST: "replace", "SHA256SUMS": "is there already"},
        },
    }


def test_json_without_places() -> None:
    document = json.loads(as_json(FILES, None, None))
    assert (document["index"], document["release"]) == (None, None)


def test_markdown_is_a_table_of_github() -> None:
    lines = as_markdown(FILES, INDEX, RELEASE).splitlines()
    assert lines[:4] == [
        "### demo 1.0",
        "",
        "| file | size | SHA-256 | https&#58;//index.invalid/legacy/ | release v1.0 |",
        "| --- | --- | --- | --- | --- |",
    ]
    assert lines[4] == f"| {WHEEL} | 1000 B | `{A}` | is there already | upload |"
    assert lines[6] == "| SHA256SUMS |  |  | - | is there already |"
    assert {line.count("|") for line in lines[2:7]} == {6}


def test_the_heading_says_what_the_table_is() -> None:
    for kind in ("plan", "plan (dry run)"):
        text = as_markdown(FILES, INDEX, RELEASE, kind=kind)
        assert text.partition("\n")[0] == f"### demo 1.0 - {kind}"
        assert text.partition("\n")[2] == as_markdown(FILES, INDEX, RELEASE).partition("\n")[2]


def test_a_page_gets_its_text_at_its_end(tmp_path: Path) -> None:
    (path := tmp_path / "page.md").write_text("before\n", encoding="utf-8")
    page = Page(path=path, note=pytest.fail)
    page.write("ä\n")
    page.tell("published: 2 files on https://index.invalid/|x\n::error::")
    expected = "before\nä\n- published&#58; 2 files on https&#58;//index.invalid/&#124;x "
    assert path.read_text(encoding="utf-8") == f"{expected}&#58;&#58;error&#58;&#58;\n"


def test_a_page_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    notes: list[str] = []
    path = tmp_path / "no" / "page.md"
    page = Page(path=path, note=notes.append)
    page.write("one")
    page.tell("two")
    assert notes == [f"cannot write the summary {path}: No such file or directory"]


def test_without_a_page_nothing_is_told() -> None:
    Page(path=None, note=pytest.fail).tell("one")


def test_markdown_escapes_underscores() -> None:
    name = "demo-1.0-cp313-cp313-manylinux_2_17_aarch64.whl"
    assert f"| {name.replace('_', '&#95;')} |" in as_markdown([named(name)], None, None)
