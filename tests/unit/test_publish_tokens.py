"""Trusted Publishing: when it is chosen, and when a token is minted anew."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import keyring
import pytest
from twine.package import PackageFile

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish import credentials
from aarch64_wheels.settings.publishing import PublishSettings, TrustedPublishing
from tests.standins.receiving import Rules
from tests.standins.samples import make_wheel
from tests.standins.traffic import Fault
from tests.unit.access_samples import PYPI, TOKEN, Home, Place, upload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standins.certificates import Certificates


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    return Home(tmp_path, monkeypatch)


@pytest.fixture
def pypi(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with Place(certificates, rules=Rules(api_tokens=frozenset({TOKEN}))) as started:
        started.settle_as_pypi(monkeypatch)
        yield started
        assert started.troubles == []


def test_pypi_gets_the_token_with_uploads_only(pypi: Place, tmp_path: Path) -> None:
    access = pypi.find(PYPI, TWINE_PASSWORD=TOKEN)
    assert access.destination.reader is None
    assert upload(access, tmp_path) == 200
    assert pypi.told == [(TOKEN, 0)]
    assert pypi.asked("/_/oidc/") == []


AUTO, ALWAYS, NEVER = TrustedPublishing


@pytest.mark.parametrize(
    ("wanted", "known", "is_trusted"),
    [
        (AUTO, "", True),
        (AUTO, "given", False),
        (AUTO, "kept", False),
        (ALWAYS, "given kept", True),
        (NEVER, "given", False),
        (NEVER, "kept", False),
    ],
)
def test_trusted_publishing_is_chosen_where_there_is_no_other_secret(
    pypi: Place,
    home: Home,
    tmp_path: Path,
    wanted: TrustedPublishing,
    known: str,
    is_trusted: bool,  # noqa: FBT001 - a column
) -> None:
    home.keyring |= {"__token__": TOKEN} if "kept" in known else {}
    settings = PublishSettings(trusted_publishing=wanted)
    access = pypi.find(settings, TWINE_PASSWORD=TOKEN if "given" in known else "")
    assert access.destination.trusted is is_trusted
    assert upload(access, tmp_path) == 200
    assert bool(pypi.oidc.issued) is is_trusted
    assert {secret for secret, _ in pypi.told} == (
        {*pypi.index.mint.grants, *pypi.oidc.issued} if is_trusted else {TOKEN}
    )


def test_other_indexes_get_it_only_where_it_is_asked_for(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Place(certificates) as place:
        place.settle(monkeypatch)
        assert place.find().destination.trusted is False
        url = place.index.upload_url
        settings = PublishSettings(repository_url=url, trusted_publishing=ALWAYS)
        assert upload(place.find(settings), tmp_path) == 200


def test_without_any_credential_nothing_is_sent(pypi: Place) -> None:
    access = pypi.find(PublishSettings(trusted_publishing=TrustedPublishing.NEVER))
    with pytest.raises(PublishError, match="no credentials to upload with"):
        access.enter()
    assert pypi.index.records == []


def test_outside_of_ci_there_is_no_identity(pypi: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    with pytest.raises(PublishError, match="no credentials to upload with"):
        pypi.find(PYPI).enter()
    assert pypi.index.mint.grants == {}


def test_a_token_is_minted_again_before_it_ends(pypi: Place, tmp_path: Path) -> None:
    repository = pypi.find(PYPI).enter()
    used = []
    for number, seconds in enumerate((0, 500, 101, 0, 601)):
        pypi.clock.advance(seconds)
        wheel = make_wheel(tmp_path, version=f"1.{number}")
        assert repository.upload(PackageFile.from_filename(str(wheel), None)).status_code == 200
        used.append(pypi.index.records[-1].credentials()[1])
    first, second, third = pypi.index.mint.grants
    assert used == [first, first, second, second, third]
    # Each was masked once, and before it was sent: the job's identity, and what it was given for.
    one, two, three = pypi.oidc.issued
    assert [secret for secret, _ in pypi.told] == [one, first, two, second, three, third]
    for secret, before in pypi.told:
        assert not any(record.carries(secret) for record in pypi.index.records[:before])


def test_a_token_that_lives_is_used_where_no_new_one_is_to_be_had(
    pypi: Place, tmp_path: Path
) -> None:
    access = pypi.find(PYPI)
    repository = access.enter()
    pypi.clock.advance(700)
    pypi.index.faults.append(Fault("/_/oidc/mint-token", status=503))
    wheel = make_wheel(tmp_path)
    assert repository.upload(PackageFile.from_filename(str(wheel), None)).status_code == 200
    assert len(pypi.index.mint.grants) == 1
    pypi.clock.advance(180)
    pypi.oidc.faults += [Fault(status=403)] * 3
    with pytest.raises(PublishError, match="gives this job no upload token"):
        repository.upload(PackageFile.from_filename(str(wheel), None))


@pytest.mark.parametrize(
    "fault",
    [
        Fault("/_/oidc/mint-token", status=503),
        Fault("/_/oidc/mint-token", drop="unhandled"),
        Fault("/_/oidc/mint-token", drop="handled"),
    ],
    ids=["503", "lost", "lost answer"],
)
def test_passing_trouble_is_waited_for(pypi: Place, tmp_path: Path, fault: Fault) -> None:
    pypi.index.faults += [fault, fault]
    assert upload(pypi.find(PYPI), tmp_path) == 200
    assert pypi.clock.ahead == 10


def test_a_no_is_not_asked_for_again(pypi: Place) -> None:
    pypi.oidc.claims["repository"] = "octo-org/other"
    with pytest.raises(PublishError, match="invalid-publisher"):
        pypi.find(PYPI).enter()
    assert len(pypi.asked("/_/oidc/mint-token")) == 1
    assert pypi.clock.ahead == 0


def test_a_keyring_that_waits_for_somebody_is_left_alone(
    pypi: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlocked = threading.Event()
    monkeypatch.setattr(keyring, "get_password", lambda *_: unlocked.wait() and TOKEN)
    monkeypatch.setattr(credentials, "_KEYRING_PATIENCE", 0.05)
    try:
        assert upload(pypi.find(PYPI), tmp_path) == 200
    finally:
        unlocked.set()
    assert len(pypi.index.mint.grants) == 1


def test_a_broken_keyring_is_no_keyring(
    pypi: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError("no bus")

    monkeypatch.setattr(keyring, "get_password", broken)
    assert upload(pypi.find(PYPI), tmp_path) == 200
