from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from aarch64_wheels.errors import ExitCode, UsageError
from aarch64_wheels.settings import kinds
from aarch64_wheels.settings.layers import collect, load
from aarch64_wheels.settings.schema import (
    Backend,
    Compiler,
    EngineName,
    Mode,
    Settings,
    options,
)
from aarch64_wheels.settings.tables import Tables, read_tables

CACHE = Path("the-cache")


def _resolve(
    flags: dict[str, object] | None = None,
    environ: dict[str, str] | None = None,
    table: dict[str, object] | None = None,
) -> Settings:
    tables = Tables(ours=table or {}, origin="pyproject.toml")
    return collect(flags or {}, environ or {}, tables, CACHE).settings()


def test_every_field_is_an_option_of_the_same_kebab_case_name() -> None:
    names = [option.name for option in options()]
    fields_of = [item.name.replace("_", "-") for item in fields(Settings)]
    assert names == [name for name in fields_of if name != "build"], "cibuildwheel's alone"


def test_every_option_but_the_source_is_a_flag() -> None:
    assert [option.flag for option in options()] == [
        "SOURCE",
        *(f"--{option.name}" for option in options() if option.field != "source"),
    ]


def test_options_know_their_kinds() -> None:
    rows = {option.name: (option.kind, option.many, option.choices) for option in options()}
    assert rows["python"] == (kinds.WORDS, True, ())
    assert [rows[name][2] for name in ("mode", "backend", "compiler")] == [
        ("auto", "native", "accelerated", "emulated"),
        ("auto", "native", "emulated"),
        ("auto", "gcc", "native-only"),
    ]
    assert rows["config-file"] == (kinds.PATH, False, ())
    assert rows["jobs"] == (kinds.NUMBER, False, ())


def test_nothing_given_means_the_defaults_and_the_callers_cache() -> None:
    assert _resolve() == Settings(cache_dir=CACHE)


@pytest.mark.parametrize(
    ("flags", "environ", "table", "expected"),
    [
        pytest.param({"image": "a"}, {"AARCH64_WHEELS_IMAGE": "b"}, {"image": "c"}, "a", id="flag"),
        pytest.param({}, {"AARCH64_WHEELS_IMAGE": "b"}, {"image": "c"}, "b", id="environment"),
        pytest.param({}, {}, {"image": "c"}, "c", id="table"),
        pytest.param({"image": None}, {}, {"image": "c"}, "c", id="none-is-not-given"),
        pytest.param({}, {"AARCH64_WHEELS_IMAGE": " "}, {"image": "c"}, "c", id="empty-variable"),
        pytest.param({}, {"OTHER": "b"}, {}, "manylinux2014", id="default"),
    ],
)
def test_order_of_layers(
    flags: dict[str, object], environ: dict[str, str], table: dict[str, object], expected: str
) -> None:
    assert _resolve(flags, environ, table).image == expected


@pytest.mark.parametrize(
    ("flags", "environ", "table", "expected"),
    [
        pytest.param(
            {},
            {"AARCH64_WHEELS_PYTHON": "cp311 \n cp313"},
            {},
            {"python": ("cp311", "cp313")},
            id="list",
        ),
        pytest.param(
            {"python": ()}, {}, {"python": ["cp39"]}, {"python": ("cp39",)}, id="no-flags"
        ),
        pytest.param(
            {}, {}, {"python": "cp39 cp310"}, {"python": ("cp39", "cp310")}, id="text-list"
        ),
        pytest.param({"no_cache": "true"}, {}, {}, {"no_cache": True}, id="input-boolean"),
        pytest.param({}, {"AARCH64_WHEELS_NO_CACHE": "0"}, {"no-cache": True}, {}, id="false-wins"),
        pytest.param({"jobs": "3"}, {}, {"jobs": 5}, {"jobs": 3}, id="number-as-text"),
        pytest.param({"mode": "native"}, {}, {}, {"mode": Mode.NATIVE}, id="enum"),
        pytest.param(
            {"compiler": "native-only"},
            {"AARCH64_WHEELS_COMPILER": "gcc", "AARCH64_WHEELS_BACKEND": "emulated"},
            {"backend": "native"},
            {"compiler": Compiler.NATIVE_ONLY, "backend": Backend.EMULATED},
            id="enums-of-the-accelerated-mode",
        ),
        pytest.param({}, {}, {"engine": "podman"}, {"engine": EngineName.PODMAN}, id="table-enum"),
        pytest.param(
            {}, {}, {"output-dir": "out"}, {"output_dir": Path("out")}, id="relative-path"
        ),
        pytest.param(
            {"output_dir": Path("o")}, {}, {}, {"output_dir": Path("o")}, id="path-object"
        ),
        pytest.param(
            {},
            {"AARCH64_WHEELS_CONFIG_FILE": "c.toml"},
            {},
            {"config_file": Path("c.toml")},
            id="optional",
        ),
    ],
)
def test_values_are_converted(
    flags: dict[str, object],
    environ: dict[str, str],
    table: dict[str, object],
    expected: dict[str, object],
) -> None:
    wanted = Settings(**{"cache_dir": CACHE, **expected})  # type: ignore[arg-type]
    assert _resolve(flags, environ, table) == wanted


