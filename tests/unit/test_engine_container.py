"""What comes out of a container: read as far as it is wanted, and nothing is left open."""

from __future__ import annotations

from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.engine import container
from aarch64_wheels.engine.archive import pack_bytes
from aarch64_wheels.engine.container import ContainerSession
from aarch64_wheels.engine.spec import ContainerSpec
from aarch64_wheels.errors import CommandError, StageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = PurePosixPath("/aarch64-wheels/calls")


def _session(content: bytes, closed: list[bool]) -> ContainerSession:
    """A session of an engine that answers in small pieces, and sees when it may stop."""

    def pieces() -> Iterator[bytes]:
        try:
            for start in range(0, len(content), 512):
                yield content[start : start + 512]
        finally:
            closed.append(True)

    api = SimpleNamespace(get_archive=lambda _name, _path: (pieces(), {}))
    registry: Any = SimpleNamespace(closed=False)
    return ContainerSession(SimpleNamespace(api=api), "image", ContainerSpec(), registry)


def _long_file() -> bytes:
    return pack_bytes(FILE, b"x" * 100_000, 0o644)


def test_of_a_long_file_the_rest_is_left() -> None:
    closed: list[bool] = []
    assert _session(_long_file(), closed).read(FILE, 10) == b"x" * 10
    assert closed == [True]


def test_a_file_that_is_too_large_is_left(tmp_path: Path) -> None:
    closed: list[bool] = []
    with pytest.raises(StageError, match="is too large"):
        _session(_long_file(), closed).copy_file(FILE, tmp_path / "calls", 10)
    assert closed == [True]


def test_a_file_is_copied(tmp_path: Path) -> None:
    closed: list[bool] = []
    _session(_long_file(), closed).copy_file(FILE, tmp_path / "calls", 100_000)
    assert (tmp_path / "calls").stat().st_size == 100_000
    assert closed == [True]


def test_what_is_no_archive_is_an_error() -> None:
    with pytest.raises(StageError, match="cannot read what /aarch64-wheels/calls holds"):
        _session(b"nothing of the kind" * 100, []).read(FILE, 10)


PATH = "/aarch64-wheels/compilers:/native/bin:/usr/bin"


@pytest.mark.parametrize(
    ("program", "path", "words"),
    [
        ("uv", PATH, "crashed (SIGSEGV)"),
        ("auditwheel", "/native/bin:/usr/bin", "crashed (SIGSEGV)"),
        ("/native/python/cp313/bin/python3", PATH, "crashed (SIGSEGV)"),
        ("sh", PATH, "crashed under emulation (SIGSEGV)"),
        ("/aarch64-wheels/environment/bin/uv", PATH, "crashed under emulation (SIGSEGV)"),
        ("uv", "/usr/bin:/native/bin", "crashed under emulation (SIGSEGV)"),
        ("uv", "", "crashed under emulation (SIGSEGV)"),
    ],
)
def test_the_crash_of_a_native_tool_is_not_put_down_to_qemu(
    monkeypatch: pytest.MonkeyPatch, program: str, path: str, words: str
) -> None:
    monkeypatch.setattr(container, "execute", lambda *_arguments, **_options: 139)
    spec = ContainerSpec(environment={"PATH": path} if path else {}, emulated=True)
    registry: Any = SimpleNamespace(closed=False)
    session = ContainerSession(SimpleNamespace(), "image", spec, registry)
    with pytest.raises(CommandError) as caught:
        session.run([program], sink=print)
    assert caught.value.what == f"`{program}` {words}"
    assert bool(caught.value.hint) is caught.value.emulated


def test_without_qemu_nothing_is_emulated() -> None:
    assert not ContainerSpec(environment={"PATH": PATH}).emulates("sh")
