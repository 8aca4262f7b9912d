"""Is this machine fit, and what is said if not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels import doctor, host
from aarch64_wheels.doctor import (
    Check,
    check_disk,
    check_output_dir,
    disk_check,
    emulation_check,
    missing_packages,
    print_checks,
    python_check,
    run_doctor,
)
from aarch64_wheels.emulation.probe import ProbeResult
from aarch64_wheels.engine import daemon
from aarch64_wheels.errors import CommandError, ExitCode, UnfitError
from aarch64_wheels.host import apt_has, apt_install, as_root, call
from aarch64_wheels.settings.schema import EngineName

if TYPE_CHECKING:
    from collections.abc import Sequence

NOWHERE = {"DOCKER_HOST": "unix:///no/such/engine.sock"}


def nothing(_name: str) -> None:
    """`shutil.which` on a machine with no programs."""


# Host processes.


def test_call_gives_lines_and_passes_input_and_environment() -> None:
    lines: list[str] = []
    call(
        ["sh", "-c", r'cat; echo "$X"; printf "1\r2\n"; echo err >&2'],
        sink=lines.append,
        env={"X": "y"},
        stdin=b"in\n",
    )
    assert lines == ["in", "y", "2", "err"]


def test_a_failed_call_tells_status_and_tail() -> None:
    with pytest.raises(CommandError) as caught:
        call(["sh", "-c", "echo why; exit 4"], sink=print)
    assert (caught.value.status, caught.value.tail) == (4, "why")


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(CommandError) as caught:
        call(["no-such-program-here"], sink=print)
    assert caught.value.status == 127


def test_root_needs_no_sudo() -> None:
    assert as_root(["mount", "x"], euid=0, which=nothing) == ["mount", "x"]


def test_a_user_takes_sudo_that_never_asks() -> None:
    assert as_root(["mount"], euid=7, which=lambda name: f"/bin/{name}") == ["sudo", "-n", "mount"]


def test_a_user_without_sudo_is_told_what_to_run() -> None:
    with pytest.raises(UnfitError, match="run as root: mount x"):
        as_root(["mount", "x"], euid=7, which=nothing)


def test_other_distributions_are_told_the_packages() -> None:
    with pytest.raises(UnfitError, match="qemu-user-static"):
        apt_install(["qemu-user-static"], print, which=nothing)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The host commands that would have run."""
    ran: list[list[str]] = []
    monkeypatch.setattr(host, "call", lambda argv, **_options: ran.append(list(argv)))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return ran


def test_apt_updates_once_and_says_what_it_installs(calls: list[list[str]]) -> None:
    said: list[str] = []
    apt_install(["a", "b"], said.append, which=lambda name: name)
    assert said == ["installing with apt: a b"]
    assert [argv[2:4] for argv in calls] == [["apt-get", "update"], ["apt-get", "install"]]
    assert {"--no-install-recommends", "-y", "a", "b"} <= set(calls[1])
    assert all("DEBIAN_FRONTEND=noninteractive" in argv for argv in calls)


def test_a_package_that_apt_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(argv: Sequence[str], **_options: Any) -> None:
        raise CommandError(tuple(argv), 100, "E: Unable to locate package")

    monkeypatch.setattr(host, "call", fail)
    assert not apt_has(["nope"])
    with pytest.raises(UnfitError, match="Unable to locate package"):
        apt_install(["nope"], print, which=lambda name: name)


# Checks.


@pytest.mark.parametrize(
    ("version", "ok"), [((3, 10, 14), False), ((3, 11, 0), True), ((3, 15, 0), True)]
)
def test_python(version: tuple[int, ...], ok: bool) -> None:  # noqa: FBT001
    assert python_check(version).ok is ok


def test_disk_is_measured_where_the_directory_will_be(tmp_path: Path) -> None:
    place = tmp_path / "not/yet/there"
    assert disk_check(place, needed=1).ok
    full = disk_check(place, needed=1 << 60)
    assert not full.ok
    assert not full.required
    assert "GiB" in full.hint
    assert not (tmp_path / "not").exists()


def test_too_little_space_is_an_error_with_figures(tmp_path: Path) -> None:
    check_disk(tmp_path, 1)
    with pytest.raises(UnfitError, match=r"\d GiB free, 1073741824.0 GiB needed"):
        check_disk(tmp_path, 1 << 60)


def test_emulation_is_not_asked_for_on_arm64() -> None:
    check = emulation_check(None, "aarch64")  # type: ignore[arg-type]
    assert check.ok


def test_emulation_that_fails_gives_reason_and_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    result = ProbeResult(ok=False, reason="registered without F")
    monkeypatch.setattr(doctor, "probe_engine", lambda _engine: result)
    check = emulation_check(None, "x86_64")  # type: ignore[arg-type]
    assert (check.ok, check.found) == (False, "registered without F")
    assert "doctor --fix" in check.hint


