"""`--resume`: what of an earlier run is still good, and records that somebody else has made."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.hashing import sha256_of
from aarch64_wheels.report.model import Basis, TargetRecord
from aarch64_wheels.resume import (
    basis_of,
    content_digest,
    files_digest,
    source_digest,
    still_good,
)
from aarch64_wheels.settings.schema import BuildOptions, Compiler, Mode
from aarch64_wheels.source import Metadata, Source, SourceKind
from aarch64_wheels.stages.job import Given
from aarch64_wheels.wheelhouse import LOGS, RECORDS, Wheelhouse
from tests.unit.report_samples import BAD, DEBIAN, FAILED_TARGET, GOOD, OK_TARGET, WHEEL, plan
from tests.unit.report_samples import target as make_target

if TYPE_CHECKING:
    from pathlib import Path

BASIS = Basis(source="1", settings="2", image="3")


@pytest.fixture
def wheelhouse(tmp_path: Path) -> Wheelhouse:
    (tmp_path / "out").mkdir()
    made = Wheelhouse(tmp_path / "out")
    made.prepare()
    return made


def _built(wheelhouse: Wheelhouse, content: bytes = b"wheel") -> TargetRecord:
    """A finished target whose wheel is there."""
    path = wheelhouse.directory / WHEEL
    path.write_bytes(content)
    assert OK_TARGET.wheel is not None
    wheel = replace(OK_TARGET.wheel, sha256=sha256_of(path))
    return replace(OK_TARGET, wheel=wheel, basis=BASIS)


def _records(wheelhouse: Wheelhouse, *lines: object) -> None:
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    (wheelhouse.directory / LOGS / RECORDS).write_text(text)


def test_what_is_recorded_is_still_good(wheelhouse: Wheelhouse) -> None:
    record = _built(wheelhouse)
    assert wheelhouse.record(record) == ""
    assert wheelhouse.record(replace(FAILED_TARGET, basis=BASIS)) == ""
    later = Wheelhouse(wheelhouse.directory)
    later.prepare()
    later.begin(resume=True)
    found, reasons = still_good(later, {GOOD: BASIS, BAD: BASIS})
    assert found == {GOOD: replace(record, resumed=True)}
    assert reasons == []


def test_a_run_that_resumes_nothing_forgets_the_records(wheelhouse: Wheelhouse) -> None:
    wheelhouse.record(_built(wheelhouse))
    wheelhouse.begin()
    assert still_good(wheelhouse, {GOOD: BASIS}) == ({}, [])


def test_the_last_word_counts(wheelhouse: Wheelhouse) -> None:
    wheelhouse.record(_built(wheelhouse))
    wheelhouse.record(replace(FAILED_TARGET, identifier=GOOD, basis=BASIS))
    assert still_good(wheelhouse, {GOOD: BASIS}) == ({}, [])


CHANGED = {
    "source": (replace(BASIS, source="x"), "the source has changed"),
    "settings": (replace(BASIS, settings="x"), "its settings have changed"),
    "image": (replace(BASIS, image="x"), "the image has changed"),
    "two": (
        replace(BASIS, source="x", image="x"),
        "the source has changed and the image has changed",
    ),
}


@pytest.mark.parametrize(("basis", "why"), CHANGED.values(), ids=CHANGED.keys())
def test_what_has_changed_is_built_again(wheelhouse: Wheelhouse, basis: Basis, why: str) -> None:
    wheelhouse.record(_built(wheelhouse))
    assert still_good(wheelhouse, {GOOD: basis}) == ({}, [f"{GOOD} is built again: {why}"])


def test_a_wheel_without_a_basis_is_built_again(wheelhouse: Wheelhouse) -> None:
    wheelhouse.record(replace(_built(wheelhouse), basis=None))
    _, (reason,) = still_good(wheelhouse, {GOOD: BASIS})
    assert reason.endswith("nothing says what it was made from")


def test_a_wheel_that_is_another_or_gone_is_built_again(wheelhouse: Wheelhouse) -> None:
    wheelhouse.record(_built(wheelhouse))
    (wheelhouse.directory / WHEEL).write_bytes(b"other")
    assert still_good(wheelhouse, {GOOD: BASIS})[1][0].endswith("is not what it was")
    (wheelhouse.directory / WHEEL).unlink()
    assert still_good(wheelhouse, {GOOD: BASIS})[1][0].endswith("is gone")
    (wheelhouse.directory / WHEEL).mkdir()
    assert still_good(wheelhouse, {GOOD: BASIS})[1][0].endswith("is gone")


@pytest.mark.parametrize(
    "name", ["../secret.whl", "/etc/passwd", "..", ".", "", "logs/../secret.whl", "link.whl"]
)
def test_a_record_that_leads_out_of_the_directory(wheelhouse: Wheelhouse, name: str) -> None:
    secret = wheelhouse.directory.parent / "secret.whl"
    secret.write_bytes(b"secret")
    (wheelhouse.directory / "link.whl").symlink_to(secret)
    record = _built(wheelhouse)
    assert record.wheel is not None
    wheel = replace(record.wheel, filename=name, sha256=sha256_of(secret))
    wheelhouse.record(replace(record, wheel=wheel))
    found, reasons = still_good(wheelhouse, {GOOD: BASIS})
    assert (found, len(reasons)) == ({}, 1)
    assert wheelhouse.shared(make_target("cp313", "3.13")) is None


def test_odd_lines_are_passed_over(wheelhouse: Wheelhouse) -> None:
    record = _built(wheelhouse)
    row = json.loads(record.to_json())
    odd = ["{", [], 1, {**row, "identifier": ["x"]}, {**row, "wheel": {**row["wheel"], "size": []}}]
    _records(wheelhouse, *odd, row, '{"cut short')
    assert list(still_good(wheelhouse, {GOOD: BASIS})[0]) == [GOOD]


def test_bytes_that_are_no_text_are_passed_over(wheelhouse: Wheelhouse) -> None:
    line = _built(wheelhouse).to_json().encode()
    (wheelhouse.directory / LOGS / RECORDS).write_bytes(b"\xff\xfe\n" + line + b"\n")
    assert list(still_good(wheelhouse, {GOOD: BASIS})[0]) == [GOOD]


def test_a_resumed_record_names_its_own_log(wheelhouse: Wheelhouse) -> None:
    wheelhouse.record(replace(_built(wheelhouse), log="../../elsewhere.log"))
    assert still_good(wheelhouse, {GOOD: BASIS})[0][GOOD].log == f"logs/{GOOD}.log"


def test_records_behind_a_link_are_neither_read_nor_written(wheelhouse: Wheelhouse) -> None:
    record, victim = _built(wheelhouse), wheelhouse.directory.parent / "victim"
    victim.write_text(record.to_json() + "\n")
    (wheelhouse.directory / LOGS / RECORDS).symlink_to(victim)
    assert wheelhouse.earlier() == {}
    assert f"{RECORDS} is not whole" in wheelhouse.record(record)
    assert victim.read_text() == record.to_json() + "\n"


def test_a_pipe_in_the_place_of_records_is_not_waited_for(wheelhouse: Wheelhouse) -> None:
    os.mkfifo(wheelhouse.directory / LOGS / RECORDS)
    assert wheelhouse.earlier() == {}
    assert f"{RECORDS} is not whole" in wheelhouse.record(OK_TARGET)


def test_a_wheel_of_an_earlier_run_serves_other_targets(wheelhouse: Wheelhouse) -> None:
    record = _built(wheelhouse)
    assert record.wheel is not None
    stable = "spring-1.0-cp39-abi3-manylinux_2_17_aarch64.whl"
    (wheelhouse.directory / WHEEL).rename(wheelhouse.directory / stable)
    wheel = replace(record.wheel, filename=stable)
    wheelhouse.record(replace(record, wheel=wheel))
    later = Wheelhouse(wheelhouse.directory)
    assert later.shared(make_target("cp314", "3.14")) is None
    still_good(later, {GOOD: BASIS})
    assert later.shared(make_target("cp314", "3.14")) == wheel


def _basis(given: Given | None = None, plan_fields: Any = None, **options: Any) -> Basis:
    sample = replace(plan(), **(plan_fields or {}))
    first = sample.targets[0]
    target = replace(first, options=replace(first.options, **options))
    return basis_of(sample, target, given or Given(), "source", "image")


def test_the_same_is_the_same() -> None:
    assert _basis() == _basis()
    assert (_basis().source, _basis().image) == ("source", "image")


OTHERS: dict[str, dict[str, Any]] = {
    "option": {"before_build": "step"},
    "test-command": {"test_command": "pytest"},
    "constraints": {"given": Given(constraints="a==1\n")},
    "passed-variable": {"given": Given(passed={"CI": "1"})},
    "mode": {"plan_fields": {"mode": Mode.ACCELERATED}},
    "compiler": {"plan_fields": {"compiler": Compiler.AUTO}},
    "requirements": {"plan_fields": {"build_requires": ("wheel",)}},
    "strip": {"plan_fields": {"strip": True}},
    "time": {"plan_fields": {"source_date_epoch": 1}},
    "test-image": {"plan_fields": {"test_image": replace(DEBIAN, reference="clean:1")}},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS.keys())
def test_the_settings_that_a_wheel_depends_on(changes: dict[str, Any]) -> None:
    assert _basis(**changes).settings != _basis().settings


def test_what_the_host_passes_is_not_written_down() -> None:
    assert "hush" not in repr(_basis(Given(passed={"KEY": "hush"})))


def test_options_have_no_field_that_cannot_be_hashed() -> None:
    whole = BuildOptions(config_settings=(("a", ("b", "c")),), test_extras=("x",))
    sample = plan()
    target = replace(sample.targets[0], options=whole)
    assert basis_of(sample, target, Given(), "", "") != _basis()


def _project(root: Path) -> Source:
    return Source(kind=SourceKind.DIRECTORY, origin="x", root=root, sha256="", metadata=Metadata())


def test_wheels_are_those_of_the_same_package_commits_and_way(tmp_path: Path) -> None:
    """Two packages of one repository, a wheel that was not built from the sdist, another tag."""
    source = replace(_project(tmp_path / "root"), package=PurePosixPath("p1"))
    for name in ("root", "git"):
        (tmp_path / name).mkdir()
    changed = [
        source,
        replace(source, package=PurePosixPath("p2")),
        replace(source, git_data=tmp_path / "git"),
    ]
    files = [files_digest(row, ()) for row in changed]
    (tmp_path / "git/HEAD").write_text("ref: refs/heads/other")
    files.append(files_digest(changed[2], ()))
    digests = {source_digest(row, by_sdist=False) for row in files}
    digests.add(source_digest(files[0], by_sdist=True))
    assert len(digests) == 5
    assert all(re.fullmatch("[0-9a-f]{64}", row) for row in (*files, *digests))


def test_all_clones_of_a_commit_have_one_content(tmp_path: Path) -> None:
    """With a branch more, as a package of it, and with another file."""
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    first, second = tmp_path / "first", tmp_path / "second"
    (first / "sub").mkdir(parents=True)
    (first / "a.c").write_text("int x;")
    for words in (("init", "-q"), ("add", "."), (*who, "commit", "-q", "-m", "one")):
        subprocess.run(["git", "-C", first, *words], check=True)
    (first / "sub").rmdir()
    subprocess.run(["git", "clone", "-q", first, second], check=True)
    subprocess.run(["git", "-C", second, "branch", "another"], check=True)
    # A submodule's data may lie in it.
    (second / "sub/.git").mkdir(parents=True)
    (first / "sub").mkdir()
    one, other = _project(first), _project(second)
    found = content_digest(one, ())
    assert re.fullmatch("[0-9a-f]{64}", found)
    assert found == content_digest(other, ()) == content_digest(one, [first / "b.c"])
    assert files_digest(one, ()) != files_digest(other, ())
    assert found != content_digest(replace(one, package=PurePosixPath("sub")), ())
    (second / "a.c").write_text("int y;")
    assert found != content_digest(other, ())


def test_a_link_in_git_s_place_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.c").write_text("int x;")
    (tmp_path / ".git").symlink_to("src")
    found = content_digest(_project(tmp_path), ())
    (tmp_path / "src/a.c").write_text("int y;")
    assert content_digest(_project(tmp_path), ()) != found


def test_the_digest_of_an_sdist_is_the_file_s(tmp_path: Path) -> None:
    sdist = Source(
        kind=SourceKind.SDIST,
        origin="small-1.0.tar.gz",
        root=tmp_path / "not there",
        sha256="5" * 64,
        metadata=Metadata(),
    )
    assert files_digest(sdist, ()) == content_digest(sdist, ()) == "5" * 64


def test_the_digest_of_a_directory_is_the_same_elsewhere(tmp_path: Path) -> None:
    def digest(name: str, text: str) -> str:
        place = tmp_path / name
        place.mkdir()
        (place / "a.c").write_text(text)
        return files_digest(_project(place), ())

    assert digest("one", "int x;") == digest("another", "int x;") != digest("third", "int y;")
