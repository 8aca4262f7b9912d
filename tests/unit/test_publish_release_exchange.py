"""Assets that differ: exchanged in two steps, and those that are derived without being asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.asset_files import AssetFile
from aarch64_wheels.publish.assets import CHECKSUMS, make_assets
from aarch64_wheels.publish.distributions import Distribution
from aarch64_wheels.publish.plan import Step
from aarch64_wheels.report.writer import FILE_NAME as REPORT
from tests.standins.samples import make_wheel
from tests.standins_github import GitHubServer, faults
from tests.standins_github.entering import checked_server, entered
from tests.standins_github.releasing import Job, contents, run, writes
from tests.unit.publish_samples import WHEEL, make_sdist

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from github.Repository import Repository

    from tests.standins_github.faults import Fault
    from tests.standins_github.store import Release

ONE = "demo-1.0-cp313-cp313-linux_aarch64.whl"
NEW = f"{ONE}.aarch64-wheels-new"
SDIST, SBOM = "demo-1.0.tar.gz", "demo-1.0.cdx.json"
UPLOADS = "^/api/uploads/.*/assets$"


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with checked_server() as server:
        yield server


@pytest.fixture
def release(server: GitHubServer) -> Release:
    return server.store.add_release("v1.0")


@pytest.fixture
def repo(server: GitHubServer) -> Iterator[Repository]:
    with entered(server) as repository:
        yield repository


@pytest.fixture
def one(tmp_path: Path) -> AssetFile:
    (tmp_path / ONE).write_bytes(b"new")
    return AssetFile.read(tmp_path / ONE)


@pytest.mark.parametrize(
    ("fault", "method", "path"),
    [
        (faults.cut_upload(), "POST", UPLOADS),
        (faults.server_error(502, starter=True), "POST", UPLOADS),
        (faults.lost_answer(), "POST", UPLOADS),
        (faults.lost_answer(), "DELETE", "/assets/"),
        (faults.lost_answer(), "PATCH", "/assets/"),
        (faults.server_error(502), "PATCH", "/assets/"),
    ],
)
def test_an_exchange_with_trouble(
    server: GitHubServer,
    release: Release,
    repo: Repository,
    one: AssetFile,
    *,
    fault: Fault,
    method: str,
    path: str,
) -> None:
    server.store.add_asset(release, ONE, b"old")
    server.faults.add(fault, method, path)
    run(repo, [one], replace=True)
    assert contents(release) == {ONE: b"new"}


@pytest.mark.parametrize(("method", "left"), [("POST", ONE), ("DELETE", ONE), ("PATCH", NEW)])
def test_an_exchange_that_ends_early_loses_nothing(
    server: GitHubServer, release: Release, repo: Repository, one: AssetFile, method: str, left: str
) -> None:
    """Whatever is refused, one of both is there; and the next run goes on from it."""
    server.store.add_asset(release, ONE, b"old")
    server.faults.add(faults.not_accessible(), method, "/assets")
    with pytest.raises(PublishError, match="cannot upload"):
        run(repo, [one], replace=True)
    assert contents(release)[left] == (b"old" if left == ONE else b"new")
    sent = len(server.asked("POST", UPLOADS))
    run(repo, [one], replace=True)
    assert contents(release) == {ONE: b"new"}
    assert len(server.asked("POST", UPLOADS)) == sent + (method == "POST")


@pytest.mark.parametrize("content", [b"other", None])
def test_what_an_earlier_run_left_waiting_is_not_taken_for_ours(
    server: GitHubServer, release: Release, repo: Repository, one: AssetFile, content: bytes | None
) -> None:
    server.store.add_asset(release, NEW, content)
    run(repo, [one])
    assert contents(release) == {ONE: b"new"}


def test_what_waits_for_nothing_any_more_is_taken_away(
    server: GitHubServer, release: Release, repo: Repository, one: AssetFile
) -> None:
    server.store.add_asset(release, ONE, b"new")
    server.store.add_asset(release, NEW, b"other")
    server.store.add_asset(release, "theirs.aarch64-wheels-new", b"theirs")
    assert run(repo, [one]).steps == {ONE: Step.THERE}
    assert contents(release) == {ONE: b"new", "theirs.aarch64-wheels-new": b"theirs"}


def test_an_immutable_release_is_not_tidied(
    server: GitHubServer, repo: Repository, one: AssetFile
) -> None:
    release = server.store.add_release("v1.0", immutable=True)
    server.store.add_asset(release, ONE, b"new")
    server.store.add_asset(release, NEW, b"other")
    run(repo, [one])
    assert writes(server) == []


def _made(folder: Path, name: str, report: str, *paths: Path) -> tuple[AssetFile, ...]:
    """Give the files of a release, as one run makes them."""
    (place := folder / name).mkdir()
    (made := place / "made").mkdir()
    (place / REPORT).write_text(report)
    return make_assets([Distribution.read(path) for path in paths], [place], made)


def test_a_rebuild_of_equal_wheels_is_published_again(
    release: Release, repo: Repository, tmp_path: Path
) -> None:
    wheel = make_wheel(tmp_path)
    run(repo, _made(tmp_path, "first", "{}", wheel))
    plan = run(repo, _made(tmp_path, "second", "[]", wheel))
    there = dict.fromkeys((WHEEL, CHECKSUMS, SBOM), Step.THERE)
    assert plan.steps == {**there, REPORT: Step.REPLACE}
    assert contents(release)[REPORT] == b"[]"
    assert len(release.assets) == 4


def test_a_file_of_that_kind_keeps_no_other_from_being_refused(
    server: GitHubServer, release: Release, repo: Repository, tmp_path: Path
) -> None:
    wheel = make_wheel(tmp_path)
    server.store.add_asset(release, WHEEL, b"another")
    server.store.add_asset(release, REPORT, b"another")
    with pytest.raises(PublishError, match="has other files of these names") as caught:
        run(repo, _made(tmp_path, "first", "{}", wheel))
    assert caught.value.found == WHEEL
    assert writes(server) == []


def test_the_checksums_of_two_runs_are_one_list(
    server: GitHubServer, release: Release, repo: Repository, tmp_path: Path
) -> None:
    wheel, sdist = make_wheel(tmp_path), make_sdist(tmp_path)
    server.store.add_asset(release, "theirs.txt", b"theirs")
    server.store.add_asset(release, "broken.whl", None)
    run(repo, _made(tmp_path, "first", "{}", sdist))
    run(repo, _made(tmp_path, "second", "{}", wheel))
    both = make_assets([Distribution.read(path) for path in (sdist, wheel)], [], tmp_path)
    expected = next(one.path.read_bytes() for one in both if one.name == CHECKSUMS)
    assert contents(release)[CHECKSUMS] == expected
    assert expected.count(b"\n") == 2
    again = run(repo, _made(tmp_path, "third", "{}", sdist))
    assert (again.steps[SDIST], again.steps[CHECKSUMS]) == (Step.THERE, Step.THERE)


def test_a_dry_run_plans_what_is_done(release: Release, repo: Repository, tmp_path: Path) -> None:
    wheel, sdist = make_wheel(tmp_path), make_sdist(tmp_path)
    run(repo, _made(tmp_path, "first", "{}", sdist))
    files = _made(tmp_path, "second", "{}", wheel)
    first, second = (Job(repo).release().plan(files) for _ in range(2))
    assert first == second
    assert first.steps[CHECKSUMS] is Step.REPLACE
    assert len(release.assets) == 4
