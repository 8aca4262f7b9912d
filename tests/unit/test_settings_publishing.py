"""The settings of publishing: their layers, and the table that they share with builds."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings import kinds
from aarch64_wheels.settings.layers import load
from aarch64_wheels.settings.publishing import Attestations, PublishSettings, TrustedPublishing
from aarch64_wheels.settings.schema import options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The table of the directory that is worked in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "pyproject.toml"


def _publishing(flags: Mapping[str, object], environ: Mapping[str, str]) -> PublishSettings:
    return load(flags, environ).publishing()


def _write(path: Path, *lines: str) -> None:
    path.write_text("\n".join(["[tool.aarch64-wheels]", *lines]), encoding="utf-8")


def test_publishing_has_options_of_the_same_kebab_case_names() -> None:
    rows = options(PublishSettings)
    assert [row.name for row in rows] == [
        item.name.replace("_", "-") for item in fields(PublishSettings)
    ]
    assert [row.flag for row in rows if not row.flag.startswith("--")] == ["DIST"]
    found = {row.name: (row.kind, row.many, row.choices) for row in rows}
    assert found["dists"] == (kinds.WORDS, True, ())
    assert found["attestations"][1:] == (False, ("auto", "always", "never"))
    assert found["trusted-publishing"][1:] == (False, ("auto", "always", "never"))
    assert found["trust-config"] == (kinds.PATH, False, ())
    assert found["replace"] == (kinds.SWITCH, False, ())


@pytest.mark.usefixtures("project")
def test_publishing_without_a_table_has_the_defaults() -> None:
    settings = _publishing({}, {})
    assert settings == PublishSettings()
    assert (settings.repository, settings.output_dir) == ("pypi", Path("wheelhouse"))


@pytest.mark.parametrize(
    ("flags", "environ", "expected"),
    [
        ({"tag": "a"}, {"AARCH64_WHEELS_TAG": "b"}, "a"),
        ({"tag": None}, {"AARCH64_WHEELS_TAG": "b"}, "b"),
        ({}, {"AARCH64_WHEELS_TAG": " "}, "c"),
    ],
    ids=["flag", "environment", "table"],
)
def test_publishing_goes_by_the_same_order(
    project: Path, flags: dict[str, object], environ: dict[str, str], expected: str
) -> None:
    _write(project, 'tag = "c"')
    assert _publishing(flags, environ).tag == expected


def test_publishing_converts_its_values(project: Path) -> None:
    _write(project, "allow-partial = true", 'attestations = "never"', 'output-dir = "out"')
    environ = {
        "AARCH64_WHEELS_DISTS": "a.whl\n dist",
        "AARCH64_WHEELS_TRUST_CONFIG": "/etc/trust.json",
        "AARCH64_WHEELS_REPLACE": "yes",
        "AARCH64_WHEELS_ALLOW_PARTIAL": "0",
    }
    assert load({"trusted_publishing": "always"}, environ).publishing() == PublishSettings(
        dists=("a.whl", "dist"),
        output_dir=Path("out"),
        trusted_publishing=TrustedPublishing.ALWAYS,
        attestations=Attestations.NEVER,
        replace=True,
        trust_config=Path("/etc/trust.json"),
    )


def test_both_commands_share_the_table(project: Path) -> None:
    _write(project, 'image = "debian"', 'github-release = "auto"', 'output-dir = "out"')
    assert load({}, {}).settings().image == "debian"
    assert load({}, {}).publishing().github_release == "auto"
    assert load({}, {}).settings().output_dir == load({}, {}).publishing().output_dir == Path("out")


def test_publishing_reads_a_configuration_file_instead(project: Path) -> None:
    _write(project, 'repository = "a"')
    _write(other := project.with_name("other.toml"), 'repository = "b"', 'output-dir = "/out"')
    settings = load({"config_file": "other.toml"}, {}).publishing()
    assert (settings.repository, settings.output_dir) == ("b", Path("/out"))
    environ = {"AARCH64_WHEELS_CONFIG_FILE": str(other)}
    assert load({}, environ).publishing().repository == "b"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('dists = ["a.whl"]', ["`dists`", "give DIST"]),
        ('config-file = "x"', ["`config-file`", "give --config-file"]),
        ('repositroy = "x"', ["`repositroy`", "did you mean `repository`"]),
        ('password = "x"', ["unknown key `password`"]),
        ('attestations = "sometimes"', ["`attestations`", "one of auto, always, never"]),
        ("attestations = true", ["`attestations`", "one of auto, always, never"]),
        ('replace = "yes"', ["`replace`", "true or false"]),
        ('tag = ""', ["`tag`", "not empty"]),
        ('output-dir = "/somewhere"', ["`output-dir`", "leads out of the current directory"]),
    ],
)
def test_publishing_refuses_what_is_wrong_in_the_table(
    project: Path, line: str, words: list[str]
) -> None:
    _write(project, line)
    with pytest.raises(UsageError) as caught:
        load({}, {}).publishing()
    assert [word for word in words if word not in str(caught.value)] == []


def test_a_build_refuses_wrong_keys_of_publishing_too(project: Path) -> None:
    _write(project, 'attestation = "never"')
    with pytest.raises(UsageError, match="unknown key `attestation`") as caught:
        load({}, {})
    assert caught.value.hint == "did you mean `attestations`?"


def test_settings_of_publishing_do_not_show_a_password() -> None:
    """A URL may hold one; a `repr` may reach a log."""
    flags = {
        "repository_url": "https://me:secret@index.invalid/",
        "index_url": "https://me:secret@index.invalid/simple/",
    }
    settings = _publishing(flags, {})
    assert settings.repository_url.endswith("@index.invalid/")
    assert "secret" not in repr(settings)


RECEIVERS: dict[str, str | Path] = {
    "repository-url": "https://index.invalid/",
    "index-url": "https://index.invalid/",
    "repository": "testpypi",
    "trust-config": Path("trust.json"),
}


@pytest.mark.parametrize(("key", "value"), RECEIVERS.items())
@pytest.mark.parametrize("command", [load, _publishing])
def test_a_project_does_not_choose_who_is_given_secrets(
    project: Path, key: str, value: str | Path, command: Callable[..., object]
) -> None:
    _write(project, f'{key} = "{value}"')
    with pytest.raises(UsageError, match="would say who is given secrets or id") as caught:
        command({}, {})
    assert caught.value.what.startswith(f"`{key}` in [tool.aarch64-wheels] of pyproject.toml")
    assert f"--{key}, or" in caught.value.hint
    mine = project.with_name("mine.toml")
    project.rename(mine)
    field = key.replace("-", "_")
    assert getattr(_publishing({"config_file": mine}, {}), field) == value
    mine.unlink()
    assert getattr(_publishing({field: value}, {}), field) == value
    variable = {f"AARCH64_WHEELS_{field.upper()}": str(value)}
    assert getattr(_publishing({}, variable), field) == value
