"""What a project's settings come to with cibuildwheel, they come to here, option by option."""

from __future__ import annotations

import shlex
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from cibuildwheel.environment import ParsedEnvironment, parse_environment
from cibuildwheel.frontend import BuildFrontendConfig
from cibuildwheel.oci_container import OCIContainerEngineConfig
from cibuildwheel.options import BuildOptions as TheirOptions
from cibuildwheel.options import CommandLineArguments, Options
from cibuildwheel.selector import EnableGroup
from cibuildwheel.util.packaging import DependencyConstraints
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from aarch64_wheels.catalogue import find_image, interpreters
from aarch64_wheels.images import Images
from aarch64_wheels.settings.schema import Settings
from tests.layers import layers_of
from tests.unit.project_tables import HOST, Project, projects
from tests.unit.strategies import IDENTIFIERS, project_layers, thorough

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aarch64_wheels.settings.kinds import Table
    from aarch64_wheels.settings.schema import BuildOptions

pytestmark = pytest.mark.usefixtures("_remembered_facts")

#: What differs, and is meant to. All else is the same.
WANTED = {
    "repair-wheel-command": "empty is the usual repair: a wheel that is not repaired is no use",
    "audit-command": "empty is the audit of this program, which is never left out",
    "dependency-versions": "empty is the default, and not `latest`",
    "config-settings": "a word without `=` is an error, and not a key without a value",
    "build-verbosity": "what is no number is an error, and not 0",
    "enable": "groups that cibuildwheel does not know any more are passed over",
    "container-engine": "empty is the one that is there, and not an error",
    "test-requires": "groups (`test-groups`) are resolved by the stage that installs them",
}
_REPAIR = "auditwheel repair -w {dest_dir} {wheel}"
_AUDIT = "abi3audit --strict --report {abi3_wheel}"


def _theirs(project: Project, directory: Path) -> Options:
    (directory / "pyproject.toml").write_text(project.document(), encoding="utf-8")
    return _options(directory, project.environ)


def _options(directory: Path, environ: Mapping[str, str]) -> Options:
    arguments = CommandLineArguments.defaults()
    arguments.package_dir = directory
    arguments.archs = "aarch64"
    return Options("linux", arguments, dict(environ))


def _assignments(found: ParsedEnvironment) -> list[str]:
    return [repr(item) for item in found.assignments]


def _pairs(text: str) -> Table:
    rows: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for word in shlex.split(text):
        key, _, value = word.partition("=")
        rows[key] += (value,)
    return tuple(sorted(rows.items()))


def _of_theirs(found: TheirOptions) -> dict[str, Any]:
    return {
        "before-all": found.before_all,
        "before-build": found.before_build,
        "before-test": found.before_test,
        "test-command": found.test_command,
        "repair-wheel-command": found.repair_command,
        "audit-command": found.audit_command or [_AUDIT],
        "audit-requires": found.audit_requires,
        "environment": _assignments(found.environment),
        "test-environment": _assignments(found.test_environment),
        "config-settings": _pairs(found.config_settings),
        "test-sources": found.test_sources,
        "test-requires": found.test_requires,
        "test-extras": _commas(found.test_extras.strip("[]")),
        "test-groups": found.test_groups,
        "build-verbosity": found.build_verbosity,
        "build-frontend": (found.build_frontend.name, list(found.build_frontend.args)),
        "dependency-versions": found.dependency_constraints,
        "container-engine": found.container_engine,
    }


def _of_ours(found: BuildOptions) -> dict[str, Any]:
    passed = [f"{name}={HOST[name]}" for name in found.environment_pass if name in HOST]
    frontend = found.build_frontend or "build"
    built = BuildFrontendConfig.from_config_string("build" if frontend == "default" else frontend)
    return {
        "before-all": found.before_all,
        "before-build": found.before_build,
        "before-test": found.before_test,
        "test-command": found.test_command,
        "repair-wheel-command": found.repair_wheel_command or _REPAIR,
        "audit-command": (found.audit_command or _AUDIT).split(" && "),
        "audit-requires": list(found.audit_requires),
        "environment": [*passed, *_assignments(parse_environment(found.environment))],
        "test-environment": _assignments(parse_environment(found.test_environment)),
        "config-settings": tuple(sorted(found.config_settings)),
        "test-sources": list(found.test_sources),
        "test-requires": list(found.test_requires),
        "test-extras": list(found.test_extras),
        "test-groups": list(found.test_groups),
        "build-verbosity": found.build_verbosity,
        "build-frontend": (built.name, list(built.args)),
        "dependency-versions": DependencyConstraints.from_config_string(
            found.dependency_versions or "pinned"
        ),
        "container-engine": OCIContainerEngineConfig.from_config_string(
            found.container_engine or "docker"
        ),
    }


def _commas(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


@thorough
@given(project=projects(), identifier=st.sampled_from(IDENTIFIERS))
def test_each_option_has_the_same_value(project: Project, identifier: str, tmp_path: Path) -> None:
    layers = project_layers(project.table, project.environ)
    theirs = _theirs(project, tmp_path).build_options(identifier)
    assert _of_ours(layers.options(identifier)) == _of_theirs(theirs)


@settings(thorough, max_examples=50)
@given(project=projects())
def test_selectors_have_the_same_value(project: Project, tmp_path: Path) -> None:
    found = project_layers(project.table, project.environ).settings()
    theirs = _theirs(project, tmp_path).globals
    assert list(found.build) or theirs.build_selector.build_config.split() == ["*"]
    assert list(found.skip) == theirs.build_selector.skip_config.split()
    assert list(found.test_skip) == theirs.test_selector.skip_config.split()
    enabled = EnableGroup.parse_option_value(" ".join(found.enable))
    assert enabled == theirs.build_selector.enable


@settings(thorough, max_examples=30)
@given(
    requires=st.sampled_from((None, "", ">=3.12", "<3.11,>=3.9")),
    allowed=st.sampled_from((None, "", "0", "1", "TRUE", "Yes", "2")),
)
def test_what_only_variables_can_say_has_the_same_value(
    requires: str | None, allowed: str | None, tmp_path: Path
) -> None:
    given = {"CIBW_PROJECT_REQUIRES_PYTHON": requires, "CIBW_ALLOW_EMPTY": allowed}
    environ = {name: value for name, value in given.items() if value is not None}
    text = '[project]\nname = "a"\nrequires-python = ">=3.10"\n'
    (tmp_path / "pyproject.toml").write_text(text)
    theirs = _options(tmp_path, environ).globals
    layers = layers_of(Settings()).with_project(tmp_path, environ)
    assert SpecifierSet(layers.requires_python or ">=3.10") == theirs.build_selector.requires_python
    assert layers.allow_empty == theirs.allow_empty


@settings(thorough, max_examples=50)
@given(project=projects())
def test_targets_have_the_same_images(project: Project, tmp_path: Path) -> None:
    found = Images(layers=project_layers(project.table, project.environ), find=find_image)
    theirs = _theirs(project, tmp_path)
    for libc in ("glibc", "musl"):
        for target in found.targets(interpreters(), libc):
            options = theirs.build_options(target.identifier)
            named = options.musllinux_images if libc == "musl" else options.manylinux_images
            machine = "pypy_aarch64" if target.interpreter.tag.startswith("pp") else "aarch64"
            assert target.image.reference == (named or {})[machine]
