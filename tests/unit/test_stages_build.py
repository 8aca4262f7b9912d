"""Stages 2 and 3: how the wheel is made and repaired, and which wheels are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from aarch64_wheels.errors import CommandError, StageError, is_crash
from aarch64_wheels.native.backend import BackendOutcome, NotNative
from aarch64_wheels.native.places import CALLS, PROJECT
from aarch64_wheels.settings.schema import Backend, Mode
from aarch64_wheels.stages.build import build_wheel
from aarch64_wheels.stages.hooks import Prepared
from aarch64_wheels.stages.job import BUILT, REPAIRED
from aarch64_wheels.stages.listing import only_wheel
from aarch64_wheels.stages.repair import repair_wheel
from tests.unit.audit_samples import X86_64, elf, write_wheel
from tests.unit.backend_samples import HOOK, backend, facts
from tests.unit.fake_session import FakeSession
from tests.unit.report_samples import DEBIAN
from tests.unit.stage_samples import UNREPAIRED, fails, leaves, make_job, says

PURE = "fast-1.0-py3-none-any.whl"
NATIVE, EMULATED = BackendOutcome(backend="native"), BackendOutcome(backend="emulated")


def _build(
    tmp_path: Path,
    session: FakeSession,
    outcome: BackendOutcome,
    lines: list[str] | None = None,
) -> PurePosixPath:
    job = make_job(tmp_path, lines, mode=Mode.ACCELERATED, backend=Backend.AUTO)
    prepared = Prepared(outcome=outcome, facts=facts(), variables={"PATH": "/env/bin"})
    return build_wheel(session, job, prepared)


def _native_wheel(tmp_path: Path, files: dict[str, bytes] | None = None) -> dict[Any, bytes]:
    return {BUILT / UNREPAIRED: write_wheel(tmp_path, UNREPAIRED, files).read_bytes()}


@pytest.mark.parametrize("outcome", [NATIVE, EMULATED], ids=["native", "emulated"])
def test_the_hook_builds_in_the_project(tmp_path: Path, outcome: BackendOutcome) -> None:
    lines: list[str] = []
    session = FakeSession(
        effects={HOOK: backend(UNREPAIRED, said="one\ntwo\n")}, files=_native_wheel(tmp_path)
    )
    built = _build(tmp_path, session, outcome, lines)
    assert built == BUILT / UNREPAIRED
    (hook,) = session.commands
    assert hook.argv[3:5] == ("build_wheel", f'[["{BUILT}"], null]')
    assert (hook.cwd, hook.streamed, lines) == (PROJECT, True, ["one", "two"])
    assert hook.env == {"PATH": "/env/bin"}


def test_each_call_has_a_word_of_its_own(tmp_path: Path) -> None:
    """What a backend prints cannot pass for its answer."""
    lines: list[str] = []
    said = '["looks like it"]\n0123456789abcdef"other.whl"\n'
    session = FakeSession(effects={HOOK: backend(UNREPAIRED, said=said)})
    for _ in range(2):
        _build(tmp_path, session, EMULATED, lines)
    tokens = {command.argv[2] for command in session.commands}
    assert len(tokens) == 2
    assert all(len(token) == 32 for token in tokens)
    assert lines == said.splitlines() * 2


@pytest.mark.parametrize("outcome", [NATIVE, EMULATED], ids=["native", "emulated"])
def test_a_compile_error_is_final(tmp_path: Path, outcome: BackendOutcome) -> None:
    calls = b"native\tcc\t1\t9\t-\t0000\t/p\ta.o\ta.c\n"
    effects = {HOOK: fails(1, "fatal error: fast.h\n1 error generated.")}
    session = FakeSession(effects=effects, files={CALLS: calls})
    with pytest.raises(CommandError, match="build_wheel of the build backend` ended") as caught:
        _build(tmp_path, session, outcome)
    assert "fatal error: fast.h" in str(caught.value)
    assert not isinstance(caught.value, NotNative)
    assert len(session.commands) == 1


def test_a_crash_under_emulation_is_called_so(tmp_path: Path) -> None:
    session = FakeSession(effects={HOOK: fails(139, "loading", emulated=True)})
    with pytest.raises(CommandError, match=r"crashed under emulation \(SIGSEGV\)") as caught:
        _build(tmp_path, session, EMULATED)
    assert is_crash(caught.value)


_FOREIGN = "fast.cpython-313-aarch64-linux-gnu.so is of machine X86_64"
NOT_AARCH64 = {"fast.cpython-313-aarch64-linux-gnu.so": elf(machine=X86_64)}
REFUSALS: dict[str, tuple[Any, dict[str, bytes] | None, str]] = {
    "crash": (fails(139, "", emulated=True), None, "it crashed natively (SIGSEGV)"),
    "import": (fails(1, "ImportError: _fast"), None, "it failed natively: ImportError: _fast"),
    "wheel": (
        backend(UNREPAIRED),
        NOT_AARCH64,
        f"the wheel made natively is not the target's: {_FOREIGN}",
    ),
}


@pytest.mark.parametrize(("hook", "files", "reason"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_cannot_be_done_natively(
    tmp_path: Path, hook: Any, files: dict[str, bytes] | None, reason: str
) -> None:
    """The pipeline tries again, in another container."""
    session = FakeSession(effects={HOOK: hook}, files=_native_wheel(tmp_path, files))
    with pytest.raises(NotNative) as caught:
        _build(tmp_path, session, NATIVE)
    assert caught.value.reason == reason
    assert len(session.commands) == 1


def test_what_lies_beside_the_wheel_does_not_matter(tmp_path: Path) -> None:
    class Littered(FakeSession):
        def copy_out(self, source: Any, directory: Path) -> list[Path]:
            raise StageError(f"a directory in {source}, for {directory}")

    session = Littered(effects={HOOK: backend(UNREPAIRED)}, files=_native_wheel(tmp_path))
    assert _build(tmp_path, session, NATIVE) == BUILT / UNREPAIRED


def test_a_failure_without_a_record_of_calls(tmp_path: Path) -> None:
    """With `--compiler gcc` there is none."""
    with pytest.raises(NotNative, match="natively") as caught:
        _build(tmp_path, FakeSession(effects={HOOK: fails(1, "KeyError")}), NATIVE)
    assert caught.value.reason == "it failed natively: KeyError"


def test_of_a_long_record_its_end_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = b"native\tcc\t1\t9\t-\t0\t/p\ta.o\ta.c\n", b"native\tcc\t0\t9\t-\t0\t/p\ta.o\n"
    monkeypatch.setattr("aarch64_wheels.stages.hooks.MAX_BYTES", len(good))
    end = (b"a.c\n" + bad).decode()
    effects = {HOOK: fails(1, "1 error generated."), f"tail -c 1048576 {CALLS}": says(end)}
    with pytest.raises(CommandError) as caught:
        _build(tmp_path, FakeSession(effects=effects, files={CALLS: good + bad}), NATIVE)
    assert not isinstance(caught.value, NotNative)


@pytest.mark.parametrize("outcome", [NATIVE, EMULATED], ids=["native", "emulated"])
def test_a_pure_wheel(tmp_path: Path, outcome: BackendOutcome) -> None:
    session = FakeSession(effects={HOOK: backend(PURE)})
    assert _build(tmp_path, session, outcome) == BUILT / PURE


def test_a_wheel_without_the_code_that_failed_natively(tmp_path: Path) -> None:
    """Compiled code may be optional; under emulation it may compile."""
    failed = b"native\tcc\t1\t9\t-\t0\t/p\ta.o\ta.c\n"
    session = FakeSession(effects={HOOK: backend(PURE)}, files={CALLS: failed})
    with pytest.raises(NotNative, match="natively") as caught:
        _build(tmp_path, session, NATIVE)
    assert PURE in caught.value.reason


NAMES = {
    "empty": "",
    "another-kind": "fast.tar.gz",
    "elsewhere": "../out.whl",
    "nul": "fast\0.whl",
    "new-line": "fast\n.whl",
    "lone-surrogate": "fast\ud800.whl",
    "too-long": f"{'x' * 252}.whl",
}


@pytest.mark.parametrize("outcome", [NATIVE, EMULATED], ids=["native", "emulated"])
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_an_answer_that_names_no_wheel(tmp_path: Path, name: str, outcome: BackendOutcome) -> None:
    session = FakeSession(effects={HOOK: backend(name)})
    with pytest.raises(StageError, match="made no wheel"):
        _build(tmp_path, session, outcome)


def test_a_hook_that_ends_the_process(tmp_path: Path) -> None:
    session = FakeSession(effects={HOOK: says("bye\n")})
    with pytest.raises(StageError, match="left build_wheel without an answer"):
        _build(tmp_path, session, EMULATED)


LISTINGS = {
    "none": ([], "found 0", "an empty directory"),
    "other-files": (["fast-1.0.tar.gz", ".gitignore"], "found 0", "fast-1.0.tar.gz, .gitignore"),
    "two": (["a.whl", "b.whl"], "found 2", "a.whl, b.whl"),
}


@pytest.mark.parametrize(("names", "what", "found"), LISTINGS.values(), ids=LISTINGS.keys())
def test_one_wheel_or_an_error(names: list[str], what: str, found: str) -> None:
    with pytest.raises(StageError, match=what) as caught:
        only_wheel([Path("/scratch") / name for name in names])
    assert caught.value.found == found


def test_other_files_beside_the_wheel_do_not_matter() -> None:
    files = [Path("/scratch/.gitignore"), Path("/scratch") / UNREPAIRED]
    assert only_wheel(files) == files[1]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param("manylinux_2_17_aarch64", ["--plat", "manylinux_2_17_aarch64"], id="listed"),
        pytest.param("", [], id="the-image-decides"),
    ],
)
def test_repair_is_to_the_images_policy(tmp_path: Path, policy: str, expected: list[str]) -> None:
    repaired = REPAIRED / "fast-1.0-cp313-cp313-manylinux_2_17_aarch64.whl"
    session = FakeSession(effects={"auditwheel repair": leaves(repaired, b"")})
    image = replace(DEBIAN, policy=policy)
    repair_wheel(session, make_job(tmp_path, image=image), BUILT / UNREPAIRED, "/bin")
    assert repaired in session.files
    assert session.commands[0].argv == (
        *("auditwheel", "repair", *expected),
        *("--wheel-dir", str(REPAIRED), str(BUILT / UNREPAIRED)),
    )


def test_a_wheel_that_cannot_be_repaired(tmp_path: Path) -> None:
    session = FakeSession(effects={"auditwheel": fails(1, "too-recent versioned symbols")})
    with pytest.raises(CommandError, match="too-recent versioned symbols"):
        repair_wheel(session, make_job(tmp_path), BUILT / UNREPAIRED, "/bin")


def test_the_usual_repair_sees_the_projects_variables(tmp_path: Path) -> None:
    """LD_LIBRARY_PATH says where `before-all` has put a library."""
    answer = "LD_LIBRARY_PATH=/opt/own/lib\0PATH=/own\0"
    repaired = REPAIRED / "fast-1.0-cp313-cp313-manylinux_2_17_aarch64.whl"
    session = FakeSession(
        effects={"bash": says(answer), "auditwheel repair": leaves(repaired, b"")}
    )
    job = make_job(tmp_path)
    options = replace(job.target.options, environment="LD_LIBRARY_PATH=/opt/own/lib")
    job = replace(job, target=replace(job.target, options=options))
    repair_wheel(session, job, BUILT / UNREPAIRED, "/bin")
    assert session.commands[-1].env["LD_LIBRARY_PATH"] == "/opt/own/lib"


NEWER = "manylinux_2_28_aarch64"
CHOSEN: dict[str, tuple[str, str, str, list[str]]] = {
    "newer": (DEBIAN.policy, f"AUDITWHEEL_PLAT={NEWER}\0", NEWER, ["--plat", NEWER]),
    "any": (DEBIAN.policy, "AUDITWHEEL_PLAT=auto\0", "auto", ["--plat", "auto"]),
    "another-variable": (DEBIAN.policy, "A=1\0", DEBIAN.policy, ["--plat", DEBIAN.policy]),
    "nothing-known-of-the-image": ("", f"AUDITWHEEL_PLAT={NEWER}\0", "", []),
}


def _repaired_to(session: FakeSession, tmp_path: Path, policy: str, command: str = "") -> str:
    """Repair a wheel of a project that sets variables, in an image of this policy."""
    job = make_job(tmp_path, image=replace(DEBIAN, policy=policy))
    options = replace(job.target.options, environment="A=1", repair_wheel_command=command)
    job = replace(job, target=replace(job.target, options=options))
    return repair_wheel(session, job, BUILT / UNREPAIRED, "/bin")


@pytest.mark.parametrize(("image", "answer", "policy", "argv"), CHOSEN.values(), ids=CHOSEN.keys())
def test_the_projects_variables_choose_the_policy(
    tmp_path: Path, image: str, answer: str, policy: str, argv: list[str]
) -> None:
    """As auditwheel does it: a project may need symbols that older systems lack."""
    session = FakeSession(effects={"bash": says(answer)})
    assert _repaired_to(session, tmp_path, image) == policy
    assert session.commands[-1].argv[2:-3] == tuple(argv)


def test_an_own_repair_chooses_by_itself(tmp_path: Path) -> None:
    """What it makes must keep what it claims, and the image's policy is none of that."""
    session = FakeSession(effects={"bash": says(f"AUDITWHEEL_PLAT={NEWER}\0")})
    assert _repaired_to(session, tmp_path, DEBIAN.policy, "own {wheel}") == ""
    _, _, own = session.commands
    assert own.argv[:2] == ("sh", "-c")
    assert own.env["AUDITWHEEL_PLAT"] == NEWER


@pytest.mark.parametrize(("name", "policy"), [(UNREPAIRED, DEBIAN.policy), (PURE, "")])
def test_without_variables_the_policy_is_the_images(tmp_path: Path, name: str, policy: str) -> None:
    assert repair_wheel(FakeSession(), make_job(tmp_path), BUILT / name, "/bin") == policy
