"""What the report of a build says of the files: complete, and unchanged since the audit."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.built import check_reports, find_reports
from aarch64_wheels.publish.distributions import Distribution, find_distributions
from aarch64_wheels.report.writer import FILE_NAME
from tests.standins.samples import make_wheel
from tests.unit.publish_samples import make_aarch64, make_sdist, write_built

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def wheels(tmp_path: Path) -> list[Path]:
    return [make_aarch64(tmp_path, number) for number in (312, 313)]


def _found(*folders: Path, allow_partial: bool = False) -> list[str]:
    files = find_distributions(folders)
    return [str(one) for one in check_reports(files, folders, allow_partial=allow_partial)]


def _change(folder: Path, **changes: Any) -> None:
    path = folder / FILE_NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def _change_target(folder: Path, **changes: Any) -> None:
    targets = json.loads((folder / FILE_NAME).read_text())["targets"]
    _change(folder, targets=[{**targets[0], **changes}, *targets[1:]])


def test_wheels_without_a_report_need_consent(tmp_path: Path, wheels: list[Path]) -> None:
    assert len(wheels) == 2
    make_wheel(tmp_path)
    (found,) = _found(tmp_path)
    assert "there is no report.json" in found
    assert "the aarch64 wheels (2)" in found
    assert "bring report.json along with the wheels" in found
    assert "--allow-partial" in found
    assert _found(tmp_path, allow_partial=True) == []


@pytest.mark.parametrize("with_report", [True, False])
def test_what_builds_do_not_make_needs_no_report(tmp_path: Path, *, with_report: bool) -> None:
    make_sdist(tmp_path)
    make_wheel(tmp_path)
    make_wheel(tmp_path, tags="cp313-cp313-manylinux2014_x86_64")
    if with_report:
        write_built(tmp_path, make_aarch64(tmp_path))
    assert _found(tmp_path) == []


UNKNOWN = "no report has it as built and audited"


@pytest.mark.parametrize("allow_partial", [False, True])
def test_a_wheel_that_no_build_made(
    tmp_path: Path, wheels: list[Path], *, allow_partial: bool
) -> None:
    """An earlier build of other targets may have left it."""
    write_built(tmp_path, *wheels)
    stale = make_aarch64(tmp_path, 313, platform="musllinux_1_2_aarch64")
    (found,) = _found(tmp_path, allow_partial=allow_partial)
    assert found.startswith(f"{stale.name}: {UNKNOWN}")
    assert "take it away" in found


def test_builds_know_each_their_wheels(tmp_path: Path, wheels: list[Path]) -> None:
    """Those of a matrix of jobs are published together, each report beside its wheels."""
    write_built(tmp_path, *wheels)
    (other := tmp_path / "other").mkdir()
    more = [make_aarch64(other, number) for number in (310, 311)]
    write_built(other, *more)
    assert _found(tmp_path, other) == []
    write_built(other, more[0])
    assert [one.split(": ")[0] for one in _found(tmp_path, other)] == [more[1].name]


def test_what_one_build_failed_to_make_another_may_have_made(
    tmp_path: Path, wheels: list[Path]
) -> None:
    write_built(tmp_path, *wheels)
    _change_target(tmp_path, status="failed")
    write_built(tmp_path / "other", wheels[0])
    assert _found(tmp_path, tmp_path / "other", allow_partial=True) == []


def test_failed_targets_and_files_left_out_need_consent(tmp_path: Path, wheels: list[Path]) -> None:
    write_built(tmp_path, *wheels, failed=["cp39-manylinux_aarch64", "cp310-manylinux_aarch64"])
    wheels[1].unlink()
    found = _found(tmp_path)
    assert len(found) == 3
    assert found[0].startswith(f"{wheels[1].name}: it was built, and is not among the files")
    assert found[1].startswith("the target cp39-manylinux_aarch64 has no wheel")
    assert all("--allow-partial" in one for one in found)
    assert _found(tmp_path, allow_partial=True) == []


@pytest.mark.parametrize("allow_partial", [False, True])
def test_a_wheel_changed_since_the_audit(
    tmp_path: Path, wheels: list[Path], *, allow_partial: bool
) -> None:
    write_built(tmp_path, *wheels)
    make_aarch64(tmp_path, 313, "changed")
    expected = f"{wheels[1].name}: it is not the file that was built and audited"
    assert _found(tmp_path, allow_partial=allow_partial) == [expected]


def test_a_failed_target_has_no_wheel_whatever_stands_there(
    tmp_path: Path, wheels: list[Path]
) -> None:
    """An earlier build may have left it there: it does not go out, whatever is allowed."""
    write_built(tmp_path, *wheels)
    _change_target(tmp_path, status="failed")
    failed, old = _found(tmp_path)
    assert failed.startswith("the target cp312")
    assert old.startswith(f"{wheels[0].name}: {UNKNOWN}")
    assert _found(tmp_path, allow_partial=True) == [old]


OTHERS = {
    "project": {"project": "other"},
    "version": {"version": "1.1"},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS.keys())
def test_the_report_of_another_release(
    tmp_path: Path, wheels: list[Path], changes: dict[str, str]
) -> None:
    write_built(tmp_path, *wheels)
    _change(tmp_path, **changes)
    (found,) = _found(tmp_path, allow_partial=True)
    assert found.startswith(f"{tmp_path / FILE_NAME} is of ")
    assert "--output-dir" in found


@pytest.mark.parametrize(
    "changes",
    [{"project": "DEMO", "version": "1.0.0"}, {"project": "", "version": ""}, {"version": "${v}"}],
    ids=["spelling", "unknown", "no-version"],
)
def test_the_same_release_in_other_words(
    tmp_path: Path, wheels: list[Path], changes: dict[str, str]
) -> None:
    """Only the backend may know the version; the report's is that of the plan."""
    write_built(tmp_path, *wheels)
    _change(tmp_path, **changes)
    assert _found(tmp_path) == []
    make_aarch64(tmp_path, 312, "changed")
    assert len(_found(tmp_path)) == 1


