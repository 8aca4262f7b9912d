from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aarch64_wheels.audit import AuditResult, Finding, Level, render_audit, run_audit
from tests.unit.audit_samples import EXTENSION, GOOD_NAME, X86_64, elf, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

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
