"""Is there room where a build needs it, and can the output directory be written?"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aarch64_wheels.disk import (
    GIB,
    MIB,
    check_disk,
    check_output_dir,
    check_space,
    free_bytes,
    shown,
    space_needs,
)
from aarch64_wheels.errors import ExitCode, UnfitError

STORAGE, CACHE, OUTPUT = Path("/storage"), Path("/cache"), Path("/output")


def engine(storage: Path | None) -> Any:
    return SimpleNamespace(name="podman", storage=storage)


NEEDS = {
    "embedded": (
        engine(STORAGE),
        True,
        {STORAGE: 3 * GIB, CACHE: 3 * GIB, OUTPUT: 200 * MIB},
    ),
    "another image": (engine(STORAGE), False, {STORAGE: 2 * GIB, OUTPUT: 200 * MIB}),
    "storage unseen": (engine(None), False, {OUTPUT: 200 * MIB}),
    "no engine": (None, True, {CACHE: 3 * GIB, OUTPUT: 200 * MIB}),
}


@pytest.mark.parametrize(("where", "embedded", "expected"), NEEDS.values(), ids=NEEDS.keys())
def test_what_is_needed_where(
    where: Any,
    embedded: bool,  # noqa: FBT001
    expected: dict[Path, int],
) -> None:
    needs = space_needs(where, output_dir=OUTPUT, cache_dir=CACHE, embedded=embedded)
    assert {need.path: need.needed for need in needs} == expected


@pytest.mark.parametrize(
    ("full", "hint"),
    [(STORAGE, "podman system prune"), (CACHE, "--cache-dir"), (OUTPUT, "--output-dir")],
    ids=str,
)
def test_each_place_has_its_own_error(
    monkeypatch: pytest.MonkeyPatch, full: Path, hint: str
) -> None:
    monkeypatch.setattr(
        "aarch64_wheels.disk.free_bytes", lambda path: MIB if path == full else 100 * GIB
    )
    with pytest.raises(UnfitError, match=f"too little disk space at {full}") as caught:
        check_space(engine(STORAGE), output_dir=OUTPUT, cache_dir=CACHE, embedded=True)
    assert hint in caught.value.hint
    assert caught.value.found.startswith("1 MiB free, ")


def test_disk_is_measured_where_the_directory_will_be(tmp_path: Path) -> None:
    free = free_bytes(tmp_path / "not/yet/there")
    assert free == pytest.approx(shutil.disk_usage(tmp_path).free, abs=GIB)
    assert not (tmp_path / "not").exists()


def test_too_little_space_is_an_error_with_figures(tmp_path: Path) -> None:
    check_disk(tmp_path, 1)
    with pytest.raises(UnfitError, match=r"\d [GM]iB free, 1073741824.0 GiB needed"):
        check_disk(tmp_path, 1 << 60)


def test_below_a_directory_that_cannot_be_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.stat

    def stat(path: Any, **options: Any) -> os.stat_result:  # for root may enter everything
        if str(path).startswith(f"{tmp_path}/closed/"):
            raise PermissionError(13, "Permission denied", path)
        return real(path, **options)

    (tmp_path / "closed").mkdir()
    monkeypatch.setattr(os, "stat", stat)
    assert free_bytes(tmp_path / "closed/dir") > 0


def test_a_disk_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stale(_path: Path) -> None:
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr(shutil, "disk_usage", stale)
    with pytest.raises(UnfitError, match="Stale file handle"):
        free_bytes(tmp_path)


@pytest.mark.parametrize(("count", "text"), [(200 * MIB, "200 MiB"), (3 * GIB, "3.0 GiB")])
def test_bytes_for_people(count: int, text: str) -> None:
    assert shown(count) == text


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
