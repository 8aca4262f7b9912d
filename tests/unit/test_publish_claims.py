"""Why a job gets no token: each misconfiguration is told apart, with what shows it."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
import requests

from aarch64_wheels.errors import ExitCode, PublishError
from aarch64_wheels.publish.claims import explain_refusal, is_passing, require_identity
from aarch64_wheels.settings.publishing import PublishSettings, TrustedPublishing
from tests.standins.publishers import Publisher
from tests.standins.traffic import Fault
from tests.unit.access_samples import PASSWORD, PYPI, Home, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.standins.certificates import Certificates


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    return Home(tmp_path, monkeypatch)


@pytest.fixture
def place(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    publisher = Publisher("demo", environment="release")
    with Place(certificates, publisher, {"environment": "release"}) as started:
        started.settle_as_pypi(monkeypatch)
        yield started
        assert started.troubles == []


def _refused(place: Place, settings: PublishSettings = PYPI) -> PublishError:
    """Fail to enter; whatever was told to anybody, no secret is in it."""
    with pytest.raises(PublishError) as caught:
        place.find(settings).enter()
    told = f"{caught.value}\n{caught.value!r}\n{caught.value.__cause__!r}"
    assert not [secret for secret in place.secrets if secret in told]
    assert caught.value.exit_code is ExitCode.PUBLISH
    return caught.value


WORKFLOW = "octo-org/demo/.github/workflows"
CALLED = f"{WORKFLOW}/called.yml@refs/heads/main"


@pytest.mark.parametrize(
    ("claims", "shown", "hint"),
    [
        ({"environment": None}, "environment: (none)", "the environment, which must be equal"),
        ({"environment": "realese"}, "environment: realese", "the environment"),
        (
            {
                "workflow_ref": f"{WORKFLOW}/wheels.yml@refs/tags/v1.0",
                "job_workflow_ref": f"{WORKFLOW}/wheels.yml@refs/tags/v1.0",
            },
            "workflow_ref: octo-org/demo/.github/workflows/wheels.yml@refs/tags/v1.0",
            "the workflow's file name",
        ),
        ({"repository": "fork-er/demo"}, "repository: fork-er/demo", "owner and repository"),
        ({"repository_owner_id": "66"}, "repository: octo-org/demo", "owner and repository"),
        ({"job_workflow_ref": CALLED}, "the job runs in a reusable workflow", "calling workflow"),
        ({"job_workflow_ref": CALLED}, f"job_workflow_ref: {CALLED}", "issue 11096"),
        (
            {"event_name": "pull_request_target"},
            "event_name: pull_request_target",
            "publish from a push, a tag or a release",
        ),
        ({"iss": "https://ci.invalid"}, "unknown trusted publishing issuer", "index's words"),
        ({"exp": 1}, "invalid-token: malformed or invalid token", "index's words"),
    ],
)
def test_the_claims_that_matter_are_shown(
    place: Place, claims: Mapping[str, object], shown: str, hint: str
) -> None:
    place.oidc.claims |= claims
    error = _refused(place)
    assert (
        error.what
        == f"127.0.0.1:{place.index.url.rpartition(':')[2]} gives this job no upload token"
    )
    lines = error.found.splitlines()
    assert any(shown in line for line in lines), error.found
    assert lines[0].startswith(("invalid-publisher: valid token, but ", "invalid-"))
    assert hint in error.hint


def test_a_job_of_another_ci_is_shown_by_its_subject(place: Place) -> None:
    place.oidc.claims |= {"repository": None, "sub": "project_path:group/demo:ref:main"}
    error = _refused(place)
    assert "sub: project_path:group/demo:ref:main" in error.found
    assert "workflow_ref" not in error.found


def test_the_claims_may_not_be_had_a_second_time(place: Place) -> None:
    place.oidc.claims["repository"] = "octo-org/other"
    place.oidc.faults += [Fault(), Fault(status=500)]
    error = _refused(place)
    assert error.found.endswith("Publisher with matching claims was not found)")
    assert "compare the job with the Trusted Publisher" in error.hint


@pytest.mark.parametrize("status", [403, 404])
def test_an_index_without_trusted_publishing(place: Place, status: int) -> None:
    place.index.faults.append(Fault("/_/oidc/audience", status=status))
    error = _refused(place)
    assert error.found.startswith(f"it answered {status}")
    assert "--trusted-publishing never" in error.hint
    assert place.oidc.issued == []


def test_trusted_publishing_is_switched_off(place: Place) -> None:
    place.index.mint.enabled = False
    error = _refused(place)
    assert "403" in error.found
    assert "Trusted publishing functionality not enabled" in error.found


def test_every_identity_is_masked_also_that_which_only_shows_why(place: Place) -> None:
    place.oidc.claims["repository"] = "octo-org/other"
    _refused(place)
    assert [secret for secret, _ in place.told] == place.oidc.issued
    assert len(place.oidc.issued) == 2
    for secret, before in place.told:
        assert not any(record.carries(secret) for record in place.index.records[:before])


@pytest.mark.parametrize("status", [403, 500])
def test_the_token_service_fails(place: Place, status: int) -> None:
    place.oidc.faults += [Fault(status=status)] * 3
    error = _refused(place)
    assert f"code={status}" in error.found
    assert "token service" in error.hint
    assert place.index.mint.grants == {}


def test_the_index_fails_all_the_time(place: Place) -> None:
    place.index.faults += [Fault("/_/oidc/mint-token", status=503)] * 3
    error = _refused(place)
    assert "invalid JSON" in error.found
    assert "run the job again" in error.hint
    assert place.clock.ahead == 10


def test_the_certificate_authority_is_unknown(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    error = _refused(place)
    assert error.found.startswith("SSLError: ")
    assert "REQUESTS_CA_BUNDLE" in error.hint
    assert place.clock.ahead == 0


def test_a_login_in_the_url_stays_unseen(place: Place, home: Home) -> None:
    url = place.index.upload_url.replace("://", f"://somebody:{PASSWORD}@")
    home.write(f"[distutils]\nindex-servers = mine\n[mine]\nrepository = {url}\n")
    place.oidc.claims["repository"] = "octo-org/other"
    always = TrustedPublishing.ALWAYS
    error = _refused(place, PublishSettings(repository="mine", trusted_publishing=always))
    assert PASSWORD not in str(error)
    assert error.what.startswith("127.0.0.1:")


def test_nothing_is_logged_that_is_secret(
    place: Place, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        place.find(PYPI).enter().close()
        place.oidc.claims["repository"] = "octo-org/other"
        _refused(place)
    told = caplog.text + "".join(capfd.readouterr())
    assert "Got OIDC token" in told
    assert not [secret for secret in place.secrets if secret in told]
    assert len(place.oidc.issued) == 3


def _event(folder: Path, head: object, base: object) -> dict[str, str]:
    path = folder / "event.json"
    ends = {"head": {"repo": head}, "base": {"repo": base}}
    path.write_text(json.dumps({"pull_request": ends}), encoding="utf-8")
    return {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(path)}


OURS, THEIRS = {"full_name": "a/demo", "fork": True}, {"full_name": "b/demo", "fork": True}


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (THEIRS, "a pull request from a fork cannot publish"),
        (None, "a pull request from a fork cannot publish"),
        (OURS, "this job may not ask GitHub who it is"),
    ],
    ids=["fork", "deleted fork", "branch of a repository that is a fork"],
)
def test_a_pull_request_of_a_fork_is_told_apart(tmp_path: Path, head: object, what: str) -> None:
    environ = {"GITHUB_ACTIONS": "true", **_event(tmp_path, head, OURS)}
    with pytest.raises(PublishError, match=what):
        require_identity(environ)


@pytest.mark.parametrize("text", ["", "[]", '{"pull_request": {}}'])
def test_an_event_that_says_nothing(tmp_path: Path, text: str) -> None:
    environ = {"GITHUB_ACTIONS": "true", **_event(tmp_path, OURS, OURS)}
    (tmp_path / "event.json").write_text(text, encoding="utf-8")
    with pytest.raises(PublishError, match="may not ask") as caught:
        require_identity(environ)
    assert "`permissions: id-token: write`" in caught.value.hint


def test_the_permission_is_missing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    error = _refused(place)
    assert "ACTIONS_ID_TOKEN_REQUEST_TOKEN is not set" in error.found
    assert place.index.records == []


@pytest.mark.parametrize(
    "environ", [{}, {"GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x"}]
)
def test_others_may_go_on(environ: Mapping[str, str]) -> None:
    require_identity(environ)
    assert "GITHUB_EVENT_PATH" not in environ


@pytest.mark.parametrize("error", [KeyError("errors"), TypeError("list indices must be …")])
def test_an_answer_of_something_else(error: Exception) -> None:
    assert not is_passing(error)
    told = explain_refusal(error, "https://index.invalid/legacy/", {}, pytest.fail)
    assert told.what == "index.invalid gives this job no upload token"
    assert told.found == "its answer is not one of Trusted Publishing"


def test_a_connection_that_fails_is_told_without_addresses() -> None:
    error = requests.ConnectionError("HTTPSConnectionPool(host='user:secret@host')")
    told = explain_refusal(error, "https://index.invalid/legacy/", {}, pytest.fail)
    assert told.found == "ConnectionError"
    assert "TWINE_PASSWORD" in told.hint
