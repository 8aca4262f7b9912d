"""The script that asks a backend what it requires, run as it is run in the container."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import resources
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = str(resources.files("aarch64_wheels.stages") / "ask_backend.py")

HOOK = "def get_requires_for_build_wheel(config_settings=None):\n"


def _ask(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-S", SCRIPT, *arguments]
    return subprocess.run(argv, cwd=project, capture_output=True, text=True, check=False)


def _project(tmp_path: Path, **modules: str) -> Path:
    for name, text in modules.items():
        path = tmp_path / "project" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "project"


NOISY = f"""import os, subprocess, sys
print("on import")
{HOOK}    print("in the hook")
    os.write(1, b"past sys.stdout\\n")
    subprocess.run(["echo", "from a child"], check=True)
    return ["numpy>=2", "cython"]
"""

NESTED = f"""class Api:
    class inner:
        @staticmethod
        {HOOK.replace(":", ": return ['nested']")}
obj = Api
"""

BACKENDS: dict[str, tuple[str, str, list[str]]] = {
    "no-hook": ("def build_wheel(): pass\n", "own", []),
    "list": (HOOK + "    return ['wheel']\n", "own", ["wheel"]),
    "tuple": (HOOK + "    return ('wheel', 'cffi; x')\n", "own", ["wheel", "cffi; x"]),
    "empty-settings": (HOOK + "    return [repr(config_settings)]\n", "own", ["{}"]),
    "object-path": (NESTED, "own:obj.inner", ["nested"]),
    "object-path-without-hook": (NESTED, "own:obj", []),
}


@pytest.mark.parametrize(("text", "backend", "expected"), BACKENDS.values(), ids=BACKENDS.keys())
def test_answers(tmp_path: Path, text: str, backend: str, expected: list[str]) -> None:
    result = _ask(_project(tmp_path, own=text), backend, ".")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == expected


def test_what_a_hook_prints_stays_out_of_the_answer(tmp_path: Path) -> None:
    result = _ask(_project(tmp_path, own=NOISY), "own", ".")
    assert json.loads(result.stdout) == ["numpy>=2", "cython"]
    for text in ("on import", "in the hook", "past sys.stdout", "from a child"):
        assert text in result.stderr


def test_a_module_in_a_package_below_the_backend_path(tmp_path: Path) -> None:
    project = _project(tmp_path, tools__own__api=HOOK + "    return ['wheel']\n")
    assert _ask(project, "own.api", "tools").stdout == '["wheel"]'


def test_the_first_backend_path_wins(tmp_path: Path) -> None:
    project = _project(
        tmp_path,
        one__own=HOOK + "    return ['one']\n",
        two__own=HOOK + "    return ['two']\n",
    )
    assert _ask(project, "own", "one", "two").stdout == '["one"]'


@pytest.mark.parametrize("backend", ["own", "ask_backend"], ids=["project", "script-directory"])
def test_neither_the_project_nor_the_script_is_on_the_path(tmp_path: Path, backend: str) -> None:
    """PEP 517: the source directory must not be on sys.path by itself."""
    result = _ask(_project(tmp_path, own=HOOK + "    return ['wheel']\n"), backend)
    assert (result.returncode, result.stdout) == (1, "")
    assert f"No module named '{backend}'" in result.stderr


FAILURES = {
    "raises": (HOOK + "    raise SystemError('no compiler')\n", "own", "no compiler"),
    "no-such-object": ("obj = 1\n", "own:obj.api", "no attribute 'api'"),
    "does-not-import": ("import no_such_module\n", "own", "No module named 'no_such_module'"),
    "not-json": (HOOK + "    return [object()]\n", "own", "not JSON serializable"),
}


@pytest.mark.parametrize(("text", "backend", "said"), FAILURES.values(), ids=FAILURES.keys())
def test_a_backend_that_fails_says_why_and_answers_nothing_whole(
    tmp_path: Path, text: str, backend: str, said: str
) -> None:
    result = _ask(_project(tmp_path, own=text), backend, ".")
    assert result.returncode == 1
    assert said in result.stderr
    with pytest.raises(json.JSONDecodeError):
        json.loads(result.stdout)
