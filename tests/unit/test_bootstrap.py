from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "bootstrap.py"
RUN_LOCK = ROOT / "requirements" / "run.txt"
LOCKS = [*sorted((ROOT / "requirements").glob("*.txt"))]


@pytest.fixture
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Recorder:
    """Stands in for programs: keeps what was called, and makes what a venv would have."""

    def __init__(self, failing: str = "") -> None:
        self.calls: list[list[str]] = []
        self.environs: list[dict[str, str]] = []
        self.failing = failing
        self.answers = {"config": ""}
        self.error: type[Exception] = RuntimeError

    def __call__(self, argv: Sequence[str], environ: Mapping[str, str]) -> str:
        self.calls.append(list(argv))
        self.environs.append(dict(environ))
        if self.failing and self.failing in argv:
            self.failing = ""
            raise self.error("failed")
        if "venv" in argv:
            python = Path(argv[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.touch()
        return self.answers["config"] if "config" in argv else ""


@pytest.fixture
def recorder(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    recorder.error = bootstrap.BootstrapError
    monkeypatch.setattr(bootstrap, "run", recorder)
    return recorder


def test_first_uv_by_pip_then_everything_by_uv(
    bootstrap: ModuleType, recorder: Recorder, tmp_path: Path
) -> None:
    python = bootstrap.ensure(RUN_LOCK, tmp_path / "a b", {})
    assert python == tmp_path / "a b" / "bin" / "python"
    venv, pip, _, uv = recorder.calls
    assert venv[1:] == ["-I", "-m", "venv", str(tmp_path / "a b")]
    assert "--require-hashes" in pip
    assert pip[pip.index("--only-binary") + 1] == ":all:"
    assert pip[-1].endswith("uv.txt")
    assert uv[0] == str(tmp_path / "a b" / "bin" / "uv")
    assert {"--require-hashes", "--no-build"} <= set(uv)
    assert uv[-1] == str(RUN_LOCK)


def test_installers_see_no_secret_of_the_step(
    bootstrap: ModuleType, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = """TWINE_USERNAME TWINE_PASSWORD GITHUB_TOKEN GH_TOKEN ACTIONS_RUNTIME_TOKEN
     ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_ID_TOKEN_REQUEST_URL PIP_INDEX_URL"""
    for name in words.split():
        monkeypatch.setenv(name, f"the-{name}")
    arguments = ["--requirements", str(RUN_LOCK), "--venv", str(tmp_path / "env")]
    assert bootstrap.main(arguments) == 0
    seen = {name for environ in recorder.environs for name in environ if name in words.split()}
    assert seen == {"PIP_INDEX_URL"}


def test_the_second_run_does_nothing(
    bootstrap: ModuleType, recorder: Recorder, tmp_path: Path
) -> None:
    bootstrap.ensure(RUN_LOCK, tmp_path / "env", {})
    recorder.calls.clear()
    bootstrap.ensure(RUN_LOCK, tmp_path / "env", {})
    assert recorder.calls == []


def test_a_changed_lock_makes_it_anew(
    bootstrap: ModuleType, recorder: Recorder, tmp_path: Path
) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("a==1\n")
    bootstrap.ensure(lock, tmp_path / "env", {})
    (tmp_path / "env" / "left-over").touch()
    lock.write_text("a==2\n")
    bootstrap.ensure(lock, tmp_path / "env", {})
    assert [call for call in recorder.calls if "venv" in call] != []
    assert not (tmp_path / "env" / "left-over").exists()


@pytest.mark.parametrize("step", ["install", "sync"])
def test_what_was_cut_short_is_made_anew(
    bootstrap: ModuleType, recorder: Recorder, tmp_path: Path, step: str
) -> None:
    recorder.failing = step
    with pytest.raises(bootstrap.BootstrapError):
        bootstrap.ensure(RUN_LOCK, tmp_path / "env", {})
    bootstrap.ensure(RUN_LOCK, tmp_path / "env", {})
    assert len([call for call in recorder.calls if "venv" in call]) == 2


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({"RUNNER_TOOL_CACHE": "{tmp}"}, "{tmp}/aarch64-wheels", id="runner"),
        pytest.param(
            {"RUNNER_TOOL_CACHE": "{tmp}/gone", "XDG_CACHE_HOME": "{tmp}/cache"},
            "{tmp}/cache/aarch64-wheels/environments",
            id="cache",
        ),
    ],
)
def test_the_default_place(
    bootstrap: ModuleType, tmp_path: Path, environ: dict[str, str], expected: str
) -> None:
    filled = {key: value.format(tmp=tmp_path) for key, value in environ.items()}
    assert bootstrap.default_place(filled) == Path(expected.format(tmp=tmp_path))


def test_uv_is_told_pips_index_and_certificates(
    bootstrap: ModuleType, recorder: Recorder, tmp_path: Path
) -> None:
    recorder.answers["config"] = (
        "global.cert='/etc/ca.pem'\n:env:.index-url='https://index.example/simple'\n"
    )
    bootstrap.ensure(RUN_LOCK, tmp_path / "env", {"SSL_CERT_FILE": "/mine.pem"})
    assert recorder.environs[-1] == {
        "UV_DEFAULT_INDEX": "https://index.example/simple",
        "SSL_CERT_FILE": "/mine.pem",
    }


CONF = """\
[global]
index-url = https://global.example/it's/simple
cert = {tmp}/pip.pem
[install]
trusted-host =
    one.example
    two.example:8443
[freeze]
index-url = https://other.example
"""
GLOBAL = "https://global.example/it's/simple"
HOSTS = "one.example two.example:8443"

PIP_AND_UV = {
    "a-file": ({}, (GLOBAL, "{tmp}/pip.pem")),
    "a-variable-over-it": (
        {"PIP_INDEX_URL": "https://env.example/simple"},
        ("https://env.example/simple", "{tmp}/pip.pem"),
    ),
    "uvs-own-over-all": (
        {"UV_DEFAULT_INDEX": "https://uv.example", "SSL_CERT_FILE": "/mine.pem"},
        (None, None),
    ),
    "uvs-older-name": ({"UV_INDEX_URL": "https://uv.example"}, (None, "{tmp}/pip.pem")),
    "requests": ({"REQUESTS_CA_BUNDLE": "{tmp}/requests.pem"}, (GLOBAL, "{tmp}/requests.pem")),
    "curl": ({"CURL_CA_BUNDLE": "{tmp}/curl.pem"}, (GLOBAL, "{tmp}/curl.pem")),
    "both": (
        {"REQUESTS_CA_BUNDLE": "{tmp}/requests.pem", "CURL_CA_BUNDLE": "{tmp}/curl.pem"},
        (GLOBAL, "{tmp}/requests.pem"),
    ),
    "no-such-bundle": ({"REQUESTS_CA_BUNDLE": "{tmp}/gone.pem"}, (GLOBAL, "{tmp}/pip.pem")),
}


@pytest.mark.parametrize(("environ", "expected"), PIP_AND_UV.values(), ids=PIP_AND_UV.keys())
def test_uv_is_told_what_the_real_pip_says(
    bootstrap: ModuleType,
    tmp_path: Path,
    environ: dict[str, str],
    expected: tuple[str | None, str | None],
) -> None:
    (tmp_path / "pip.conf").write_text(CONF.format(tmp=tmp_path))
    for name in ("pip", "requests", "curl"):
        (tmp_path / f"{name}.pem").touch()
    given = {name: value.format(tmp=tmp_path) for name, value in environ.items()}
    given |= {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "HOME": str(tmp_path)}
    told = bootstrap.settings_for_uv(bootstrap.pip_of(sys.executable), given)
    index, bundle = expected
    wanted = {"UV_DEFAULT_INDEX": index, "UV_INSECURE_HOST": HOSTS, "SSL_CERT_FILE": bundle}
    assert told == {
        name: value.format(tmp=tmp_path) for name, value in wanted.items() if value is not None
    }


def test_the_checkouts_modules_are_not_imported(
    bootstrap: ModuleType, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each Python is run as it would be, but for its help only, where hostile modules lie."""
    bootstrap.ensure(RUN_LOCK, tmp_path / "env", {})
    for module in ("venv", "pip", "ensurepip", "argparse"):
        (tmp_path / f"{module}.py").write_text("open('owned', 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    calls = [call for call in recorder.calls if "-m" in call]
    assert [call[call.index("-m") + 1] for call in calls] == ["venv", "pip", "pip"]
    for call in calls:
        words = call[1 : call.index("-m") + 2]
        subprocess.run([sys.executable, *words, "--help"], check=True, capture_output=True)
    assert not (tmp_path / "owned").exists()


def test_ensurepip_is_installed_where_it_is_missing(
    bootstrap: ModuleType,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 1000)
    recorder.failing = "install"
    bootstrap.ensure_venv_module({})
    package = f"python3.{sys.version_info[1]}-venv"
    assert [call[0] for call in recorder.calls] == ["sudo", "sudo", "sudo"]
    assert [call[4] for call in recorder.calls] == ["install", "update", "install"]
    assert recorder.calls[-1][-1] == package
    assert f"installing {package}" in capsys.readouterr().err


@pytest.mark.parametrize("there", [[], ["apt-get"]], ids=["no-apt", "no-sudo"])
def test_where_ensurepip_cannot_be_installed(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, there: list[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: name if name in there else None)
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 1000)
    with pytest.raises(bootstrap.BootstrapError, match="next: "):
        bootstrap.ensure_venv_module({})


def test_a_missing_lock(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    argv = [sys.executable, str(SCRIPT), "--requirements", str(tmp_path / "gone.txt")]
    done = subprocess.run(argv, check=False, env={**os.environ, "PYTHONWARNINGS": "error"})
    captured = capfd.readouterr()
    assert done.returncode == 3
    assert "could not read" in captured.err
    assert captured.out == ""


def test_a_failing_program_is_named_with_its_last_lines(bootstrap: ModuleType) -> None:
    code = "import sys; sys.exit('no such thing')"
    with pytest.raises(bootstrap.BootstrapError) as caught:
        bootstrap.run([sys.executable, "-c", code], os.environ)
    assert "ended with status 1\nfound: no such thing" in str(caught.value)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_locks_hold_hashes_and_name_no_index_or_path(lock: Path) -> None:
    text = lock.read_text()
    pins = re.findall(r"^[a-z0-9][^ \n]*==", text, re.MULTILINE)
    assert pins
    assert "://" not in text
    assert not re.search(r"(?<![\w'])/\w+/", text)
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)


def test_every_lock_has_the_same_uv() -> None:
    versions = {re.findall(r"^uv==(\S+)", lock.read_text(), re.MULTILINE)[0] for lock in LOCKS}
    assert len(versions) == 1