def test_one_wheel_for_several_targets(tmp_path: Path, wheels: list[Path]) -> None:
    write_built(tmp_path, wheels[0], wheels[0])
    wheels[1].unlink()
    assert _found(tmp_path) == []


FORGED = {
    "empty": "",
    "no-json": "{",
    "no-object": "[]",
    "text": '"targets"',
    "null": "null",
    "nested": "[" * 200_000,
    "binary": "\udcff\udcfe",
    "no-schema": '{"project": "demo", "version": "1.0", "targets": [1]}',
}


@pytest.mark.parametrize("text", FORGED.values(), ids=FORGED.keys())
def test_what_is_no_report_stops_all(tmp_path: Path, text: str) -> None:
    make_sdist(tmp_path)
    (tmp_path / FILE_NAME).write_text(text, errors="surrogateescape")
    with pytest.raises(PublishError, match="is no report of a build"):
        _found(tmp_path)


CHANGES: dict[str, dict[str, Any]] = {
    "newer-schema": {"schema": 2},
    "no-targets": {"targets": []},
    "targets-as-text": {"targets": "ok"},
    "targets-as-object": {"targets": {"a": 1}},
    "target-as-text": {"targets": ["ok"]},
    "target-as-null": {"targets": [None]},
    "project-as-list": {"project": ["demo"]},
    "version-as-number": {"version": 1.0},
    "empty-target": {"targets": [{}]},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES.keys())
def test_a_report_of_another_shape_stops_all(
    tmp_path: Path, wheels: list[Path], changes: dict[str, Any]
) -> None:
    """What cannot be read must not count as a set that is complete."""
    write_built(tmp_path, *wheels)
    _change(tmp_path, **changes)
    with pytest.raises(PublishError, match="is no report of a build"):
        _found(tmp_path)


