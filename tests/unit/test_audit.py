from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aarch64_wheels.audit import AuditResult, Level, analysis, check
from aarch64_wheels.audit.check import audit_wheel
from aarch64_wheels.audit.platforms import Family
from aarch64_wheels.audit.policy import Judgement, judge
from aarch64_wheels.errors import UsageError
from tests.unit.audit_samples import (
    ARM,
    ET_EXEC,
    ET_REL,
    EXTENSION,
    GOOD_NAME,
    X86_64,
    elf,
    write_wheel,
)

PLAT = "manylinux2014_aarch64"
NEW = {"symbol-version"}
NEW_GLIBC = elf(versions={"libc.so.6": ("GLIBC_2.17", "GLIBC_2.34")})
MUSL = elf(needed=("libc.musl-aarch64.so.1",), versions={})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """For checks that do not need auditwheel: it takes a process and a third of a second."""
    verdict = Judgement(policy="manylinux_2_17_aarch64", error="")
    monkeypatch.setattr(check, "judge", lambda *_: verdict)


def errors(result: AuditResult) -> set[str]:
    return {finding.check for finding in result.findings if finding.level is Level.ERROR}


def test_a_good_wheel_has_no_findings(tmp_path: Path) -> None:
    result = audit_wheel(write_wheel(tmp_path), plat=PLAT)
    assert result.ok
    assert result.findings == ()
    assert result.policy == "manylinux_2_17_aarch64"
    assert result.filename == GOOD_NAME
    assert result.tags == (
        "cp313-cp313-manylinux2014_aarch64",
        "cp313-cp313-manylinux_2_17_aarch64",
    )


@pytest.mark.parametrize(
    ("tag", "content", "plat", "policy", "expected"),
    [
        pytest.param("manylinux2014", NEW_GLIBC, None, "manylinux_2_34", NEW, id="claims"),
        pytest.param("manylinux_2_34", NEW_GLIBC, None, "manylinux_2_34", set(), id="honest"),
        pytest.param(
            "manylinux_2_34", NEW_GLIBC, PLAT, "manylinux_2_34", {"tag", *NEW}, id="too-new"
        ),
        pytest.param("manylinux_2_28", elf(), None, "manylinux_2_17", set(), id="older-is-fine"),
        pytest.param("manylinux_2_28", elf(), PLAT, "manylinux_2_17", {"tag"}, id="tag-too-new"),
        pytest.param("linux", elf(), None, "manylinux_2_17", set(), id="unrepaired"),
        pytest.param("linux", elf(), PLAT, "manylinux_2_17", {"tag"}, id="unrepaired-for-plat"),
        pytest.param("musllinux_1_2", MUSL, None, "musllinux_1_2", set(), id="musl"),
        pytest.param("musllinux_1_1", MUSL, None, "musllinux_1_2", set(), id="older-musl"),
        pytest.param("musllinux_1_2", MUSL, PLAT, "musllinux_1_2", {"tag", "policy"}, id="other"),
        pytest.param("musllinux_1_2", elf(), None, "manylinux_2_17", {"libc"}, id="glibc-in-musl"),
        pytest.param("manylinux2014", MUSL, None, "musllinux_1_2", {"libc"}, id="musl-in-glibc"),
    ],
)
def test_policy(
    tmp_path: Path, tag: str, content: bytes, plat: str | None, policy: str, expected: set[str]
) -> None:
    name = f"fast-1.0-cp313-cp313-{tag}_aarch64.whl"
    result = audit_wheel(write_wheel(tmp_path, name, {"fast.so": content}), plat=plat)
    assert errors(result) == expected
    assert result.policy == f"{policy}_aarch64"
    assert result.ok is (not expected)


def test_a_library_from_outside_the_wheel_breaks_the_policy(tmp_path: Path) -> None:
    content = elf(needed=("libfoo.so.1", "libc.so.6"))
    result = audit_wheel(write_wheel(tmp_path, files={EXTENSION: content}))
    assert result.policy == "linux_aarch64"
    assert errors(result) == {"policy"}


