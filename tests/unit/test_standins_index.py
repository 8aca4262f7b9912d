"""The stand-ins, driven by the clients that they are for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
import requests
from pypi_simple import NoSuchProjectError, PyPISimple
from requests.auth import HTTPBasicAuth
from twine.auth import CredentialInput, Resolver
from twine.exceptions import TrustedPublishingFailure
from twine.package import PackageFile
from twine.repository import Repository

from tests.standins.index import IndexServer
from tests.standins.oidc import OidcServer, new_key
from tests.standins.publishers import Publisher
from tests.standins.receiving import Rules
from tests.standins.samples import make_attestation, make_wheel
from tests.standins.traffic import Clock, Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.standins.certificates import Certificates

Started = Callable[..., tuple[OidcServer, IndexServer]]
WHEEL = "demo-1.0-py3-none-any.whl"


@pytest.fixture
def start(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    with ExitStack() as stack:

        def started(
            rules: Rules | None = None,
            *,
            claims: Mapping[str, object] | None = None,
            publisher: Publisher | None = None,
            clock: Clock | None = None,
        ) -> tuple[OidcServer, IndexServer]:
            clock = clock or Clock()
            oidc = stack.enter_context(OidcServer(claims, clock=clock))
            index = IndexServer(
                rules,
                certificates=certificates,
                publishers=[publisher or Publisher("demo")],
                keys=oidc.keys,
                clock=clock,
            )
            stack.enter_context(index)
            for name, value in {**oidc.variables, **index.variables}.items():
                monkeypatch.setenv(name, value)
            return oidc, index

        yield started


def _mint(index: IndexServer) -> str:
    resolver = Resolver({"repository": index.upload_url}, CredentialInput("__token__", None))
    token = resolver.make_trusted_publishing_token()
    assert token
    return token


def _upload(index: IndexServer, package: PackageFile, token: str) -> requests.Response:
    repository = Repository(index.upload_url, "__token__", token, disable_progress_bar=True)
    try:
        return repository.upload(package)
    finally:
        repository.close()


def _package(path: Path) -> PackageFile:
    return PackageFile.from_filename(str(path), None)


def test_a_wheel_is_published_and_listed(start: Started, tmp_path: Path) -> None:
    oidc, index = start(publisher=Publisher("Demo", environment="release", pending=True))
    oidc.claims["environment"] = "release"
    package = _package(make_wheel(tmp_path))
    token = _mint(index)
    package.attestations = [make_attestation(WHEEL, str(package.sha2_digest))]
    assert _upload(index, package, token).status_code == 200
    assert index.arrivals(WHEEL) == [200]
    assert index.files[WHEEL].attestations == package.attestations
    with PyPISimple(index.simple_url) as client:
        (listed,) = client.get_project_page("demo").packages
        assert listed.digests == {"sha256": package.sha2_digest}
    content = requests.get(listed.url, timeout=5).content
    assert hashlib.sha256(content).hexdigest() == package.sha2_digest
    carriers = [record.path for record in index.records if record.carries(token)]
    assert carriers == ["/legacy/"]
    assert [r.path for r in index.records if r.carries(oidc.issued[0])] == ["/_/oidc/mint-token"]
    assert not [r for r in index.records if r.carries(oidc.request_token)]
    assert index.troubles == oidc.troubles == []


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"repository": "octo-org/other"}, "invalid-publisher"),
        ({"repository_owner_id": "66"}, "invalid-publisher"),
        (
            {"job_workflow_ref": "a/b/.github/workflows/release.yml@refs/tags/v1.0"},
            "does not match",
        ),
        ({"workflow_ref": "octo-org/demo/.github/workflows/ci.yml@refs/tags/v1.0"}, "reusable"),
        ({"event_name": "pull_request_target"}, "pull_request_target"),
        ({"sha": None}, "Missing claim 'sha'"),
        ({"iss": "https://example.org"}, "unknown trusted publishing issuer"),
        ({"exp": 1}, "invalid-token"),
    ],
)
def test_a_token_of_somebody_else_is_refused(
    start: Started, claims: dict[str, object], code: str
) -> None:
    _, index = start(claims=claims)
    with pytest.raises(TrustedPublishingFailure, match=code):
        _mint(index)
    assert not index.mint.grants


def test_a_token_serves_once_and_a_forged_one_never(start: Started) -> None:
    oidc, index = start()
    forged = OidcServer(key=new_key()).token("pypi")
    good = oidc.token("pypi")
    others = [oidc.token("", aud=aud) for aud in ("another", ["pypi", "another"])]
    tokens: list[str | int] = [forged, *others, good, good, "nonsense", 7]
    url = f"{index.url}/_/oidc/mint-token"
    answers = [requests.post(url, json={"token": token}, timeout=5) for token in tokens]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 200, 422, 422, 422]
    codes = [answer.json()["errors"][0]["code"] for answer in answers if not answer.ok]
    payload, reuse = ["invalid-payload"] * 2, "invalid-reuse-token"
    assert codes == [*["invalid-token"] * 3, reuse, *payload]


def test_without_an_identity_nothing_is_asked_of_the_index(start: Started) -> None:
    oidc, index = start()
    oidc.audience = "another"
    oidc.faults.append(Fault(status=403))
    for reason in ("code=403", "audience"):
        with pytest.raises(TrustedPublishingFailure, match=reason):
            _mint(index)
    assert [record.status for record in oidc.records] == [403, 200]
    assert {record.path for record in index.records} == {"/_/oidc/audience"}


def test_an_expired_token_is_refused(start: Started, tmp_path: Path) -> None:
    clock = Clock()
    _, index = start(Rules(token_seconds=60), clock=clock)
    token = _mint(index)
    clock.advance(61)
    answer = _upload(index, _package(make_wheel(tmp_path)), token)
    assert (answer.status_code, answer.reason) == (403, "Invalid API Token: token is expired")
    assert not index.files


def _spoiled(field: str, value: str) -> Callable[[PackageFile], None]:
    return lambda package: setattr(package, field, value)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_spoiled("sha2_digest", "0" * 64), "digest supplied does not match"),
        (_spoiled("blake2_256_digest", "0" * 64), "digest supplied does not match"),
        (_spoiled("safe_name", "other"), "Non-user identities cannot create"),
        (_spoiled("python_version", "cp313"), "pyversion"),
        (_spoiled("basefilename", "demo-2.0-py3-none-any.whl"), "Version in filename"),
        (_spoiled("attestations", "[]"), "should be a valid array"),
        (
            lambda p: setattr(p, "attestations", [make_attestation(WHEEL, "0" * 64)]),
            "distribution digest",
        ),
        (lambda p: p.metadata.update(version="1.1"), "Version in filename"),
        (lambda p: p.metadata.update(metadata_version="9"), "not a valid metadata version"),
    ],
)
def test_what_does_not_agree_is_refused(
    start: Started, tmp_path: Path, spoil: Callable[[PackageFile], None], message: str
) -> None:
    _, index = start()
    package = _package(make_wheel(tmp_path))
    spoil(package)
    answer = _upload(index, package, _mint(index))
    assert (answer.status_code, message in answer.reason) == (400, True), answer.reason
    assert not index.files


def test_a_file_is_taken_once(start: Started, tmp_path: Path) -> None:
    _, index = start(Rules(api_tokens=frozenset({"known"})))
    first = _package(make_wheel(tmp_path))
    statuses = [_upload(index, first, token).status_code for token in ("unknown", "known", "known")]
    again = _upload(index, _package(make_wheel(tmp_path, "changed")), "known")
    assert again.reason.startswith("File already exists ('demo-1.0-py3-none-any.whl', with blake2")
    assert index.arrivals(WHEEL) == [*statuses, again.status_code] == [403, 200, 400, 400]
    index.rules.equal_again = True
    assert _upload(index, _package(make_wheel(tmp_path)), "known").status_code == 200
    assert index.files[WHEEL].sha256 == first.sha2_digest


def test_a_file_is_listed_later(start: Started, tmp_path: Path) -> None:
    clock = Clock()
    rules = Rules(api_tokens=frozenset({"known"}), hidden_requests=2, hidden_seconds=30)
    _, index = start(rules, clock=clock)
    index.add_file("demo", "0.9", "demo-0.9.tar.gz", b"old")
    _upload(index, _package(make_wheel(tmp_path)), "known")
    counts = []
    with PyPISimple(index.simple_url) as client:
        for _ in range(4):
            counts.append(len(client.get_project_page("demo").packages))
            clock.advance(10)
        with pytest.raises(NoSuchProjectError):
            client.get_project_page("unknown")
    assert counts == [1, 1, 1, 2]
    page = requests.get(f"{index.simple_url}demo/", timeout=5)
    assert page.headers["Content-Type"] == "text/html"
    assert f"#sha256={index.files[WHEEL].sha256}" in page.text


def test_projects_are_listed(start: Started) -> None:
    _, index = start()
    with PyPISimple(index.simple_url) as client:
        assert client.get_index_page().projects == ["demo"]
    plain = requests.get(index.simple_url, timeout=5)
    assert '<a href="/simple/demo/">demo</a>' in plain.text


def test_an_answer_is_lost_after_and_before(start: Started, tmp_path: Path) -> None:
    _, index = start(Rules(api_tokens=frozenset({"known"})))
    package = _package(make_wheel(tmp_path))
    index.faults += [Fault("/legacy/", drop=drop) for drop in ("unhandled", "handled")]
    for stored in ([], [WHEEL]):
        with pytest.raises(requests.ConnectionError):
            _upload(index, package, "known")
        assert list(index.files) == stored
    assert _upload(index, package, "known").status_code == 400
    assert index.arrivals(WHEEL) == [200, 400]
    assert [record.status for record in index.uploads] == [0, 0, 400]


def test_a_busy_index_is_tried_again(start: Started, tmp_path: Path) -> None:
    _, index = start(Rules(api_tokens=frozenset({"known"})))
    index.faults += [
        Fault("/legacy/", "POST", status=503, retry_after="1"),
        Fault("/legacy/", "POST", read_seconds=0.1, answer_seconds=0.1),
    ]
    answer = _upload(index, _package(make_wheel(tmp_path)), "known")
    assert answer.elapsed.total_seconds() > 0.15
    assert [record.status for record in index.uploads] == [503, 200]
    index.faults.append(Fault(status=429, retry_after="7"))
    busy = requests.get(index.simple_url, auth=HTTPBasicAuth("a", "b"), timeout=5)
    assert (busy.status_code, busy.headers["Retry-After"]) == (429, "7")
    assert index.records[-1].carries("b") is True