TARGETS: dict[str, dict[str, Any]] = {
    "wheel-as-text": {"wheel": "demo.whl"},
    "wheel-as-list": {"wheel": []},
    "no-hash": {"wheel": {"filename": "demo.whl"}},
    "hash-as-list": {"wheel": {"filename": "demo.whl", "sha256": []}},
    "name-as-list": {"wheel": {"filename": ["demo.whl"], "sha256": ""}},
    "status-as-number": {"status": 0},
    "identifier-as-null": {"identifier": None},
}


@pytest.mark.parametrize("changes", TARGETS.values(), ids=TARGETS.keys())
def test_a_target_of_another_shape_stops_all(
    tmp_path: Path, wheels: list[Path], changes: dict[str, Any]
) -> None:
    write_built(tmp_path, *wheels)
    _change_target(tmp_path, **changes)
    with pytest.raises(PublishError, match="is no report of a build"):
        _found(tmp_path)


def test_a_reports_words_are_inert(tmp_path: Path, wheels: list[Path]) -> None:
    write_built(tmp_path, *wheels)
    _change_target(tmp_path, identifier="x\n::error::y\x1b[2J", status="failed")
    found = _found(tmp_path)[0]
    assert found.startswith("the target x ::error::y has no wheel")
    assert found.isprintable()


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "directory"])
def test_what_is_no_file_is_no_report(tmp_path: Path, kind: str) -> None:
    """A source may bring an output directory; nothing waits for a pipe that nobody writes to."""
    make_sdist(tmp_path)
    path = tmp_path / FILE_NAME
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        target = write_built(tmp_path / "target", make_aarch64(tmp_path, 311))
        path.symlink_to(target if kind == "link" else tmp_path / "nowhere")
    with pytest.raises(PublishError, match="is no report of a build") as caught:
        _found(tmp_path)
    assert caught.value.found == "ValueError: it is a link, or no file"


def test_a_report_of_unreasonable_size_is_not_read_whole(
    tmp_path: Path, wheels: list[Path]
) -> None:
    path = write_built(tmp_path, *wheels)
    path.write_text(" " * (1 << 24) + path.read_text())
    with pytest.raises(PublishError, match="is no report of a build"):
        _found(tmp_path)


def test_files_of_another_place_are_compared_too(tmp_path: Path, wheels: list[Path]) -> None:
    write_built(tmp_path, *wheels)
    (tmp_path / "moved").mkdir()
    files = [Distribution.read(path.rename(tmp_path / "moved" / path.name)) for path in wheels]
    assert list(check_reports(files, [tmp_path], allow_partial=False)) == []


def test_reports_are_found_beside_the_files_too(tmp_path: Path, wheels: list[Path]) -> None:
    write_built(tmp_path, *wheels)
    files = find_distributions([tmp_path])
    assert find_reports(files, tmp_path / "wheelhouse", pytest.fail) == [tmp_path]
    assert find_reports(files, tmp_path, pytest.fail) == [tmp_path]
    write_built(tmp_path / "wheelhouse", *wheels)
    assert find_reports(files, tmp_path / "wheelhouse", pytest.fail) == [
        tmp_path / "wheelhouse",
        tmp_path,
    ]


def test_another_tools_report_beside_the_files_is_left_alone(
    tmp_path: Path, wheels: list[Path]
) -> None:
    """In the output directory it would be ours, and broken."""
    assert wheels
    (tmp_path / FILE_NAME).write_text('{"tests": 12}')
    files, notes = find_distributions([tmp_path]), list[str]()
    assert find_reports(files, tmp_path / "wheelhouse", notes.append) == []
    assert len(notes) == 1
    assert f"{tmp_path / FILE_NAME} is no report of a build, and is not compared" in notes[0]
    with pytest.raises(PublishError, match="is no report of a build"):
        find_reports(files, tmp_path, notes.append)
