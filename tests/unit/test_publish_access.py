"""Where names and passwords come from, and what an index gets of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from twine import utils

from aarch64_wheels.errors import UsageError
from aarch64_wheels.publish.access import Access, Destination
from aarch64_wheels.settings.publishing import PublishSettings
from tests.standins.receiving import Rules
from tests.unit.access_samples import PASSWORD, TOKEN, Home, Place, upload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.standins.certificates import Certificates

OTHER = "another-pass-word"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    return Home(tmp_path, monkeypatch)


@pytest.fixture
def place(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    rules = Rules(users={"somebody": PASSWORD, "józef": "zażółć"}, api_tokens=frozenset({TOKEN}))
    with Place(certificates, rules=rules) as started:
        started.settle(monkeypatch)
        yield started
        assert started.troubles == []


def _pypirc(place: Place, *lines: str, url: str = "") -> str:
    section = [f"repository = {url or place.index.upload_url}", *lines]
    return "\n".join(["[distutils]", "index-servers = mine", "[mine]", *section])


def _by_variables(place: Place, _: Home) -> Access:
    return place.find(TWINE_USERNAME="somebody", TWINE_PASSWORD=PASSWORD)


def _by_pypirc(place: Place, home: Home) -> Access:
    home.write(_pypirc(place, "username = somebody", f"password = {PASSWORD}"))
    return place.find(PublishSettings(repository="mine"))


def _by_pypirc_url(place: Place, home: Home) -> Access:
    url = place.index.upload_url.replace("://", f"://somebody:{PASSWORD}@")
    home.write(_pypirc(place, url=url))
    return place.find(PublishSettings(repository="mine"))


def _by_url(place: Place, _: Home) -> Access:
    url = place.index.upload_url.replace("://", f"://somebody:{PASSWORD}@")
    return place.find(PublishSettings(repository_url=url))


def _by_keyring(place: Place, home: Home) -> Access:
    home.keyring["somebody"] = PASSWORD
    return place.find()


def _by_both(place: Place, home: Home) -> Access:
    home.write(_pypirc(place, "username = somebody", f"password = {OTHER}"))
    return place.find(PublishSettings(repository="mine"), TWINE_PASSWORD=PASSWORD)


WAYS = [_by_variables, _by_pypirc, _by_pypirc_url, _by_url, _by_keyring, _by_both]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.removeprefix("_by_"))
def test_a_password_is_found_and_masked_before_it_is_sent(
    place: Place, home: Home, tmp_path: Path, way: Callable[[Place, Home], Access]
) -> None:
    access = way(place, home)
    assert place.told == [(PASSWORD, 0)]
    assert upload(access, tmp_path) == 200
    assert access.destination == Destination(
        url=place.index.upload_url, trusted=False, reader=("somebody", PASSWORD)
    )
    assert PASSWORD not in repr(access) + repr(access.destination) + str(access)


@pytest.mark.parametrize("where", ["option", "pypirc"])
def test_a_login_in_a_url_is_quoted_there(place: Place, home: Home, where: str) -> None:
    url = place.index.upload_url.replace("://", "://me%40here:pass%2Fword@")
    home.write(_pypirc(place, url=url))
    option = PublishSettings(repository_url=url)
    access = place.find(option if where == "option" else PublishSettings(repository="mine"))
    assert access.destination.reader == ("me@here", "pass/word")
    assert place.told == [("pass/word", 0)]


def test_a_password_without_a_name_is_an_api_token(place: Place, tmp_path: Path) -> None:
    access = place.find(TWINE_PASSWORD=TOKEN)
    assert upload(access, tmp_path) == 200
    assert access.destination.reader == ("__token__", TOKEN)


def test_a_password_may_be_in_any_language(place: Place, tmp_path: Path) -> None:
    access = place.find(TWINE_USERNAME="józef", TWINE_PASSWORD="zażółć")  # noqa: S106 - of a stand-in
    assert upload(access, tmp_path) == 200


def test_an_index_may_want_no_credentials_at_all(place: Place, tmp_path: Path) -> None:
    access = place.find()
    assert access.destination.reader is None
    assert upload(access, tmp_path) == 403
    assert place.told == []


def test_a_name_alone_is_sent_with_an_empty_password(place: Place, tmp_path: Path) -> None:
    assert upload(place.find(TWINE_USERNAME="somebody"), tmp_path) == 403
    assert place.index.records[-1].credentials() == ("somebody", "")


def test_twine_names_the_certificate_authority(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    login = {"TWINE_USERNAME": "somebody", "TWINE_PASSWORD": PASSWORD}
    with pytest.raises(requests.exceptions.SSLError):
        upload(place.find(None, **login), tmp_path)
    trusted = str(place.certificates.authority)
    assert upload(place.find(None, **login, TWINE_CERT=trusted), tmp_path) == 200


SECTION = "[distutils]\nindex-servers = mine\n[mine]\n"


@pytest.mark.parametrize(
    ("settings", "pypirc", "found"),
    [
        ({"repository": "theirs"}, "", "Missing 'theirs' section"),
        ({"repository": "mine"}, f"{SECTION}password {PASSWORD}", "Malformed configuration"),
        ({"repository": "mine"}, f"{SECTION}password = {PASSWORD}", "has no `repository`"),
        (
            {"repository": "mine"},
            f"{SECTION}repository = https://somebody:{PASSWORD}@[::1/",
            "URL is not valid",
        ),
        ({"repository_url": f"ftp://somebody:{PASSWORD}@host/"}, "", "URL is not valid"),
        ({"repository_url": f"https://somebody:{PASSWORD}@ho st/"}, "", "URL is not valid"),
        ({"repository_url": f"https://somebody:{PASSWORD}@host:x/"}, "", "URL is not valid"),
        ({"repository_url": f"//somebody:{PASSWORD}@host/"}, "", "URL is not valid"),
        ({"repository": "mine"}, f"{SECTION}repository = https://pypi.python.org/", "pypi"),
    ],
)
def test_a_repository_that_is_none(
    home: Home, settings: dict[str, str], pypirc: str, found: str
) -> None:
    if pypirc:
        home.write(pypirc)
    with pytest.raises(UsageError, match="there is no such repository") as caught:
        Access.find(PublishSettings(**settings), {}, lambda _: None)  # type: ignore[arg-type] # only texts are given
    assert found in caught.value.found
    assert PASSWORD not in f"{caught.value}{caught.value!r}"


@pytest.mark.parametrize(
    ("url", "is_open"),
    [
        ("https://index.invalid/", False),
        ("http://index.invalid/", True),
        ("http://localhost:3141/", False),
        ("http://127.0.0.1:8080/", False),
        ("http://[::1]:8080/", False),
    ],
)
def test_what_can_be_read_on_its_way(url: str, is_open: bool) -> None:  # noqa: FBT001 - a column
    assert Destination(url=url, trusted=False).is_open is is_open


@pytest.mark.parametrize("public", [utils.DEFAULT_REPOSITORY, utils.TEST_REPOSITORY])
@pytest.mark.parametrize("by", ["option", "pypirc"])
def test_a_public_index_is_known_without_the_last_slash(home: Home, by: str, public: str) -> None:
    bare = public.rstrip("/")
    home.write(f"{SECTION}repository = {bare}\n")
    settings = (
        PublishSettings(repository="mine")
        if by == "pypirc"
        else PublishSettings(repository_url=bare)
    )
    found = Access.find(settings, {"TWINE_PASSWORD": TOKEN}, lambda _: None)
    assert found.destination == Destination(url=public, trusted=False)
    assert Access.find(settings, {}, lambda _: None).destination.trusted


def test_another_index_keeps_its_url(home: Home) -> None:
    home.write(f"{SECTION}repository = https://index.invalid/legacy\n")
    found = Access.find(PublishSettings(repository="mine"), {}, lambda _: None)
    assert found.destination.url == "https://index.invalid/legacy"
