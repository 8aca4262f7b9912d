"""What `build` copies into a container, and where on this host it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import UnfitError, UsageError
from aarch64_wheels.native import places
from tests.unit.audit_samples import GOOD_NAME
from tests.unit.backend_samples import HOOK
from tests.unit.build_bench import Bench, make_bench, refuse_containers

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("_judged")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return make_bench(tmp_path, monkeypatch)


def test_what_this_program_writes_stays_out_of_the_container(bench: Bench) -> None:
    """As the cache, which a CI job keeps in the project, and the run's own temporary files."""
    bench.run(cache_dir=bench.output.parent / ".cache")
    copied = [copy for session in bench.engine.sessions for copy in session.copied]
    ((output, cache, scratch),) = [row[2] for row in copied if row[1] == places.PROJECT]
    assert (output, cache) == (bench.output.absolute(), bench.output.parent / ".cache")
    assert scratch.name.startswith("aarch64-wheels-")


def test_the_repository_around_a_package_is_copied(bench: Bench, tmp_path: Path) -> None:
    """Also with the output directory in it, or the package in the output directory."""
    (tmp_path / ".git").mkdir()
    place = tmp_path / "project"
    bench.run(output_dir=tmp_path / "out")
    bench.run(output_dir=place)
    copied = [copy for session in bench.engine.sessions for copy in session.copied]
    first, second = (copy for copy in copied if copy[1] == places.PROJECT)
    assert first[0] == second[0] == tmp_path
    assert (tmp_path / "out" in first[2], place in second[2]) == (True, False)
    hooks = [command for session in bench.engine.entered for command in session.commands]
    assert {command.cwd for command in hooks if str(command).startswith(HOOK)} == {
        places.PROJECT / "project"
    }


@pytest.mark.parametrize("sign", [".git", "CIBW_BUILD", ""])
def test_the_working_directory_is_copied_with_a_package_below_it(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sign: str
) -> None:
    """If that is a project's: it may be `/tmp`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / (sign if sign == ".git" else "other")).mkdir()
    bench.run(environ={sign: "cp*"} if sign.startswith("CIBW_") else {})
    copied = [copy[:2] for session in bench.engine.sessions for copy in session.copied]
    assert ((tmp_path, places.PROJECT) in copied) is (sign != "")
    said = " ".join(bench.listener.notes)
    assert (f"{tmp_path}, the working directory" in said) is sign.startswith("CIBW_")


def test_a_link_in_the_repository_around_a_package_is_refused(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "project").rename(tmp_path / "repo/python")
    (tmp_path / "victim").mkdir()
    (tmp_path / "repo/wheelhouse").symlink_to(tmp_path / "victim")
    refuse_containers(bench)
    with pytest.raises(UsageError, match="is a link inside the source"):
        bench.run(source=str(tmp_path / "repo/python"), output_dir=tmp_path / "repo/wheelhouse")


def test_an_output_directory_that_is_a_link_inside_the_source_is_refused(
    bench: Bench, tmp_path: Path
) -> None:
    """A source must not choose where on this host is written."""
    (tmp_path / "victim").mkdir()
    bench.output.symlink_to(tmp_path / "victim")
    refuse_containers(bench)
    with pytest.raises(UsageError, match="is a link inside the source") as caught:
        bench.run()
    assert str(tmp_path / "victim") in caught.value.found
    assert "--output-dir" in caught.value.hint
    assert list((tmp_path / "victim").iterdir()) == []


def test_a_link_above_the_output_directory_is_refused(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    bench.output.symlink_to(tmp_path / "victim")
    refuse_containers(bench)
    with pytest.raises(UsageError, match="is a link inside the source"):
        bench.run(output_dir=bench.output / "wheels")
    assert list((tmp_path / "victim").iterdir()) == []


def test_a_dangling_link_inside_the_source_is_refused(bench: Bench, tmp_path: Path) -> None:
    bench.output.symlink_to(tmp_path / "victim")
    refuse_containers(bench)
    with pytest.raises(UsageError, match="is a link inside the source"):
        bench.run()
    assert not (tmp_path / "victim").exists()


def test_logs_that_the_source_has_linked_elsewhere_are_refused(
    bench: Bench, tmp_path: Path
) -> None:
    (tmp_path / "victim").mkdir()
    bench.output.mkdir()
    (bench.output / "logs").symlink_to(tmp_path / "victim")
    refuse_containers(bench)
    with pytest.raises(UnfitError, match="cannot prepare the output directory"):
        bench.run()
    assert list((tmp_path / "victim").iterdir()) == []


def test_a_users_own_link_outside_of_the_source_is_followed(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "mine").symlink_to(tmp_path / "disk")
    assert bench.run(output_dir=tmp_path / "mine")[0] == 0
    assert (tmp_path / "disk" / GOOD_NAME).is_file()
