"""What `plan` says of settings: their values, and where each was set."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.catalogue import find_image, interpreters
from aarch64_wheels.planning import make_plan
from aarch64_wheels.settings.layers import collect, load
from aarch64_wheels.settings.modes import GLIBC_LINUX
from aarch64_wheels.settings.schema import BuildOptions, Settings, all_fields
from aarch64_wheels.settings.shown import DEFAULT, Row, Shown, ShownSettings, show_settings
from aarch64_wheels.settings.tables import Tables
from aarch64_wheels.source.metadata import Metadata

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.plan import Plan
    from aarch64_wheels.settings.layers import Layers

SPRING = Metadata(name="spring", version="1.0", requires_python=">=3.13,<3.15")


def _plan(layers: Layers) -> Plan:
    return make_plan(
        layers,
        SPRING,
        interpreters(),
        find_image,
        source_origin=layers.settings().source,
        sha256="",
        source_date_epoch=0,
        host_machine="x86_64",
        host_system=GLIBC_LINUX,
    )


def _shown(
    project: Path,
    toml: str = "",
    flags: dict[str, object] | None = None,
    environ: dict[str, str] | None = None,
) -> ShownSettings:
    (project / "pyproject.toml").write_text(toml)
    given = {"source": str(project), "skip": "cp314t-*", **(flags or {})}
    layers = load(given, environ or {}).with_project(project, environ or {})
    return show_settings(layers, _plan(layers), project)


def _row(shown: ShownSettings, name: str) -> list[tuple[str, str, str]]:
    return [
        (row.shown.text, row.shown.origin, row.targets) for row in shown.rows() if row.name == name
    ]


ORIGINS = {
    "flag": ({"flags": {"jobs": "3"}}, "jobs", ("3", "--jobs", "all")),
    "flag-of-words": (
        {"flags": {"python": ("cp313", "3.14")}},
        "python",
        ("cp313, 3.14", "--python", "all"),
    ),
    "variable": (
        {"environ": {"AARCH64_WHEELS_JOBS": "4"}},
        "jobs",
        ("4", "$AARCH64_WHEELS_JOBS", "all"),
    ),
    "own-table": (
        {"toml": "[tool.aarch64-wheels]\nfail-fast = true\n"},
        "fail-fast",
        ("true", "`fail-fast` in [tool.aarch64-wheels] of pyproject.toml", "all"),
    ),
    "their-table": (
        {"toml": '[tool.cibuildwheel]\nbuild = "cp313-*"\n'},
        "build",
        ("cp313-*", "`build` in [tool.cibuildwheel] of pyproject.toml", "all"),
    ),
    "their-variable": (
        {"environ": {"CIBW_TEST_COMMAND_LINUX": "pytest"}},
        "test-command",
        ("pytest", "$CIBW_TEST_COMMAND_LINUX", "all"),
    ),
    "table-of-lists": (
        {"toml": '[tool.cibuildwheel.config-settings]\na = "1"\nb = ["2", "3"]\n'},
        "config-settings",
        ("a=1, b=2, b=3", "`config-settings` in [tool.cibuildwheel] of pyproject.toml", "all"),
    ),
    "set-to-the-default": ({"flags": {"mode": "auto"}}, "mode", ("auto", "--mode", "all")),
    "strongest": (
        {
            "flags": {"jobs": "3"},
            "environ": {"AARCH64_WHEELS_JOBS": "4"},
            "toml": "[tool.aarch64-wheels]\njobs = 5\n",
        },
        "jobs",
        ("3", "--jobs", "all"),
    ),
}


@pytest.mark.parametrize(("given", "name", "expected"), ORIGINS.values(), ids=ORIGINS.keys())
def test_a_value_and_its_origin(
    tmp_path: Path, given: dict[str, object], name: str, expected: tuple[str, str, str]
) -> None:
    assert _row(_shown(tmp_path, **given), name) == [expected]  # type: ignore[arg-type]


def test_values_that_were_joined_name_all_their_places(tmp_path: Path) -> None:
    toml = '[tool.cibuildwheel]\nbefore-all = "one"\n'
    environ = {"CIBW_BEFORE_ALL": "two", "CIBW_INHERIT": "before-all"}
    assert _row(_shown(tmp_path, toml, environ=environ), "before-all") == [
        (
            "one && two",
            "`before-all` in [tool.cibuildwheel] of pyproject.toml + $CIBW_BEFORE_ALL",
            "all",
        )
    ]


def test_what_differs_between_targets_names_them(tmp_path: Path) -> None:
    toml = """\
