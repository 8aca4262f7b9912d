"""The script that calls a backend's hook, run as it is run in the container."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import resources
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = str(resources.files("aarch64_wheels.stages") / "call_hook.py")
TOKEN = "3f9a"  # noqa: S105 - it keeps no secret
REQUIRES = "get_requires_for_build_wheel"
HOOK = f"def {REQUIRES}(config_settings=None):\n"
WHEEL = "fast-1.0-py3-none-any.whl"
BUILD = f"""def build_wheel(directory, config_settings=None, metadata_directory=None):
    open(directory + "/{WHEEL}", "w").close()
"""


def _call(
    project: Path,
    hook: str,
    directories: list[str],
    *backend: str,
    settings: dict[str, object] | None = None,
) -> subprocess.CompletedProcess[str]:
    arguments = json.dumps([directories, settings])
    argv = [sys.executable, "-S", SCRIPT, TOKEN, hook, arguments, *backend]
    return subprocess.run(argv, cwd=project, capture_output=True, text=True, check=False)


def _ask(project: Path, *backend: str) -> subprocess.CompletedProcess[str]:
    return _call(project, REQUIRES, [], *backend)


def _answer(done: subprocess.CompletedProcess[str]) -> object:
    assert done.stdout.startswith(TOKEN), done.stderr
    return json.loads(done.stdout[len(TOKEN) :])


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
    "no-settings": (HOOK + "    return [repr(config_settings)]\n", "own", ["None"]),
    "no-arguments-to-see": (HOOK + "    import sys; return sys.argv[1:]\n", "own", []),
    "object-path": (NESTED, "own:obj.inner", ["nested"]),
    "object-path-without-hook": (NESTED, "own:obj", []),
}


@pytest.mark.parametrize(("text", "backend", "expected"), BACKENDS.values(), ids=BACKENDS.keys())
def test_what_a_backend_requires(
    tmp_path: Path, text: str, backend: str, expected: list[str]
) -> None:
    result = _ask(_project(tmp_path, own=text), backend, ".")
    assert (result.returncode, result.stderr) == (0, "")
    assert _answer(result) == expected


def test_what_an_sdist_requires_where_nothing_says(tmp_path: Path) -> None:
    project = _project(tmp_path, own="def build_sdist(): pass\n")
    assert _answer(_call(project, "get_requires_for_build_sdist", [], "own", ".")) == []


def test_what_a_hook_prints_stays_out_of_the_answer(tmp_path: Path) -> None:
    result = _ask(_project(tmp_path, own=NOISY), "own", ".")
    assert _answer(result) == ["numpy>=2", "cython"]
    said = ["on import", "in the hook", "past sys.stdout", "from a child"]
    assert result.stderr.splitlines() == said  # in this order: it streams


def test_a_wheel_is_built_into_a_directory_that_is_made(tmp_path: Path) -> None:
    project = _project(tmp_path, own=f"{BUILD}    return '{WHEEL}'\n")
    built = tmp_path / "a place" / "built"
    assert _answer(_call(project, "build_wheel", [str(built)], "own", ".")) == WHEEL
    assert [path.name for path in built.iterdir()] == [WHEEL]


def test_a_wheel_that_is_not_there(tmp_path: Path) -> None:
    project = _project(tmp_path, own=f"{BUILD}    return 'other.whl'\n")
    result = _call(project, "build_wheel", [str(tmp_path)], "own", ".")
    assert (result.returncode, result.stdout) == (1, "")
    assert "made 'other.whl', which is not there" in result.stderr


def test_a_backend_without_its_one_mandatory_hook(tmp_path: Path) -> None:
    project = _project(tmp_path, own=HOOK + "    return []\n")
    result = _call(project, "build_wheel", [str(tmp_path)], "own", ".")
    assert result.returncode == 1
    assert "no attribute 'build_wheel'" in result.stderr


def test_a_module_in_a_package_below_the_backend_path(tmp_path: Path) -> None:
    project = _project(tmp_path, tools__own__api=HOOK + "    return ['wheel']\n")
    assert _answer(_ask(project, "own.api", "tools")) == ["wheel"]


def test_the_first_backend_path_wins(tmp_path: Path) -> None:
    project = _project(
        tmp_path,
        one__own=HOOK + "    return ['one']\n",
        two__own=HOOK + "    return ['two']\n",
    )
    assert _answer(_ask(project, "own", "one", "two")) == ["one"]


@pytest.mark.parametrize("backend", ["own", "call_hook"], ids=["project", "script-directory"])
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
def test_a_backend_that_fails_says_why_and_answers_nothing(
    tmp_path: Path, text: str, backend: str, said: str
) -> None:
    result = _ask(_project(tmp_path, own=text), backend, ".")
    assert (result.returncode, result.stdout) == (1, "")
    assert said in result.stderr


TEMPORARY = f"""import os, tempfile
{HOOK}    first, second = (os.path.basename(tempfile.mkdtemp("z", "a-", ".")) for _ in "ab")
    reading, writing = os.pipe()
    if not os.fork():
        os.write(writing, os.path.basename(tempfile.mkdtemp("z", "a-", ".")).encode())
        os._exit(0)
    os.wait()
    return [first, second, os.read(reading, 99).decode()]
"""


def test_temporary_directories_have_the_same_names_in_every_build(tmp_path: Path) -> None:
    """Those of a forked process have not: it would take its parent's next ones."""
    project = _project(tmp_path, own=TEMPORARY)
    found = [_answer(_ask(project, "own", ".")) for _ in range(2)]
    assert isinstance(found[0], list)
    assert found[0][:2] == ["a-00000000z", "a-00000001z"]
    assert re.fullmatch("a-[0-9a-f]{8}z", found[0][2])
    assert found[0][2] != "a-00000002z"
    assert isinstance(found[1], list)
    assert found[1][:2] == ["a-00000002z", "a-00000003z"], "what is there is passed over"