def test_missing_tools(tmp_path: Path) -> None:
    keyring = tmp_path / "keyring.gpg"
    everything = ("mmdebstrap", "apt", "dpkg", "debian-archive-keyring")
    assert missing_packages(nothing, [keyring]) == everything
    keyring.touch()
    assert missing_packages(lambda name: name, [keyring]) == ()


# The output directory.


def test_an_output_directory_is_made(tmp_path: Path) -> None:
    check_output_dir(tmp_path / "new/dir")
    assert list((tmp_path / "new/dir").iterdir()) == []
    check_output_dir(tmp_path / "new/dir")


@pytest.mark.parametrize("below", ["", "/dir"])
def test_an_output_directory_that_is_a_file(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnfitError, match="cannot write to the output directory") as caught:
        check_output_dir(Path(f"{tmp_path}/file{below}"))
    assert "irectory" in caught.value.found
    assert caught.value.exit_code is ExitCode.UNFIT


def test_an_output_directory_that_cannot_be_written() -> None:
    with pytest.raises(UnfitError, match="--output-dir"):
        check_output_dir(Path("/proc/wheelhouse"))


# The command.


def run(tmp_path: Path, *, fix: bool = False, as_json: bool = False) -> ExitCode:
    return run_doctor(
        fix=fix, as_json=as_json, cache_dir=tmp_path, output_dir=tmp_path, environ=NOWHERE
    )


def test_no_engine_is_unfit_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, as_json=True) is ExitCode.UNFIT
    data = json.loads(capsys.readouterr().out)
    checks = {check["name"]: check for check in data["checks"]}
    assert data["fit"] is False
    assert checks["python"]["ok"] is True
    assert checks["engine"]["found"].endswith("(DOCKER_HOST): missing")


def test_no_engine_where_the_user_named_one_installs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "apt_install", lambda *_args: pytest.fail("installs"))
    assert run(tmp_path, fix=True, as_json=True) is ExitCode.UNFIT
    captured = capsys.readouterr()
    json.loads(captured.out)
    assert "no container engine answers" in captured.err


def test_a_socket_without_permission_is_not_a_case_for_installing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_name: EngineName, _environ: Any) -> None:
        raise UnfitError("no engine", found="/run/x: permission denied")

    monkeypatch.setattr(daemon, "connect", refuse)
    monkeypatch.setattr(daemon, "apt_install", lambda *_args: pytest.fail("installs"))
    with pytest.raises(UnfitError, match="group `docker`"):
        daemon.provide_engine(EngineName.AUTO, {}, tmp_path, print)


class Machine:
    """A machine without an engine: it answers `after` so many questions."""

    def __init__(self, after: int) -> None:
        self.questions = 0
        self.after = after

    def connect(self, _name: EngineName, _environ: Any) -> str:
        self.questions += 1
        if self.questions <= self.after:
            raise UnfitError("no engine", found="missing")
        return "engine"


def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, machine: Machine, script: str) -> str:
    """Run `provide_engine` where `dockerd` is this shell script; return the steps it told."""
    said: list[str] = []
    monkeypatch.setattr(daemon, "connect", machine.connect)
    monkeypatch.setattr(daemon, "SYSTEMD", tmp_path / "no-systemd")
    monkeypatch.setattr(daemon, "PATIENCE", 1)
    monkeypatch.setattr(daemon, "as_root", lambda _argv: ["sh", "-c", script])
    monkeypatch.setattr(daemon, "shutil", SimpleNamespace(which=nothing))
    monkeypatch.setattr(daemon, "apt_install", lambda names, _sink: said.append(str(names)))
    daemon.provide_engine(EngineName.AUTO, {}, tmp_path / "cache", said.append)
    return "\n".join(said)


def test_an_engine_is_installed_started_and_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine = Machine(after=2)
    said = start(monkeypatch, tmp_path, machine, "exit 0")
    assert said.startswith("['docker.io']\nstarting dockerd, its log is ")
    assert machine.questions == 3


def test_an_engine_that_does_not_start_shows_its_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(UnfitError, match="no iptables") as caught:
        start(monkeypatch, tmp_path, Machine(after=1000), "echo no iptables; exit 1")
    assert caught.value.hint == f"see {tmp_path}/cache/dockerd.log"


def test_a_running_engine_is_not_touched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert start(monkeypatch, tmp_path, Machine(after=0), "exit 1") == ""
    assert not (tmp_path / "cache").exists()


def test_the_table_shows_state_and_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    checks = (
        Check(name="a", ok=True, found="fine"),
        Check(name="b", ok=False, found="[bold]none", hint="do it"),
        Check(name="c", ok=False, found="little", required=False),
    )
    print_checks(checks, as_json=False)
    table = capsys.readouterr().out
    assert all(word in table for word in ("missing", "warning", "[bold]none", "do it"))