@pytest.mark.parametrize(
    ("flags", "environ", "table", "words"),
    [
        pytest.param(
            {},
            {},
            {"output_dir": "x"},
            ["`output_dir`", "pyproject.toml", "`output-dir`"],
            id="snake",
        ),
        pytest.param(
            {},
            {},
            {"enable": ["pypy", "pypi"]},
            ["`enable`", "of pypy, graalpy", "`pypi` is no group: did you mean `pypy`?"],
            id="group-in-table",
        ),
        pytest.param(
            {"enable": ("zzz",)}, {}, {}, ["--enable", "`zzz` is no group"], id="group-by-flag"
        ),
        pytest.param(
            {},
            {"AARCH64_WHEELS_ENABLE": "pypy zzz"},
            {},
            ["$AARCH64_WHEELS_ENABLE", "`zzz` is no group"],
            id="group-by-variable",
        ),
        pytest.param({}, {}, {"imgae": "x"}, ["`imgae`", "did you mean `image`"], id="typo"),
        pytest.param(
            {}, {}, {"zzz": 1}, ["`zzz`", "the keys are python, skip, enable"], id="no-neighbour"
        ),
        pytest.param({}, {}, {"source": "."}, ["`source`", "give SOURCE"], id="source-in-table"),
        pytest.param(
            {}, {}, {"config-file": "x"}, ["give --config-file"], id="config-file-in-table"
        ),
        pytest.param(
            {}, {}, {"jobs": "3"}, ["`jobs`", "whole number", "'3'"], id="text-for-number"
        ),
        pytest.param({}, {}, {"jobs": True}, ["`jobs`", "whole number"], id="boolean-for-number"),
        pytest.param(
            {}, {}, {"no-cache": "yes"}, ["`no-cache`", "true or false"], id="text-for-bool"
        ),
        pytest.param(
            {}, {}, {"python": 3.13}, ["`python`", "a list of strings"], id="number-for-list"
        ),
        pytest.param({}, {}, {"python": [3]}, ["`python`", "a string"], id="number-in-list"),
        pytest.param({}, {}, {"image": 3}, ["`image`", "a string"], id="number-for-text"),
        pytest.param({"image": ""}, {}, {}, ["--image", "not empty"], id="empty-flag"),
        pytest.param({"source": ""}, {}, {}, ["SOURCE must be", "not empty"], id="empty-source"),
        pytest.param({"jobs": -1}, {}, {}, ["--jobs", "0 or more", "-1"], id="negative"),
        pytest.param({"jobs": 10**9}, {}, {}, ["--jobs", "nine digits"], id="huge"),
        pytest.param(
            {}, {"AARCH64_WHEELS_JOBS": "all"}, {}, ["$AARCH64_WHEELS_JOBS", "'all'"], id="variable"
        ),
        pytest.param(
            {"mode": "emulate"},
            {},
            {},
            ["--mode", "auto, native, accelerated, emulated", "`emulated`"],
            id="mode",
        ),
        pytest.param(
            {},
            {},
            {"compiler": "native_only"},
            ["`compiler`", "auto, gcc, native-only", "did you mean `native-only`"],
            id="compiler",
        ),
        pytest.param(
            {}, {"AARCH64_WHEELS_BACKEND": "x86"}, {}, ["$AARCH64_WHEELS_BACKEND"], id="backend"
        ),
    ],
)
def test_wrong_values_name_their_place(
    flags: dict[str, object], environ: dict[str, str], table: dict[str, object], words: list[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        _resolve(flags, environ, table)
    assert [word for word in words if word not in str(caught.value)] == []
    assert caught.value.exit_code == ExitCode.USAGE


def test_table_of_the_source_directory(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text('[tool.aarch64-wheels]\nimage = "debian"\n')
    assert read_tables(str(tmp_path), None) == Tables(ours={"image": "debian"}, origin=str(file))


@pytest.mark.parametrize("source", ["kiwisolver==1.4.7", "x-1.tar.gz", "nowhere"])
def test_other_sources_have_no_table(source: str) -> None:
    assert read_tables(source, None) == Tables()


def test_config_file_is_read_instead(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.aarch64-wheels]\njobs = 1\n")
    other = tmp_path / "other.toml"
    other.write_text("[tool.aarch64-wheels]\njobs = 2\n")
    assert read_tables(str(tmp_path), other) == Tables(ours={"jobs": 2}, origin=str(other))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(None, "cannot read the configuration file", id="missing"),
        pytest.param("jobs = ", "not valid TOML", id="invalid"),
        pytest.param("jobs = 2\n", "stands outside of the table", id="top-level"),
        pytest.param("[tool]\naarch64-wheels = 3\n", "is not a table", id="no-table"),
    ],
)
def test_bad_config_files(tmp_path: Path, content: str | None, words: str) -> None:
    file = tmp_path / "c.toml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UsageError, match=words):
        read_tables(".", file)


def test_load_takes_source_and_config_file_from_the_layers(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.aarch64-wheels]\njobs = 4\n")
    settings = load({"source": str(tmp_path)}, {"AARCH64_WHEELS_IMAGE": "debian"}).settings()
    assert (settings.jobs, settings.image) == (4, "debian")
    assert settings.cache_dir.name == "aarch64-wheels"


@pytest.mark.parametrize("key", ["output-dir", "cache-dir"])
@pytest.mark.parametrize("value", ["/somewhere", "../up", "a/../../b"])
def test_a_source_cannot_choose_a_directory_of_this_host(
    tmp_path: Path, key: str, value: str
) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(f"[tool.aarch64-wheels]\n{key} = {value!r}\n")
    with pytest.raises(UsageError, match="leads out of the current directory"):
        load({"source": str(tmp_path)}, {})
    settings = load({"source": str(tmp_path), "config_file": str(file)}, {}).settings()
    assert getattr(settings, key.replace("-", "_")) == Path(value)
