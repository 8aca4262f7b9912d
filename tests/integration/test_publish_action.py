"""Trusted Publishing through the Action, run by `act`, at stand-ins for all that is asked."""

from __future__ import annotations

import re
import shutil
import subprocess
import textwrap
from typing import TYPE_CHECKING

import pytest

from tests.integration.conftest import copy_repository
from tests.integration.publishing_job import PASSWORD, Job
from tests.standins.certificates import Certificates, make_certificates
from tests.standins.publishers import Publisher
from tests.standins.receiving import Rules
from tests.standins.samples import make_wheel
from tests.standins.surroundings import Surroundings
from tests.standins.traffic import Clock, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: `steps.*.outcome` and what the step leaves behind are looked at by the step after it.
WORKFLOW = """\
    on: push
    permissions: {}
    jobs:
      publish:
        runs-on: ubuntu-latest
        steps:
          - uses: actions/checkout@v4
          - id: publish
            uses: ./
            with:
              build: false
              publish: true
              output-dir: wheel house
              repository-url: ${{ env.INDEX }}
              trusted-publishing: ${{ env.TRUSTED }}
              attestations: ${{ env.TRUSTED }}
              trust-config: ${{ env.TRUST_CONFIG }}
              username: ${{ env.NAME }}
              password: ${{ env.PASS }}
              dry-run: ${{ env.DRY_RUN }}
          - if: always()
            env:
              OUTPUTS: ${{ toJSON(steps.publish.outputs) }}
            run: |
              cp -r "wheel house" "$RESULT/"
              printf '%s' "$OUTPUTS" > "$RESULT/outputs.json"
"""
FILES = [f"demo-1.0-{number}-py3-none-any.whl" for number in range(3)]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as it stands, in a place of its own, with one workflow."""
    place = copy_repository(tmp_path_factory.mktemp("a place") / "check out")
    (place / ".github/workflows").mkdir()
    workflow = textwrap.dedent(WORKFLOW)
    (place / ".github/workflows/release.yml").write_text(workflow, encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=place, check=True)
    return place


def _fill(checkout: Path, count: int) -> None:
    folder = checkout / "wheel house"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for number in range(count):
        make_wheel(folder, f"number = {number}", tags=f"{number}-py3-none-any")


@pytest.fixture
def job(checkout: Path, certificates: Certificates, tmp_path: Path) -> Iterator[Job]:
    _fill(checkout, len(FILES))
    publisher = Publisher("demo", environment="release")
    rules = Rules(users={"somebody": PASSWORD})
    with Surroundings(certificates, publisher, {"environment": "release"}, rules) as around:
        (tmp_path / "results").mkdir()
        yield Job(checkout, around, tmp_path / "results")
        assert around.troubles == []


def test_signed_files_are_published_and_only_once(job: Job) -> None:
    index = job.around.index
    assert job.run(DRY_RUN="true") == 0
    assert (job.around.oidc.issued, index.uploads) == ([], [])
    assert job.run() == 0
    assert {name: index.arrivals(name) for name in FILES} == {name: [200] for name in FILES}
    assert [len(file.attestations) for file in index.files.values()] == [1, 1, 1]
    assert [record.path for record in job.around.sigstore.records] == [
        "/api/v2/signingCert",
        *["/api/v1/log/entries"] * 3,
    ]
    assert job.left.count(f'"destination": "{index.upload_url}"') == 3, "the journal is looked at"
    _, shown, summary = job.said.partition("Summary - ")
    assert shown
    assert all(file.sha256 in summary for file in index.files.values())
    assert job.run() == 0
    assert len(index.uploads) == 3
    assert "is there already" in job.said


def test_tokens_end_in_the_middle_of_two_hundred_files(
    checkout: Path, certificates: Certificates, tmp_path: Path
) -> None:
    """twine asks for another token five minutes before the end: three seconds after it got one.

    When the index has half of the files, it says so late, and its time has leapt forward: whoever
    goes on with the token of before is refused.
    """
    (tmp_path / "results").mkdir()
    clock = Clock()
    with Surroundings(certificates, rules=Rules(token_seconds=303), clock=clock) as around:
        index = around.index
        index.on_upload[100] = lambda: clock.advance(304)
        late = Fault("/legacy/", "POST", answer_seconds=3.5)
        index.faults += [*[Fault("/legacy/", "POST")] * 99, late]
        _fill(checkout, 200)
        assert Job(checkout, around, tmp_path / "results").run() == 0
        assert around.troubles == []
        assert {record.outcome for record in index.uploads} == {200}
        assert (len(index.uploads), len(index.files)) == (200, 200)
        before, after = (index.uploads[number].credentials()[1] for number in (99, 100))
        assert index.mint.grants[before].expires < index.uploads[100].time
        assert index.mint.grants[after].expires > index.uploads[199].time
        assert len(around.oidc.issued) == len(index.mint.grants) + 1  # one for Sigstore


@pytest.mark.parametrize(
    ("claims", "variables", "words"),
    [
        ({"environment": "realese"}, {}, ["environment: realese", "compare the job with"]),
        (
            dict.fromkeys(
                ("workflow_ref", "job_workflow_ref"),
                "octo-org/demo/.github/workflows/wheels.yml@refs/tags/v1.0",
            ),
            {},
            ["workflow_ref: octo-org/demo/.github/workflows/wheels.yml@", "compare the job with"],
        ),
        (
            {"job_workflow_ref": "octo-org/demo/.github/workflows/called.yml@refs/heads/main"},
            {},
            ["the job runs in a reusable workflow", "calling workflow"],
        ),
        ({}, {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": ""}, ["permissions: id-token: write"]),
        (
            {},
            {"TRUSTED": "never", "NAME": "somebody", "PASS": "something-else"},
            ["403", "user and password"],
        ),
    ],
    ids=["environment", "workflow", "reusable workflow", "permission", "password"],
)
def test_what_is_wrong_is_said(
    job: Job, claims: dict[str, object], variables: dict[str, str], words: list[str]
) -> None:
    job.around.oidc.claims |= claims
    assert job.run(**variables) != 0
    (error,) = re.findall(r"^.*::error.*$|^.*❗.*$", job.said, re.MULTILINE)
    assert [word for word in words if word not in error] == []
    assert job.around.index.files == {}