[tool.cibuildwheel]
test-requires = "pytest"
[[tool.cibuildwheel.overrides]]
select = "*-musllinux_*"
before-all = "apk add libffi-dev"
[[tool.cibuildwheel.overrides]]
select = "cp314-*"
test-requires = ""
before-build = "make"
[[tool.cibuildwheel.overrides]]
select = "cp313-manylinux_*"
build-verbosity = 1
"""
    shown = _shown(tmp_path, toml)
    found = {(row.name, row.shown.text): row.targets for row in shown.rows()}
    assert found["before-all", "apk add libffi-dev"] == "musllinux"
    assert found["test-requires", "pytest"] == "manylinux: cp313, musllinux: cp313"
    assert found["before-build", "make"] == "manylinux: cp314, musllinux: cp314"
    assert found["build-verbosity", "1"] == "manylinux: cp313"
    assert sum(name == "before-all" for name, _ in found) == 1, "the default is not shown"


def test_of_one_platform_the_tags_are_enough(tmp_path: Path) -> None:
    toml = '[[tool.cibuildwheel.overrides]]\nselect = "cp314-*"\nbefore-build = "make"\n'
    assert [
        row[2] for row in _row(_shown(tmp_path, toml, {"image": "debian"}), "before-build")
    ] == ["cp314"]


def test_nothing_set_is_nothing_shown_but_all_is_there(tmp_path: Path) -> None:
    layers = collect({}, {}, Tables(), tmp_path)
    shown = show_settings(layers, _plan(layers), tmp_path)
    assert shown.rows() == ()
    assert list(shown.shared) == [option.name for option in all_fields(Settings)]
    names = [option.name for option in all_fields(BuildOptions)]
    assert [list(options) for options in shown.options.values()] == [names] * len(shown.options)
    assert {one.origin for one in shown.shared.values()} == {DEFAULT}
    assert shown.shared["cache-dir"] == Shown(value=str(tmp_path), origin=DEFAULT)
    assert shown.shared["config-file"].value is None


def test_what_is_shown_is_json(tmp_path: Path) -> None:
    toml = '[tool.cibuildwheel]\nconfig-settings = { a = "1", b = ["2", "3"] }\nskip = "cp39-*"\n'
    shown = _shown(tmp_path, toml)
    values = {name: one.value for name, one in shown.shared.items()}
    assert json.loads(json.dumps(values)) == values
    (options, *_) = shown.options.values()
    assert options["config-settings"].value == {"a": "1", "b": ["2", "3"]}


def test_the_image_of_a_project_for_cibuildwheel_is_its_targets_own(tmp_path: Path) -> None:
    toml = "[tool.cibuildwheel]\nbuild-verbosity = 1\n"
    image = _shown(tmp_path, toml).shared["image"]
    assert (image.value, image.origin) == (None, "that of each target, as with cibuildwheel")
    assert _shown(tmp_path, toml, {"image": "debian"}).shared["image"].origin == "--image"


SECRET = {
    "alone": ("https://me:secret@index.example/simple", "https://index.example/simple"),
    "in-quotes": ('A="https://me:secret@index.example/x" B=1', 'A="https://index.example/x" B=1'),
    "query": ("curl https://files.example/x?token=secret", "curl https://files.example/x"),
    "vcs": ("pip install 'a @ git+https://secret@git.example/a'", "git+https://git.example/a'"),
}


@pytest.mark.parametrize(("given", "left"), SECRET.values(), ids=SECRET.keys())
def test_credentials_in_urls_are_left_out(tmp_path: Path, given: str, left: str) -> None:
    shown = _shown(tmp_path, flags={"before_all": given, "environment": given})
    for name in ("before-all", "environment"):
        ((text, _, _),) = _row(shown, name)
        assert "secret" not in text
        assert left in text


HARMLESS = [
    "quay.io/pypa/manylinux_2_28_aarch64@sha256:" + "0" * 64,
    "npm install thing@1.2 && cp a#b c?d",
    "pytest {project}/tests -k 'a and not b'",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_url_stays_as_it_is(tmp_path: Path, text: str) -> None:
    ((shown, _, _),) = _row(_shown(tmp_path, flags={"before_all": text}), "before-all")
    assert shown == text


def test_the_source_is_shown_as_the_plan_names_it(tmp_path: Path) -> None:
    layers = collect({"source": "git+https://me:secret@git.example/a@v1"}, {}, Tables(), tmp_path)
    plan = replace(_plan(layers), source="git+https://git.example/a@v1")
    (row,) = show_settings(layers, plan, tmp_path).rows()
    shown = Shown(value="git+https://git.example/a@v1", origin="SOURCE")
    assert row == Row(name="source", shown=shown)


UNKNOWN = "[tool.cibuildwheel]\nbuidl = '*'\n"


def test_what_a_project_sets_is_called_by_its_place_there(tmp_path: Path) -> None:
    """An unpacked sdist lies in a directory that is gone when somebody reads the note."""
    (tmp_path / "pyproject.toml").write_text(UNKNOWN)
    (note,) = load({"source": "thing==1.0"}, {}).with_project(tmp_path, {}).notes
    assert note.startswith("`buidl` in [tool.cibuildwheel] of pyproject.toml is unknown")


def test_what_a_file_of_the_users_sets_is_called_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(UNKNOWN)
    flags = {"source": "thing==1.0", "config_file": str(path)}
    (note,) = load(flags, {}).with_project(tmp_path, {}).notes
    assert f"of {path} is unknown" in note
