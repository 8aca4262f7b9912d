"""When the native uv stands in for an emulated pip, and when it must not."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.native import installer
from aarch64_wheels.native.installer import install, is_configured, uv_environment, uv_words

if TYPE_CHECKING:
    from pathlib import Path

BUILDS = ["--use-pep517", "--no-warn-script-location", "--no-compile", "--no-input", "-r", "/r.txt"]
PIP = ["-m", "pip", "--python", "/env/bin/python"]
UV = [installer.UV, "pip", "install", "--no-config", "--link-mode=copy"]
UV += ["--python", "/env/bin/python"]

FORMS: dict[str, tuple[list[str], list[str] | None]] = {
    "as build calls it": ([*PIP, "install", *BUILDS], [*UV, "-r", "/r.txt"]),
    "verbose": ([*PIP, "-vv", "install", *BUILDS], [*UV, "-r", "/r.txt"]),
    "with constraints": (
        [*PIP, "install", *BUILDS, "-c", "/c.txt"],
        [*UV, "-r", "/r.txt", "-c", "/c.txt"],
    ),
    "first of all": ([*PIP, "install", "--ignore-installed", *BUILDS], [*UV, "-r", "/r.txt"]),
    "a requirement": ([*PIP, "install", "numpy"], None),
    "another option": ([*PIP, "install", "--pre", *BUILDS], None),
    "another command": ([*PIP, "uninstall", "-y", "setuptools"], None),
    "into itself": (["-m", "pip", "install", "-r", "/r.txt"], None),
    "isolated": (["-Im", "pip", "install", "-r", "/r.txt"], None),
    "a script called pip": (["pip", "install", "-r", "/r.txt"], None),
    "no words at all": (["-m", "pip", "--python"], None),
}


@pytest.mark.parametrize(("words", "expected"), FORMS.values(), ids=FORMS.keys())
def test_which_calls_uv_takes(words: list[str], expected: list[str] | None) -> None:
    assert uv_words(words) == expected


SETTINGS = {
    "none": ({}, False),
    "cibuildwheels": ({"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "i"}, False),
    "an index": ({"PIP_INDEX_URL": "https://index.example/simple"}, False),
    "more indexes": ({"PIP_EXTRA_INDEX_URL": "https://index.example/simple"}, True),
    "constraints": ({"PIP_CONSTRAINT": "/c.txt"}, True),
    "empty": ({"PIP_CONSTRAINT": ""}, False),
    "something new": ({"PIP_FUTURE": "1"}, True),
}


@pytest.mark.parametrize(("environ", "expected"), SETTINGS.values(), ids=SETTINGS.keys())
def test_which_settings_are_pips_own(
    tmp_path: Path, environ: dict[str, str], *, expected: bool
) -> None:
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path), **environ}
    assert is_configured(environ, tmp_path / "prefix", "/nonexistent") is expected


@pytest.mark.parametrize("place", [".pip/pip.conf", ".config/pip/pip.conf", "prefix/pip.conf"])
def test_a_configuration_file_is_pips_own(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).touch()
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path)}
    assert is_configured(environ, tmp_path / "prefix", "/nonexistent")


def test_uv_gets_pips_index_and_certificates() -> None:
    environ = {"PIP_INDEX_URL": "https://index.example/simple", "PIP_CERT": "/ca.pem", "A": "b"}
    assert uv_environment(environ) == {
        **environ,
        "UV_DEFAULT_INDEX": "https://index.example/simple",
        "SSL_CERT_FILE": "/ca.pem",
    }


@pytest.fixture
def interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment whose CPython has the module, and another uv; its pip says that it runs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    (packages,) = (tmp_path / "env").glob("lib/python3*/site-packages")
    image = tmp_path / "image/opt/python/cp313-cp313/lib/python3.13"
    image.mkdir(parents=True)
    (image / "site-packages").symlink_to(packages)
    assert install(tmp_path / "image") == [image / "site-packages"]
    module = packages / f"{installer.NAME}.py"
    text = module.read_text().replace(installer.UV, f"{tmp_path}/uv")
    module.write_text(text.replace(installer.PIP_CONF, f"{tmp_path}/pip.conf"))
    (packages / "pip").mkdir()
    (packages / "pip/__main__.py").write_text("print('pip')\n")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return tmp_path / "env/bin/python"


CALLS = {
    "uv does it": (0, {}, [*PIP, "install", *BUILDS], "uv\n"),
    "uv fails": (1, {}, [*PIP, "install", *BUILDS], "uv\npip\n"),
    "switched off": (0, {installer.SWITCH: "pip"}, [*PIP, "install", *BUILDS], "pip\n"),
    "pip's own setting": (0, {"PIP_PRE": "1"}, [*PIP, "install", *BUILDS], "pip\n"),
    "another call": (0, {}, [*PIP, "list"], "pip\n"),
    "another program": (0, {}, ["-c", "print('pip')"], "pip\n"),
}


@pytest.mark.parametrize(
    ("status", "environ", "words", "expected"), CALLS.values(), ids=CALLS.keys()
)
def test_an_interpreter_that_starts_as_pip(
    tmp_path: Path,
    interpreter: Path,
    status: int,
    environ: dict[str, str],
    words: list[str],
    expected: str,
) -> None:
    write_script(tmp_path / "uv", f"#!/bin/sh\necho uv\nexit {status}\n")
    done = subprocess.run(
        [interpreter, *words],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == expected


def test_the_line_in_the_pth_file_is_one_that_site_runs() -> None:
    assert installer.PTH.startswith("import ")
    assert installer.PTH.count("\n") == 1