BOTH = "fast-1.0-py3-none-manylinux2014_aarch64.musllinux_1_1_aarch64.whl"
STATIC = elf(kind=ET_EXEC, needed=(), versions={})


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"fast-1.0.data/scripts/fast": STATIC}, [], id="static-program"),
        pytest.param({"gnu.so": elf()}, [("libc", "error")], id="glibc"),
        pytest.param({"musl.so": MUSL}, [("libc", "error")], id="musl"),
        pytest.param({"gnu.so": elf(), "run": STATIC}, [("libc", "error")], id="glibc-and-static"),
        pytest.param(
            {"gnu.so": elf(), "musl.so": MUSL},
            [("libc", "warning"), ("libc", "warning")],
            id="one-for-each",
        ),
        pytest.param(
            {"gnu.so": NEW_GLIBC, "musl.so": MUSL},
            [("symbol-version", "error"), ("libc", "warning"), ("libc", "warning")],
            id="one-for-each-too-new",
        ),
    ],
)
def test_a_wheel_for_both_c_libraries_is_judged_for_each(
    tmp_path: Path, files: dict[str, bytes], expected: list[tuple[str, str]]
) -> None:
    result = audit_wheel(write_wheel(tmp_path, BOTH, files))
    assert [(finding.check, finding.level) for finding in result.findings] == expected


def test_each_c_librarys_policy_is_told(tmp_path: Path) -> None:
    result = audit_wheel(write_wheel(tmp_path, BOTH, {"run": STATIC}), plat=PLAT)
    assert result.ok
    assert result.policy == "manylinux_2_17_aarch64.musllinux_1_2_aarch64"


@pytest.mark.parametrize("tag", ["manylinux2014_x86_64", "linux_armv7l", "macosx_11_0_arm64"])
@pytest.mark.usefixtures("quick")
def test_another_platform_is_an_error(tmp_path: Path, tag: str) -> None:
    result = audit_wheel(write_wheel(tmp_path, f"fast-1.0-cp313-cp313-{tag}.whl"))
    assert "tag" in errors(result)


@pytest.mark.parametrize(
    ("extra", "level"),
    [
        pytest.param(elf(machine=X86_64), Level.ERROR, id="x86-64"),
        pytest.param(elf(machine=ARM), Level.ERROR, id="arm"),
        pytest.param(elf(machine=0x1234), Level.ERROR, id="unknown-machine"),
        pytest.param(elf(machine=X86_64, kind=ET_EXEC), Level.WARNING, id="program-as-data"),
        pytest.param(elf(machine=X86_64, kind=ET_REL), Level.WARNING, id="object-file"),
        pytest.param(elf()[:4] + b"\x02\x02" + elf()[6:], Level.ERROR, id="big-endian"),
        pytest.param(b"\x7fELF\x02\x01" + b"\xff" * 40, Level.ERROR, id="broken"),
        pytest.param(b"\x7fELF", Level.ERROR, id="only-magic"),
    ],
)
@pytest.mark.usefixtures("quick")
def test_machine(tmp_path: Path, extra: bytes, level: Level) -> None:
    files = {EXTENSION: elf(), "fast/libother.so.1": extra}
    result = audit_wheel(write_wheel(tmp_path, files=files))
    found = [finding for finding in result.findings if finding.check in {"machine", "elf"}]
    assert [finding.level for finding in found] == [level]
    assert "fast/libother.so.1" in found[0].message
    assert found[0].evidence


def test_an_x86_extension_names_its_machine(tmp_path: Path) -> None:
    result = audit_wheel(write_wheel(tmp_path, files={EXTENSION: elf(machine=X86_64)}), plat=PLAT)
    assert errors(result) == {"machine", "content"}
    machine = next(finding for finding in result.findings if finding.check == "machine")
    assert machine.evidence == "EM_X86_64, 64-bit, little-endian"


@pytest.mark.parametrize(
    ("name", "plat", "level"),
    [
        pytest.param("fast-1.0-py3-none-any.whl", None, Level.WARNING, id="any"),
        pytest.param("fast-1.0-py3-none-any.whl", PLAT, Level.ERROR, id="any-for-plat"),
        pytest.param(GOOD_NAME, None, Level.WARNING, id="tagged"),
        pytest.param(GOOD_NAME, PLAT, Level.ERROR, id="tagged-for-plat"),
    ],
)
@pytest.mark.usefixtures("quick")
def test_a_wheel_without_code(tmp_path: Path, name: str, plat: str | None, level: Level) -> None:
    wheel = write_wheel(tmp_path, name, {"fast.py": b"x = 1\n"})
    result = audit_wheel(wheel, plat=plat)
    found = [finding for finding in result.findings if finding.check == "content"]
    assert [finding.level for finding in found] == [level]
    assert result.policy == ""
    assert result.ok is (level is Level.WARNING)


