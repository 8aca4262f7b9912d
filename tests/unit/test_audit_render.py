from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.audit import AuditResult, Finding, Level, render_audit, run_audit
from aarch64_wheels.errors import UsageError
from tests.unit.audit_samples import EXTENSION, GOOD_NAME, X86_64, elf, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

RESULT = AuditResult(
    filename="a-1-cp313-cp313-linux_aarch64.whl",
    tags=("cp313-cp313-linux_aarch64",),
    policy="manylinux_2_17_aarch64",
    findings=(
        Finding(check="suffix", level=Level.ERROR, message="wrong \x1b[31m", evidence="a\nb"),
        Finding(check="content", level=Level.WARNING, message="nothing"),
    ),
)


def test_text_tells_verdict_policy_and_findings() -> None:
    assert render_audit([RESULT], as_json=False) == (
        "a-1-cp313-cp313-linux_aarch64.whl: FAILED, meets manylinux_2_17_aarch64\n"
        "  error [suffix] wrong \\x1b[31m (a\\nb)\n"
        "  warning [content] nothing\n"
    )


def test_json_holds_every_field() -> None:
    data = json.loads(render_audit([RESULT], as_json=True))
    assert data["schema"] == 1
    (wheel,) = data["wheels"]
    assert wheel["ok"] is False
    assert wheel["policy"] == "manylinux_2_17_aarch64"
    assert wheel["findings"][1] == {
        "check": "content",
        "level": "warning",
        "message": "nothing",
        "evidence": "",
    }


def test_status_is_0_only_when_every_wheel_is_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = write_wheel(tmp_path)
    (tmp_path / "bad").mkdir()
    bad = write_wheel(tmp_path / "bad", files={EXTENSION: elf(machine=X86_64)})
    assert run_audit([good], None, as_json=False) == 0
    assert capsys.readouterr().out == f"{GOOD_NAME}: ok, meets manylinux_2_17_aarch64\n"
    assert run_audit([good, bad], None, as_json=False) == 1
    assert "FAILED" in capsys.readouterr().out


BROKEN = "slow-1.0-cp313-cp313-manylinux2014_aarch64.whl"


@pytest.mark.usefixtures("_judged")
@pytest.mark.parametrize("name", [BROKEN, "notes.txt"])
def test_one_file_that_is_no_wheel_hides_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / name).write_bytes(b"PK?")
    paths = [tmp_path / name, write_wheel(tmp_path)]
    assert run_audit(paths, None, as_json=False) == 1
    first, finding, last = capsys.readouterr().out.splitlines()
    assert first == f"{name}: FAILED"
    assert finding.startswith(f"  error [archive] {name} is not ")
    assert last == f"{GOOD_NAME}: ok, meets manylinux_2_17_aarch64"


@pytest.mark.usefixtures("_judged")
def test_in_json_it_is_a_result_like_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / BROKEN).mkdir()
    assert run_audit([write_wheel(tmp_path), tmp_path / BROKEN], None, as_json=True) == 1
    good, bad = json.loads(capsys.readouterr().out)["wheels"]
    assert (good["filename"], good["ok"]) == (GOOD_NAME, True)
    assert (bad["filename"], bad["ok"], bad["tags"]) == (BROKEN, False, [])
    assert bad["findings"][0]["evidence"] == "Is a directory"


def test_when_none_is_a_wheel_the_usage_was_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (BROKEN, "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    assert run_audit([tmp_path / BROKEN, tmp_path / "notes.txt"], None, as_json=False) == 2
    assert capsys.readouterr().out.count("FAILED") == 2


def test_a_path_that_does_not_exist_is_told_before_anything_is_audited(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match=r"there is no such wheel: .*gone\.whl\n"):
        run_audit([write_wheel(tmp_path), tmp_path / "gone.whl"], None, as_json=False)
    assert capsys.readouterr().out == ""


def test_a_wrong_plat_is_told_before_anything_is_audited(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="is not a platform tag"):
        run_audit([write_wheel(tmp_path)], "manylinux2014", as_json=False)
    assert capsys.readouterr().out == ""
