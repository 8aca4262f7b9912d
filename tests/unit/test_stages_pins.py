"""What a native environment is given: the target's releases, or a reason why it cannot be."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.errors import CommandError
from aarch64_wheels.native.backend import NotNative
from aarch64_wheels.stages.requirements import explained
from tests.unit.backend_samples import HOOK
from tests.unit.fake_session import FakeSession
from tests.unit.stage_samples import fails, says

if TYPE_CHECKING:
    from pathlib import Path


from tests.unit.environment_samples import (
    NATIVELY,
    PINS,
    RESOLVE,
    SCAN,
    broken_session,
    fresh_session,
    prepare_accelerated,
)

NO_WHEEL = "error: No solution\n  cause: Because odd==1 has no usable wheels and you require odd==1"
NOT_BUILT = "error: Failed to build `odd==1`\n" + "  it says much\n" * 50 + "hint: Build failures"
NOT_FETCHED = "error: Failed to fetch: https://index.example/odd/"


def test_the_releases_are_those_that_the_target_would_be_given(tmp_path: Path) -> None:
    """Where the newest release has no native wheel, an older one must not take its place."""
    session = fresh_session()
    prepare_accelerated(tmp_path, session, build_requires=("odd>=0",))
    (resolve,) = [command for command in session.commands if str(command).startswith(RESOLVE)]
    options = dict(itertools.pairwise(resolve.argv))
    assert options["--python-platform"] == "aarch64-manylinux_2_28"
    assert options["--python-version"] == "3.13.5"
    assert not {"--only-binary", "--no-build"} & set(resolve.argv)


def test_what_is_installed_already_is_preferred(tmp_path: Path) -> None:
    seen: list[bytes] = []

    def resolve(session: FakeSession) -> str:
        seen.append(session.files[PINS])
        return ""

    session = broken_session(RESOLVE, resolve, ("setuptools>=40",))
    session.effects = {**session.effects, "uv pip freeze": says("setuptools==69.0\n")}
    prepare_accelerated(tmp_path, session, build_requires=("setuptools<70",))
    assert seen == [b"", b"setuptools==69.0\n"]


def test_what_is_pure_python_may_be_built_for_a_native_interpreter(tmp_path: Path) -> None:
    session = broken_session(f"{NATIVELY} --only-binary", fails(1, NO_WHEEL))
    prepared = prepare_accelerated(tmp_path, session, build_requires=("odd",))
    (built,) = [command for command in session.commands if str(command) == f"{NATIVELY} -- odd==1"]
    assert built.env["CC"] == built.env["CXX"] == "no-x86-64-compiler"
    assert prepared.outcome.is_native


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "no-wheel": (
        {NATIVELY: fails(1, NO_WHEEL)},
        f"a build requirement has no x86-64 wheel: {NO_WHEEL.partition('cause: ')[2]}",
    ),
    "not-built": (
        {
            f"{NATIVELY} --only-binary": fails(1, NO_WHEEL),
            NATIVELY: fails(1, "error: Failed to build `odd==1`\nhint: Build failures"),
        },
        "a build requirement has no x86-64 wheel: Failed to build `odd==1`",
    ),
    "not-asked": (
        {RESOLVE: fails(1, "error: Failed to build `odd==1`\n  no compiler")},
        "a build requirement cannot be asked natively: Failed to build `odd==1`",
    ),
    "for-another-machine": (
        {SCAN: says('{"wheels": [], "foreign": "/x.so", "conflict": ""}')},
        "a build requirement is for another machine: /x.so",
    ),
    "overlay": (
        {SCAN: says('{"wheels": [], "foreign": "", "conflict": "liba.so is both"}')},
        "liba.so is both",
    ),
    "hook": (
        {HOOK: fails(1, "ImportError: _fast")},
        "it failed natively: ImportError: _fast",
    ),
    "hook-with-the-status-of-a-missing-program": (
        {HOOK: fails(127, "bye")},
        "it failed natively: bye",
    ),
}


@pytest.mark.parametrize(("effects", "reason"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_cannot_be_done_natively(tmp_path: Path, effects: dict[str, Any], reason: str) -> None:
    """The pipeline tries again, in another container."""
    session = fresh_session()
    session.effects = {**effects, **{k: v for k, v in session.effects.items() if k not in effects}}
    with pytest.raises(NotNative) as caught:
        prepare_accelerated(tmp_path, session, build_requires=("odd",))
    assert caught.value.reason == reason
    assert not any(event.startswith("rm") for event in session.events)


TROUBLES = {
    "resolver": (RESOLVE, "error: No solution found\n  cause: Because there is no version of odd"),
    "no-wheel-for-the-target": (RESOLVE, NO_WHEEL),
    "index": (RESOLVE, NOT_FETCHED),
    "download": (NATIVELY, NOT_FETCHED),
}


@pytest.mark.parametrize(("step", "tail"), TROUBLES.values(), ids=TROUBLES.keys())
def test_what_would_fail_for_any_interpreter_is_told_at_once(
    tmp_path: Path, step: str, tail: str
) -> None:
    session = broken_session(step, fails(2, tail))
    with pytest.raises(CommandError) as caught:
        prepare_accelerated(tmp_path, session, build_requires=("odd",))
    assert caught.value.tail == tail
    assert sum(event.startswith(step) for event in session.events) == 1


def test_what_failed_is_named_however_much_is_said_after_it(tmp_path: Path) -> None:
    class Talking(FakeSession):
        def run(self, argv: Any, **options: Any) -> None:
            if f"{' '.join(map(str, argv))}".startswith(f"{NATIVELY} -- "):
                for line in NOT_BUILT.splitlines():
                    options["sink"](line)
            super().run(argv, **options)

    effects = {
        f"{NATIVELY} --only-binary": fails(1, NO_WHEEL),
        NATIVELY: fails(1, "\n".join(NOT_BUILT.splitlines()[-30:])),
    }
    session = Talking(effects={**effects, **fresh_session().effects})
    with pytest.raises(NotNative) as caught:
        prepare_accelerated(tmp_path, session, build_requires=("odd",))
    assert caught.value.reason.endswith("wheel: Failed to build `odd==1`")


def test_what_uv_said_is_told_once_and_without_its_login() -> None:
    line = "error: Failed to fetch: https://u:S3CRET@index.example/odd/"
    early = "  cause: https://u:S3CRET@index.example/ has no odd"
    found = explained(CommandError(("uv", "pip"), 2, f"Resolving\n{line}"), [early, line]).found
    assert found.splitlines() == [
        "  cause: https://index.example/ has no odd",
        "Resolving",
        "error: Failed to fetch: https://index.example/odd/",
    ]
