"""The public set, compiled by native clang and by the image's GCC: two wheels of one behaviour."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import platformdirs
import pytest
from bench.sources import Source, load_catalogue

from aarch64_wheels.bill import NAME
from aarch64_wheels.commands.inputs import Host, open_settings_source
from aarch64_wheels.settings.schema import Settings
from tests.integration.explained import (
    unexplained_exports,
    unexplained_imports,
    unexplained_to_published,
)
from tests.integration.public_set import Pair, make_pair
from tests.integration.suites import SUITES, install_suites, run_suite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from aarch64_wheels.engine.api import Session
    from tests.integration.conftest import Accelerated, Run

#: manylinux2014 (PEP 599).
GLIBC = (2, 17)
PAGE = 64 << 10


@pytest.fixture(scope="module", params=load_catalogue().sources, ids=lambda source: source.name)
def source(request: pytest.FixtureRequest) -> Source:
    assert isinstance(request.param, Source)
    return request.param


@pytest.fixture(scope="module")
def pair(
    run: Run, source: Source, debian_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Pair:
    assert debian_image
    return make_pair(run, source, tmp_path_factory.mktemp(source.name))


@pytest.fixture(scope="module")
def suites(accelerated: Accelerated) -> Iterator[Session]:
    """One container for the packages' own tests: the wheels' code is emulated, uv is not."""
    with accelerated() as session:
        install_suites(session)
        yield session


def test_each_was_compiled_as_asked(pair: Pair) -> None:
    assert pair.clang.compilers == {"clang"}
    assert pair.clang.record["backend"] == "native"
    assert pair.clang.record["calls"]["fallback"] == 0
    for item in pair.clang.interface.own.values():
        assert any(name.startswith("clang") for name in item.made_by)
    assert pair.published or pair.gcc.compilers == {"gcc"}
    for item in pair.gcc.interface.own.values():
        assert {name.split(":")[0] for name in item.made_by} == {"GCC"}


def test_tags_and_members_are_the_same(pair: Pair) -> None:
    clang, gcc = pair.clang.interface, pair.gcc.interface
    assert clang.objects
    assert clang.objects.keys() == gcc.objects.keys()
    assert _without_bill(clang.members) == _without_bill(gcc.members)
    if not pair.published:  # which is for a newer system
        assert pair.clang.path.name == pair.gcc.path.name
        assert clang.tags == gcc.tags
        assert clang.declared == gcc.declared


def _without_bill(members: Iterable[str]) -> list[str]:
    """What is published has none of ours."""
    return [name for name in members if not name.endswith(f"/sboms/{NAME}")]


def test_dependencies_are_the_same(pair: Pair) -> None:
    for member, gcc in pair.gcc.interface.objects.items():
        needed = set(pair.clang.interface.objects[member].needed)
        spared = set(gcc.needed) - needed if pair.published else set()
        assert needed == set(gcc.needed) - spared, member
        # libstdc++ and libgcc are static in the embedded image, and its GCC's linker leaves out
        # libraries of which nothing is used.
        assert spared <= {"libstdc++.so.6", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0"}


def test_exported_symbols_are_the_same(pair: Pair) -> None:
    unexplained = unexplained_to_published if pair.published else unexplained_exports
    for member, gcc in pair.gcc.interface.objects.items():
        clang = pair.clang.interface.objects[member]
        assert unexplained(clang, gcc) == set(), member
    for member, item in pair.clang.interface.own.items():
        assert any(name.startswith("PyInit_") for name in item.strong), member


def test_imported_symbols_are_the_same(pair: Pair) -> None:
    if pair.published:
        pytest.skip("another C++ library, and newer headers of what the project is built with")
    for member, gcc in pair.gcc.interface.objects.items():
        clang = pair.clang.interface.objects[member]
        assert unexplained_imports(clang, gcc) == set(), member


def test_versions_are_those_of_manylinux2014(pair: Pair) -> None:
    for member, item in pair.clang.interface.objects.items():
        versions = " ".join(symbol.version for symbol in item.imports)
        found = re.findall(r"\bGLIBC_(\d+)\.(\d+)", versions)
        assert max((int(a), int(b)) for a, b in found) <= GLIBC, member


def test_segments_are_aligned_for_large_pages(pair: Pair) -> None:
    for wheel in (pair.clang, pair.gcc):
        for member, item in wheel.interface.objects.items():
            assert min(item.alignments) >= PAGE, member


def test_own_tests_end_alike(pair: Pair, suites: Session, tmp_path: Path) -> None:
    settings = Settings(
        source=pair.source.requirement, cache_dir=platformdirs.user_cache_path("aarch64-wheels")
    )
    sdist = open_settings_source(settings, Host.current(os.environ), tmp_path).root
    suite = SUITES[pair.source.name]
    clang, gcc = (run_suite(suites, suite, wheel.path, sdist) for wheel in (pair.clang, pair.gcc))
    assert clang == gcc
    assert "passed" in clang.values()
    # None of these fails with GCC here; should one do so one day, it must not hide another.
    assert set(clang.values()) <= {"passed", "skipped"}