@pytest.mark.usefixtures("quick")
def test_code_in_a_wheel_for_any_platform_is_an_error(tmp_path: Path) -> None:
    assert "tag" in errors(audit_wheel(write_wheel(tmp_path, "fast-1.0-py3-none-any.whl")))


@pytest.mark.parametrize(
    "name", ["fast.whl", "fast-1.0.tar.gz", "fast-1.0-cp313-cp313.whl", "fast-x!-py3-none-any.whl"]
)
def test_a_name_that_is_no_wheels(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"")
    with pytest.raises(UsageError, match="not the name of a wheel"):
        audit_wheel(path)


@pytest.mark.parametrize("keep", [0, 10, 200], ids=lambda keep: f"{keep}-bytes")
def test_a_truncated_wheel(tmp_path: Path, keep: int) -> None:
    path = write_wheel(tmp_path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UsageError, match="not a wheel, or it is damaged"):
        audit_wheel(path)


def test_a_missing_wheel(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="could not read"):
        audit_wheel(tmp_path / GOOD_NAME)


def test_a_zip_without_record_is_no_wheel(tmp_path: Path) -> None:
    path = tmp_path / GOOD_NAME
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(EXTENSION, elf())
    with pytest.raises(UsageError) as caught:
        audit_wheel(path)
    assert "0 files called *.dist-info/RECORD" in caught.value.found


def test_a_damaged_member(tmp_path: Path) -> None:
    path = write_wheel(tmp_path)
    data = bytearray(path.read_bytes())
    data[len(EXTENSION) + 40] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(UsageError, match="damaged"):
        audit_wheel(path)


@pytest.mark.parametrize("plat", ["manylinux2014_x86_64", "manylinux2014", "any", ""])
def test_plat_must_be_aarch64_linux(tmp_path: Path, plat: str) -> None:
    with pytest.raises(UsageError, match="is not a platform tag of aarch64 Linux"):
        audit_wheel(write_wheel(tmp_path), plat=plat)


def test_parallel_audits_leave_the_working_directory_alone(tmp_path: Path) -> None:
    before = Path.cwd()
    wheels = []
    for number in range(3):
        (tmp_path / str(number)).mkdir()
        wheels.append(write_wheel(tmp_path / str(number)))
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(audit_wheel, wheels))
    assert Path.cwd() == before
    assert all(result.ok for result in results)


def test_auditwheel_may_not_take_forever_nor_leave_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    found = judge(write_wheel(tmp_path), Family.MANYLINUX, timeout=0.01)
    assert found == Judgement(policy="", error="it did not end within 0.01 seconds")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_killed_auditwheel_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would unpack below the directory that it is given, and nowhere else."""

    def run(argv: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        assert Path(argv[-1]).parent == tmp_path / "scratch"
        (Path(argv[-1]) / "unpacked").mkdir()
        return subprocess.CompletedProcess(argv, -9, "", "")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(subprocess, "run", run)
    assert judge(tmp_path / GOOD_NAME, Family.MANYLINUX).error == "status -9"
    assert list((tmp_path / "scratch").iterdir()) == []


def test_auditwheel_unpacks_where_it_is_told(tmp_path: Path) -> None:
    argv = [sys.executable, "-P", str(analysis.__file__), str(write_wheel(tmp_path)), "glibc"]
    done = subprocess.run([*argv, str(tmp_path / "gone")], capture_output=True, check=True)
    reply = json.loads(done.stdout)
    assert reply["policy"] == ""
    assert f"{tmp_path}/gone/" in reply["error"]


def test_a_verdict_that_is_missing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "judge", lambda *_: Judgement(policy="", error="it did not end"))
    result = audit_wheel(write_wheel(tmp_path))
    assert [(found.check, found.evidence) for found in result.findings] == [
        ("policy", "it did not end")
    ]


def test_a_rewritten_wheel_is_read_anew(tmp_path: Path) -> None:
    assert audit_wheel(write_wheel(tmp_path)).ok
    write_wheel(tmp_path, files={EXTENSION: NEW_GLIBC})
    assert errors(audit_wheel(tmp_path / GOOD_NAME)) == NEW


def test_a_path_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(tmp_path)
    (tmp_path / "auditwheel.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    assert audit_wheel(Path(GOOD_NAME)).ok
