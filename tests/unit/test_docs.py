"""The documentation: what of it is made from the schema is current, and the rest holds together."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from aarch64_wheels.arguments import make_parser
from aarch64_wheels.audit.catalogue import checks
from aarch64_wheels.audit.reference import with_checks
from aarch64_wheels.settings.cibuildwheel import NAMES, NOT_APPLICABLE
from aarch64_wheels.settings.examples import EXAMPLES
from aarch64_wheels.settings.jsonschema import file_schema
from aarch64_wheels.settings.publishing import PublishSettings
from aarch64_wheels.settings.reference import render_reference
from aarch64_wheels.settings.schema import BuildOptions, Option, options
from aarch64_wheels.settings.tables import all_options, own_layer

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
WORKFLOWS = sorted((DOCS / "workflows").glob("*.yml"))
PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
REFERENCE = render_reference()


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _blocks(page: Path, *languages: str) -> list[str]:
    """The fenced blocks of these languages."""
    fences = re.findall(r"^```(\w+)\n(.*?)^```$", _text(page), re.MULTILINE | re.DOTALL)
    return [text for language, text in fences if language in languages]


def test_the_schema_is_current() -> None:
    """If not: `make docs`."""
    assert json.loads(_text(DOCS / "aarch64-wheels.schema.json")) == file_schema()


def test_the_reference_is_current() -> None:
    """If not: `make docs`."""
    assert _text(DOCS / "settings.md") == REFERENCE


def test_the_checks_are_current() -> None:
    """If not: `make docs`."""
    page = _text(DOCS / "audit.md")
    assert page == with_checks(page)
    headings = re.findall(r"^### `([\w-]+)`$", page, re.MULTILINE)
    assert headings == list(checks())


def test_the_reference_has_each_setting_once() -> None:
    headings = re.findall(r"^### `([\w-]+)`$", REFERENCE, re.MULTILINE)
    assert sorted(headings) == sorted(option.name for option in all_options())
    sections = re.findall(r"^## (.*)$", REFERENCE, re.MULTILINE)
    assert sections == ["The build", "What a project wants", "Publishing"]


def _entry(name: str) -> str:
    return REFERENCE.partition(f"### `{name}`\n")[2].partition("\n#")[0]


@pytest.mark.parametrize("option", all_options(), ids=lambda option: option.name)
def test_an_entry_says_how_a_setting_is_given(option: Option) -> None:
    entry = _entry(option.name)
    assert f"| `{option.flag}`, `{option.name}` |" in entry
    assert f"| variable | `{option.env}` |" in entry
    assert f"| takes | {option.kind.wanted} |" in entry
    assert ("| key | " in entry) == option.in_table
    assert ("```toml" in entry) == (option.name in EXAMPLES)


def test_entries_name_cibuildwheels_option_and_the_commands() -> None:
    image = _entry("manylinux-image")
    assert "`manylinux-aarch64-image`, `CIBW_MANYLINUX_AARCH64_IMAGE`" in image
    assert "goes before `build`, `CIBW_BUILD`" in _entry("python")
    assert "cibuildwheel" not in _entry("jobs")
    assert "| commands | `build` `plan` `publish` |" in _entry("output-dir")
    for option in options(BuildOptions):
        assert "| cibuildwheel | `" in _entry(option.name)
    assert "| commands | `publish` |" in _entry(options(PublishSettings)[0].name)


def test_an_entry_says_what_a_projects_own_file_may_not_choose() -> None:
    assert "Only in a file that is named with --config-file." in _entry("repository-url")
    assert "Within the working directory, unless" in _entry("cache-dir")


@PAGE
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", _text(page)):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def _anchors(page: Path) -> set[str]:
    """The anchors of headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", _text(page), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {text.replace(" ", "-") for text in plain}


@PAGE
def test_commands_are_good_usage(page: Path) -> None:
    """As `test_arguments` says it of the examples in `--help`."""
    lines = [
        line for block in _blocks(page, "console", "yaml", "bash") for line in _commands(block)
    ]
    for line in lines:
        words = shlex.split(line, comments=True)
        make_parser().parse_args(words[1:])


def _commands(block: str) -> list[str]:
    joined = re.sub(r"\\\n\s*", " ", block)
    return re.findall(r"^[\s$-]*(aarch64-wheels .*)$", joined, re.MULTILINE)


@PAGE
def test_tables_are_read(page: Path) -> None:
    for block in _blocks(page, "toml"):
        if page.name != "settings.md":
            own_layer(tomllib.loads(block).get("tool", {}).get("aarch64-wheels", {}), page.name)


@PAGE
def test_whole_workflows_are_files_that_are_checked(page: Path) -> None:
    """`make lint` has zizmor look at those in docs/workflows."""
    files = [_text(file) for file in WORKFLOWS]
    for block in _blocks(page, "yaml"):
        if re.search(r"^on:", block, re.MULTILINE):
            assert any(block in file for file in files), block


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_workflows_use_inputs_that_there_are(file: Path) -> None:
    known = {option.name for option in all_options()} | {"setup", "build", "publish", "dry-run"}
    steps = re.findall(r"uses: org/aarch64-wheels@v1\n((?: +[^\s-].*\n)*)", _text(file))
    assert steps
    for step in steps:
        inputs = re.findall(r"^ {10}([\w-]+):", step.partition("with:\n")[2], re.MULTILINE)
        assert [name for name in inputs if name not in known] == []


@pytest.mark.parametrize("file", [*PAGES, *WORKFLOWS], ids=lambda file: file.name)
def test_checkouts_leave_no_token_behind(file: Path) -> None:
    steps = re.findall(r"uses: actions/checkout@.*\n((?: +[^\s-].*\n)*)", _text(file))
    assert [step for step in steps if "persist-credentials: false" not in step] == []


@pytest.mark.parametrize("name", [*NAMES, *NOT_APPLICABLE])
def test_each_option_of_cibuildwheel_is_accounted_for(name: str) -> None:
    assert f"`{name}`" in _text(DOCS / "coming-from-cibuildwheel.md")
