"""The tables of well-known projects: each resolves, and each key is honoured or named in a note."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.catalogue import find_image, interpreters
from aarch64_wheels.errors import UsageError
from aarch64_wheels.planning import make_plan
from aarch64_wheels.settings.cascade import cascade
from aarch64_wheels.settings.cibuildwheel import NAMES, read_cibuildwheel
from aarch64_wheels.settings.frontend import read_frontend
from aarch64_wheels.settings.layers import Layers, collect
from aarch64_wheels.settings.modes import GLIBC_LINUX
from aarch64_wheels.settings.schema import BuildOptions, Mode, Option, Settings, all_fields
from aarch64_wheels.settings.tables import Tables
from aarch64_wheels.source.metadata import Metadata

if TYPE_CHECKING:
    from aarch64_wheels.plan import Plan

ROWS = json.loads(Path(__file__).with_name("data").joinpath("cibuildwheel_tables.json").read_text())
TARGETS = [
    f"{tag}-{libc}_aarch64"
    for tag in ("cp39", "cp311", "cp313", "cp314t", "pp311")
    for libc in ("manylinux", "musllinux")
]
#: They ask for `musllinux_1_1`, which no current image is, also not one of cibuildwheel's own.
OF_OLD_IMAGES = {"cmake", "pyzmq"}
PASSED_OVER = {"linux", "macos", "windows", "android", "ios", "pyodide", "overrides", "inherit"}


def _options() -> dict[str, Option]:
    return {option.name: option for option in [*all_fields(Settings), *all_fields(BuildOptions)]}


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_it_resolves_for_every_target(row: dict[str, Any]) -> None:
    found = read_cibuildwheel(row["cibuildwheel"], "pyproject.toml", {})
    for identifier in TARGETS:
        for option in _options().values():
            cascade(option, found.layers, identifier)


def _plan(table: dict[str, Any], requires_python: str = "", **flags: Any) -> Plan:
    edge = collect({"mode": "accelerated", **flags}, {}, Tables(), Path("cache"))
    theirs = read_cibuildwheel(table, "pyproject.toml", {})
    layers = Layers(
        rows=(*theirs.layers, *edge.rows), cache_dir=Path("cache"), for_cibuildwheel=True
    )
    return make_plan(
        layers,
        Metadata(name="spring", version="1.0", requires_python=requires_python),
        interpreters(),
        find_image,
        source_origin=".",
        sha256="",
        source_date_epoch=0,
        host_machine="x86_64",
        host_system=GLIBC_LINUX,
    )


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_it_resolves_to_a_plan(row: dict[str, Any]) -> None:
    """With the whole catalogue, and each target's image and front end."""
    flags = {"skip": ("*-musllinux_*",)} if row["name"] in OF_OLD_IMAGES else {}
    plan = _plan(row["cibuildwheel"], row["requires-python"] or "", **flags)
    assert plan.mode is Mode.ACCELERATED
    assert plan.targets
    assert len({target.identifier for target in plan.targets}) == len(plan.targets)
    for target in plan.targets:
        assert target.image.reference
        assert ("musllinux" in target.identifier) is (target.image.libc == "musl")
        read_frontend(target.options.build_frontend)


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, id=row["name"]) for row in ROWS if row["name"] in OF_OLD_IMAGES],
)
def test_an_image_that_is_gone_says_what_there_is(row: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="no image is called `musllinux_1_1`") as caught:
        _plan(row["cibuildwheel"])
    assert caught.value.hint == "did you mean `musllinux_1_2`?"


GONE = {"musllinux-aarch64-image": "musllinux_1_1"}


def test_an_unknown_image_that_builds_nothing_is_no_error() -> None:
    plan = _plan({"skip": "*-musllinux_*", **GONE})
    assert {target.image.name for target in plan.targets} == {"manylinux_2_28"}


@pytest.mark.parametrize(
    ("table", "python"),
    [
        pytest.param(GONE, (), id="all"),
        pytest.param({"build": "cp313-musllinux_aarch64", **GONE}, (), id="glob"),
        pytest.param(GONE, ("cp313",), id="named"),
        pytest.param({"manylinux-aarch64-image": "manylinux1"}, (), id="manylinux"),
    ],
)
def test_an_unknown_image_that_builds_something_is_one(
    table: dict[str, Any], python: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError, match=r"no image is called `(musllinux_1_1|manylinux1)`"):
        _plan(table, python=python)


def test_an_unknown_image_of_the_user_is_always_an_error() -> None:
    with pytest.raises(UsageError, match="no image is called `musllinux_1_1`"):
        _plan({"skip": "*-musllinux_*"}, image="musllinux_1_1")


@pytest.mark.parametrize("text", ["make", "build; args: -C"])
def test_a_frontend_that_is_none_is_no_plan(text: str) -> None:
    with pytest.raises(UsageError, match="`build-frontend`"):
        _plan({"build-frontend": text})


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_each_key_is_honoured_or_named(row: dict[str, Any]) -> None:
    table = row["cibuildwheel"]
    found = read_cibuildwheel(table, "pyproject.toml", {})
    keys = {*table, *table.get("linux", {})} - PASSED_OVER
    images = {key for key in keys if key.endswith("-image") and "aarch64" not in key}
    for key in keys - images:
        honoured = NAMES.get(key) in _options() and any(
            NAMES[key] in layer.values for layer in found.layers
        )
        assert honoured or any(f"`{key}`" in note for note in found.notes), key


def test_there_are_enough_of_them() -> None:
    assert len({row["name"] for row in ROWS}) >= 15


def test_every_option_of_theirs_is_one_of_ours() -> None:
    assert set(NAMES.values()) <= set(_options())
