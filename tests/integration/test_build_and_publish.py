"""One job that builds and publishes, run by `act`: what a build can see, and what is sent."""

from __future__ import annotations

import json
import os
import subprocess
import textwrap
import threading
import zipfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import docker.errors
import pytest

from aarch64_wheels.engine.client import connect
from aarch64_wheels.engine.kept import LABEL as KEPT
from aarch64_wheels.engine.owner import LABEL as OWNED
from aarch64_wheels.settings.schema import EngineName
from tests.integration.conftest import copy_repository
from tests.integration.publishing_job import PASSWORD, Job
from tests.standins.certificates import make_certificates
from tests.standins.publishers import Publisher
from tests.standins.receiving import Rules
from tests.standins.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORKFLOW = """\
    on: [push, pull_request]
    permissions: {}
    jobs:
      wheels:
        runs-on: ubuntu-latest
        steps:
          - uses: actions/checkout@v4
          - id: wheels
            uses: ./
            with:
              source: tests/projects/tattler
              image: debian
              python: cp313 cp314
              output-dir: wheel house
              publish: true
              allow-partial: ${{ env.PARTIAL }}
              repository-url: ${{ env.INDEX }}
              trusted-publishing: ${{ env.TRUSTED }}
              attestations: ${{ env.TRUSTED }}
              trust-config: ${{ env.TRUST_CONFIG }}
              username: ${{ env.NAME }}
              password: ${{ env.PASS }}
          - if: always()
            env:
              OUTPUTS: ${{ toJSON(steps.wheels.outputs) }}
            run: |
              cp -r "wheel house" "$RESULT/"
              printf '%s' "$OUTPUTS" > "$RESULT/outputs.json"
"""
TAGS = ("cp313", "cp314")


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    checkout = copy_repository(tmp_path / "check out")
    workflows = checkout / ".github/workflows"
    workflows.mkdir()
    (workflows / "release.yml").write_text(textwrap.dedent(WORKFLOW), encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=checkout, check=True)
    (tmp_path / "results").mkdir()
    certificates = make_certificates(tmp_path)
    rules = Rules(users={"somebody": PASSWORD})
    with Surroundings(certificates, Publisher("demo"), rules=rules) as around:
        yield Job(checkout, around, tmp_path / "results")
        assert around.troubles == []


@dataclass
class Told:
    """What the engine tells of the containers of builds, and of the environments kept of them."""

    containers: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)


@contextmanager
def _watched() -> Iterator[Told]:
    """Collect it for all that come in the meantime."""
    client = connect(EngineName.AUTO, os.environ).client
    over, told, before = threading.Event(), Told(), _kept(client)
    watcher = threading.Thread(target=_watch, args=(client, over, told), daemon=True)
    watcher.start()
    try:
        yield told
    finally:
        over.set()
        watcher.join()
        told.images += [str(client.api.inspect_image(it)) for it in _kept(client) - before]
        client.close()


def _kept(client: Any) -> set[str]:
    return {row["Id"] for row in client.api.images(filters={"label": KEPT})}


def _watch(client: Any, over: threading.Event, told: Told) -> None:
    known: set[str] = set()
    while not over.wait(0.1):
        for row in client.api.containers(all=True, filters={"label": OWNED}):
            if row["Id"] not in known:
                known.add(row["Id"])
                with suppress(docker.errors.NotFound):
                    told.containers.append(str(client.api.inspect_container(row["Id"])))


def _wheels(result: Path) -> dict[str, Path]:
    found = (result / "wheel house").glob("*.whl")
    return {path.name.split("-")[2]: path for path in found}


def _seen(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read("demo/seen.txt").decode()


def test_a_build_sees_no_secret_of_the_job_that_publishes_it(job: Job) -> None:
    with _watched() as told:
        assert job.run(NAME="somebody", PASS=PASSWORD) == 0
    wheels = _wheels(job.result)
    assert sorted(wheels) == sorted(TAGS)
    assert {name: job.around.index.arrivals(name) for name in job.around.index.files} == {
        path.name: [200] for path in wheels.values()
    }
    assert [len(file.attestations) for file in job.around.index.files.values()] == [1, 1]
    secrets = job.around.secrets | {PASSWORD}
    assert {job.around.oidc.request_token, *job.around.oidc.issued} < secrets
    for tag in TAGS:
        seen = _seen(wheels[tag])
        assert "here: PATH=" in seen
        assert "environ: " in seen
        assert [secret for secret in secrets if secret in seen] == []
        assert not {"GITHUB_TOKEN", "TWINE_PASSWORD", "ACTIONS_ID_TOKEN"} & set(_names(seen))
    assert len(told.containers) >= len(TAGS)
    # Each job has certificates of its own, so its environments are kept anew.
    assert len(told.images) >= len(TAGS)
    everything = "\n".join([*told.containers, *told.images])
    assert [secret for secret in secrets if secret in everything] == []


def _names(seen: str) -> Iterator[str]:
    for line in seen.splitlines():
        yield line.partition("=")[0].rpartition(" ")[2]


def test_of_a_build_that_fails_nothing_is_published_unless_that_is_allowed(job: Job) -> None:
    (job.checkout / "tests/projects/tattler/broken-for").write_text("3.14\n")
    assert job.run() != 0
    assert "demo does not know Python 3.14" in job.left
    assert (sorted(_wheels(job.result)), job.around.index.uploads) == (["cp313"], [])
    assert job.run(PARTIAL="true") != 0, "a target has failed"
    (name,) = job.around.index.files
    assert name == _wheels(job.result)["cp313"].name
    outputs = json.loads((job.result / "outputs.json").read_text())
    assert [path.rpartition("/")[2] for path in json.loads(outputs["wheels"])] == [name]


def test_a_pull_request_of_a_fork_keeps_its_wheels_and_is_told_why(job: Job) -> None:
    ends = {"head": {"repo": {"full_name": "kim/demo"}}, "base": {"repo": {"full_name": "o/demo"}}}
    job.event, job.payload = "pull_request", {"pull_request": ends}
    assert job.run(ACTIONS_ID_TOKEN_REQUEST_TOKEN="") != 0
    assert "a pull request from a fork cannot publish" in job.said
    assert "a push, a tag or a release of the repository itself" in job.said
    assert (sorted(_wheels(job.result)), job.around.index.uploads) == (sorted(TAGS), [])


def test_a_file_over_the_limit_of_the_index_is_told_with_what_to_do(job: Job) -> None:
    job.around.rules.file_limit = 1000
    assert job.run() != 0
    assert "make the wheel smaller" in job.said
    assert "higher file size limit" in job.said
    assert (sorted(_wheels(job.result)), job.around.index.files) == (sorted(TAGS), {})
