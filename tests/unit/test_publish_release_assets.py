"""Assets of a GitHub release: compared, sent once whatever happens, named as GitHub names them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.asset_files import AssetFile
from aarch64_wheels.publish.plan import Step
from tests.standins_github import GitHubServer, faults
from tests.standins_github.entering import TOKEN, checked_server, entered, everything
from tests.standins_github.releasing import Job, contents, run, writes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from github.Repository import Repository

    from tests.standins_github.faults import Fault
    from tests.standins_github.store import Release

ONE, TWO, THREE = (f"demo-1.0-cp31{minor}-cp31{minor}-linux_aarch64.whl" for minor in "234")
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


def a_file(directory: Path, name: str, content: bytes = b"wheel") -> AssetFile:
    (directory / name).write_bytes(content)
    return AssetFile.read(directory / name)


@pytest.fixture
def files(tmp_path: Path) -> list[AssetFile]:
    return [a_file(tmp_path, name, name.encode()) for name in (ONE, TWO, THREE)]


def test_file_is_read(tmp_path: Path) -> None:
    one = a_file(tmp_path, ONE)
    assert (one.name, one.size, one.sha256) == (ONE, 5, hashlib.sha256(b"wheel").hexdigest())


def test_one_that_differs_stops_all(
    server: GitHubServer, release: Release, repo: Repository, files: list[AssetFile]
) -> None:
    """The one that would be sent comes before it."""
    server.store.add_asset(release, ONE, ONE.encode())
    server.store.add_asset(release, THREE, b"another")
    with pytest.raises(PublishError, match="has other files of these names") as caught:
        run(repo, files)
    assert caught.value.found == THREE
    assert "--replace" in caught.value.hint
    assert writes(server) == []


def test_replace_exchanges_what_differs(
    server: GitHubServer, release: Release, repo: Repository, files: list[AssetFile]
) -> None:
    kept = server.store.add_asset(release, ONE, ONE.encode())
    server.store.add_asset(release, TWO, b"another")
    plan = run(repo, files, replace=True)
    assert plan.steps == {ONE: Step.THERE, TWO: Step.REPLACE, THREE: Step.UPLOAD}
    assert contents(release) == {name: name.encode() for name in (ONE, TWO, THREE)}
    assert release.assets[0] is kept
    # The old one goes only when the new one is there whole, under another name.
    assert [line.split()[0] for line in writes(server)] == ["POST", "DELETE", "PATCH", "POST"]


def test_broken_uploads_of_an_earlier_run_are_taken_away(
    server: GitHubServer, release: Release, repo: Repository, files: list[AssetFile]
) -> None:
    for name in (ONE, TWO):
        server.store.add_asset(release, name, None)
    job = Job(repo)
    assert job.run(files[:2]).steps == {ONE: Step.UPLOAD, TWO: Step.UPLOAD}
    assert contents(release) == {ONE: ONE.encode(), TWO: TWO.encode()}
    assert [line.split()[0] for line in writes(server)] == ["DELETE", "POST"] * 2
    assert len(server.asked("GET", "/assets$")) == 1
    assert job.waits == []


@pytest.mark.parametrize("fault", [faults.lost_answer(), faults.server_error(502)])
def test_delete_may_lose_its_answer(
    server: GitHubServer, release: Release, repo: Repository, files: list[AssetFile], fault: Fault
) -> None:
    server.store.add_asset(release, ONE, None)
    server.faults.add(fault, "DELETE", "/assets/")
    run(repo, files[:1])
    assert contents(release) == {ONE: ONE.encode()}
    assert len(server.asked("DELETE", "/assets/")) == 2


@pytest.mark.parametrize(
    ("fault", "uploads", "deletes"),
    [
        pytest.param(faults.cut_upload(), 2, 1, id="cut"),
        pytest.param(faults.cut_before_answer(), 2, 0, id="nothing-done"),
        pytest.param(faults.server_error(502, starter=True), 2, 1, id="starter"),
        pytest.param(faults.server_error(503), 2, 0, id="busy"),
        pytest.param(faults.lost_answer(), 1, 0, id="lost-answer"),
    ],
)
def test_upload_with_trouble_is_there_once(
    server: GitHubServer,
    release: Release,
    repo: Repository,
    tmp_path: Path,
    fault: Fault,
    *,
    uploads: int,
    deletes: int,
) -> None:
    content = b"wheel" * 200_000
    server.faults.add(fault, "POST", UPLOADS)
    job = Job(repo)
    job.run([a_file(tmp_path, ONE, content), a_file(tmp_path, TWO)])
    assert contents(release) == {ONE: content, TWO: b"wheel"}
    assert len(server.asked("POST", UPLOADS)) == uploads + 1
    assert len(server.asked("DELETE", "/assets/")) == deletes
    assert job.waits == [2.0]


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [(faults.secondary_limit(), 60), (faults.secondary_limit(retry_after=7, status=429), 7)],
)
def test_upload_waits_for_a_limit_and_is_sent_whole(
    server: GitHubServer,
    release: Release,
    repo: Repository,
    files: list[AssetFile],
    fault: Fault,
    seconds: float,
) -> None:
    server.faults.add(fault, "POST", UPLOADS)
    job = Job(repo)
    job.run(files[:1])
    assert contents(release) == {ONE: ONE.encode()}
    assert job.waits == [seconds]


def test_upload_that_never_works_is_given_up(
    server: GitHubServer, release: Release, repo: Repository, files: list[AssetFile]
) -> None:
    server.faults.add(faults.server_error(502, starter=True), "POST", UPLOADS, times=5)
    job = Job(repo)
    with pytest.raises(PublishError, match=f"cannot upload {ONE}") as caught:
        job.run(files)
    assert caught.value.found == "502"
    assert "publish again later" in caught.value.hint
    assert job.waits == [2.0, 4.0, 8.0, 16.0]
    assert [asset.state for asset in release.assets] == ["starter"]
    assert TOKEN not in everything(caught.value)


def test_last_try_looks_first_too(
    server: GitHubServer, release: Release, repo: Repository, files: list[AssetFile]
) -> None:
    server.faults.add(faults.server_error(503), "POST", UPLOADS, times=3)
    server.faults.add(faults.lost_answer(), "POST", UPLOADS)
    run(repo, files[:1])
    assert contents(release) == {ONE: ONE.encode()}
    assert len(server.asked("POST", UPLOADS)) == 4


def test_connection_that_is_not_to_be_had_is_tried_for_once(files: list[AssetFile]) -> None:
    """As where a firewall knows the host of the API, and not that of the uploads."""
    with GitHubServer(TOKEN) as gone:
        root = gone.address
    with GitHubServer(TOKEN, upload_root=root) as server, entered(server) as repository:
        server.store.add_release("v1.0")
        job = Job(repository)
        with pytest.raises(PublishError, match=f"cannot upload {ONE}") as caught:
            job.run(files)
    assert caught.value.found == "the connection failed (ConnectionError)"
    assert job.waits == [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 120.0]  # urllib3's


@pytest.mark.parametrize(("content", "ends"), [(ONE.encode(), True), (b"another", False)])
def test_somebody_else_may_be_quicker(
    server: GitHubServer,
    release: Release,
    repo: Repository,
    files: list[AssetFile],
    content: bytes,
    *,
    ends: bool,
) -> None:
    """Between plan and upload, minutes may pass: the index is first."""
    job = Job(repo)
    work = job.release()
    plan = work.plan(files[:1])
    server.store.add_asset(release, ONE, content)
    if ends:
        work.publish(plan)
    else:
        with pytest.raises(PublishError, match="has other files of these names"):
            work.publish(plan)
    assert contents(release) == {ONE: content}


def test_file_that_changes_on_the_way_is_noticed(
    release: Release, repo: Repository, files: list[AssetFile]
) -> None:
    files[0].path.write_bytes(ONE.encode()[::-1])
    with pytest.raises(PublishError, match="has not kept") as caught:
        run(repo, files[:1])
    assert f"{ONE}, uploaded, {len(ONE)} bytes, sha256:" in caught.value.found
    assert len(release.assets) == 1


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("demo-1.0+cpu.1-py3-none-any.whl", "demo-1.0+cpu.1-py3-none-any.whl"),
        ("demo-1!2.0-py3-none-any.whl", "demo-1.2.0-py3-none-any.whl"),
        ("demo~(1).txt", "demo.1.txt"),
        ("démo-1.0.tar.gz", "demo-1.0.tar.gz"),  # found by its label: not foreseen here
    ],
)
def test_files_that_github_renames_are_found_again(
    server: GitHubServer, release: Release, repo: Repository, tmp_path: Path, name: str, stored: str
) -> None:
    one = a_file(tmp_path, name)
    assert (one.stored_name == stored) is name.isascii()
    server.faults.add(faults.lost_answer(), "POST", UPLOADS)
    assert run(repo, [one]).steps == {name: Step.UPLOAD}
    assert contents(release) == {stored: b"wheel"}
    assert run(repo, [one]).steps == {name: Step.THERE}
    assert len(writes(server)) == 1


def test_names_that_become_one_are_refused(
    server: GitHubServer, release: Release, repo: Repository, tmp_path: Path
) -> None:
    files = [a_file(tmp_path, name) for name in ("a!b", "a~b", "c")]
    with pytest.raises(PublishError, match="would have the same name") as caught:
        run(repo, files)
    assert caught.value.found == "a.b"
    assert (server.asked("POST", ""), release.assets) == ([], [])


@pytest.mark.parametrize("size", [0, 1 << 31])
def test_sizes_that_github_refuses_are_refused_first(
    server: GitHubServer, repo: Repository, tmp_path: Path, size: int
) -> None:
    path = tmp_path / ONE
    with path.open("wb") as stream:
        stream.truncate(size)  # a hole: it takes no room
    asked = len(server.records)
    with pytest.raises(PublishError, match="takes no empty files") as caught:
        run(repo, [AssetFile(path=path, sha256="")])
    assert caught.value.found == ONE
    assert len(server.records) == asked


@pytest.mark.parametrize(
    ("content", "step", "downloads"),
    [
        pytest.param(b"wheel", Step.THERE, 1, id="same"),
        pytest.param(b"whole", Step.REPLACE, 1, id="other"),
        pytest.param(b"other size", Step.REPLACE, 0, id="other-size"),
    ],
)
def test_asset_without_digest_is_fetched(
    server: GitHubServer,
    release: Release,
    repo: Repository,
    tmp_path: Path,
    content: bytes,
    *,
    step: Step,
    downloads: int,
) -> None:
    asset = server.store.add_asset(release, ONE, content, hashed=False)
    plan = Job(repo, {"replace": True}).release().plan([a_file(tmp_path, ONE)])
    assert plan.steps == {ONE: step}
    assert asset.downloads == downloads
