"""Is this machine fit, and what is said if not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels import doctor
from aarch64_wheels.disk import Need
from aarch64_wheels.doctor import (
    Check,
    disk_check,
    emulation_check,
    make_fit,
    missing_packages,
    network_check,
    print_checks,
    python_check,
    run_doctor,
)
from aarch64_wheels.emulation.probe import ProbeResult
from aarch64_wheels.engine import daemon
from aarch64_wheels.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

NOWHERE = {"DOCKER_HOST": "unix:///no/such/engine.sock"}


def nothing(_name: str) -> None:
    """`shutil.which` on a machine with no programs."""


# Checks.


@pytest.mark.parametrize(
    ("version", "ok"), [((3, 10, 14), False), ((3, 11, 0), True), ((3, 15, 0), True)]
)
def test_python(version: tuple[int, ...], ok: bool) -> None:  # noqa: FBT001
    assert python_check(version).ok is ok


@pytest.mark.parametrize(("needed", "ok"), [(1, True), (1 << 60, False)])
def test_disk(tmp_path: Path, needed: int, ok: bool) -> None:  # noqa: FBT001
    check = disk_check(Need(name="cache", path=tmp_path, needed=needed, hint="free some"))
    assert (check.name, check.ok, check.required) == ("disk (cache)", ok, True)
    assert str(tmp_path) in check.found
    assert check.hint == ("" if ok else "free some")
    assert ok or "1073741824.0 GiB needed" in check.found


def test_emulation_is_not_asked_for_on_arm64() -> None:
    check = emulation_check(None, "aarch64")  # type: ignore[arg-type]
    assert check.ok


def test_emulation_that_fails_gives_reason_and_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    result = ProbeResult(ok=False, reason="registered without F")
    monkeypatch.setattr(doctor, "probe_engine", lambda _engine: result)
    check = emulation_check(None, "x86_64")  # type: ignore[arg-type]
    assert (check.ok, check.found) == (False, "registered without F")
    assert "doctor --fix" in check.hint


def test_a_bridge_whose_address_changes_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "changing_bridge", lambda _engine: "docker0")
    check = network_check(None)  # type: ignore[arg-type]
    assert (check.ok, check.required) == (False, False)
    assert "docker0" in check.found
    assert "doctor --fix" in check.hint


def test_a_lasting_bridge_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "changing_bridge", lambda _engine: None)
    assert network_check(None).ok  # type: ignore[arg-type]


def test_missing_tools(tmp_path: Path) -> None:
    keyring = tmp_path / "keyring.gpg"
    everything = ("mmdebstrap", "apt", "dpkg", "debian-archive-keyring")
    assert missing_packages(nothing, [keyring]) == everything
    keyring.touch()
    assert missing_packages(lambda name: name, [keyring]) == ()


# The command.


def run(
    tmp_path: Path, *, fix: bool = False, as_json: bool = False, embedded: bool = False
) -> ExitCode:
    return run_doctor(
        fix=fix,
        as_json=as_json,
        cache_dir=tmp_path / "cache",
        output_dir=tmp_path / "out",
        environ=NOWHERE,
        embedded=embedded,
    )


ROWS = {
    "embedded": (True, {"disk (cache)", "disk (output)", "tools for --image debian"}),
    "another image": (False, {"disk (output)"}),
}


@pytest.mark.parametrize(("embedded", "expected"), ROWS.values(), ids=ROWS.keys())
def test_what_is_looked_at(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    embedded: bool,  # noqa: FBT001
    expected: set[str],
) -> None:
    run(tmp_path, as_json=True, embedded=embedded)
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert {check["name"] for check in checks} == {"python", "engine", "emulation", *expected}
    assert all(check["required"] for check in checks)


@pytest.mark.parametrize(("embedded", "expected"), [(True, [("mmdebstrap",)]), (False, [])])
def test_tools_are_installed_for_the_embedded_image_only(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    embedded: bool,  # noqa: FBT001
    expected: list[tuple[str, ...]],
) -> None:
    installed: list[tuple[str, ...]] = []
    monkeypatch.setattr(doctor, "provide_engine", lambda *_arguments: "engine")
    mended: list[object] = []
    monkeypatch.setattr(doctor, "make_bridge_last", lambda engine, _sink: mended.append(engine))
    monkeypatch.setattr(doctor, "ensure_emulation", lambda *_arguments, **_options: None)
    monkeypatch.setattr(doctor, "missing_packages", lambda: ("mmdebstrap",))
    monkeypatch.setattr(doctor, "apt_install", lambda names, _sink: installed.append(names))
    make_fit({}, tmp_path, print, embedded=embedded)
    assert (installed, mended) == (expected, ["engine"])


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


def test_the_table_shows_state_and_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    checks = (
        Check(name="a", ok=True, found="fine"),
        Check(name="b", ok=False, found="[bold]none", hint="do it"),
        Check(name="c", ok=False, found="little", required=False),
    )
    print_checks(checks, {}, as_json=False)
    table = capsys.readouterr().out
    assert all(word in table for word in ("missing", "warning", "[bold]none", "do it"))


@pytest.mark.parametrize("environ", [{}, {"COLUMNS": "40"}], ids=["a pipe", "narrow"])
def test_the_table_cuts_nothing(
    capsys: pytest.CaptureFixture[str], environ: dict[str, str]
) -> None:
    hint = "aarch64-wheels-" * 8
    print_checks([Check(name="a", ok=False, found="", hint=hint)], environ, as_json=False)
    shown = capsys.readouterr().out
    assert shown.count("-") == hint.count("-")
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    assert environ or hint in shown
