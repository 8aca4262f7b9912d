from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from packaging.requirements import Requirement

from aarch64_wheels.errors import AarchWheelsError, ExitCode, UnfitError, UsageError
from aarch64_wheels.hostindex import IndexSettings
from aarch64_wheels.source.cache import SdistCache
from aarch64_wheels.source.requirement import fetch_sdist
from aarch64_wheels.source.session import make_session
from tests.unit.fake_index import EXTRA, MAIN, FakeIndex

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def index() -> FakeIndex:
    return FakeIndex()


@pytest.fixture
def cache(tmp_path: Path) -> SdistCache:
    return SdistCache(tmp_path / "sdists")


def _fetch(
    index: FakeIndex,
    cache: SdistCache,
    text: str,
    settings: IndexSettings | None = None,
    *,
    reuse: bool = True,
) -> Path:
    settings = settings or IndexSettings(index_url=MAIN)
    session = make_session(settings, (*settings.extra_index_urls, settings.index_url or ""))
    session.adapters.clear()
    session.mount("https://", index)
    return fetch_sdist(Requirement(text), settings, cache, reuse=reuse, session=session)


def _error(index: FakeIndex, cache: SdistCache, text: str) -> AarchWheelsError:
    with pytest.raises(AarchWheelsError) as caught:
        _fetch(index, cache, text)
    return caught.value


YANKED: dict[str, Any] = {"yanked": "broken"}


@pytest.mark.parametrize(
    ("files", "text", "expected"),
    [
        pytest.param({"1.0": {}, "1.10": {}, "1.9": {}}, "demo", "1.10", id="newest"),
        pytest.param({"1.0": {}, "1.9": {}}, "demo<1.9", "1.0", id="bound"),
        pytest.param({"1.0": {}, "2.0rc1": {}}, "demo", "1.0", id="no-prerelease"),
        pytest.param({"1.0": {}, "2.0rc1": {}}, "demo>=2.0rc1", "2.0rc1", id="asked-prerelease"),
        pytest.param({"2.0a1": {}, "2.0rc1": {}}, "demo", "2.0rc1", id="only-prereleases"),
        pytest.param({"1.0": {}, "1.1": YANKED}, "demo", "1.0", id="yanked"),
        pytest.param({"1.0": {}, "1.1": YANKED}, "demo==1.1", "1.1", id="pinned-yanked"),
        pytest.param({"1.0": {}, "1.1": YANKED}, "demo===1.1", "1.1", id="arbitrary-equality"),
        pytest.param({"1.0": {}, "1.1": YANKED}, "demo==1.*", "1.0", id="wildcard-is-no-pin"),
        pytest.param({"1.0": {}, "what": {}}, "Demo[extra]", "1.0", id="name-and-extra"),
    ],
)
def test_which_release(
    index: FakeIndex, cache: SdistCache, files: dict[str, Any], text: str, expected: str
) -> None:
    for version, changes in files.items():
        index.add(f"demo-{version}.tar.gz", **changes)
        index.add(f"demo-{version}-py3-none-any.whl", **changes)
    file = _fetch(index, cache, text)
    assert file.name == f"demo-{expected}.tar.gz"
    assert file.read_bytes() == file.name.encode()


def test_a_tar_is_taken_before_a_zip(index: FakeIndex, cache: SdistCache) -> None:
    index.add("demo-1.0.zip")
    index.add("demo-1.0.tar.gz")
    index.add("demo-2.0.tar.bz2")
    assert _fetch(index, cache, "demo").name == "demo-1.0.tar.gz"


def test_a_pin_needs_no_network_the_second_time(index: FakeIndex, cache: SdistCache) -> None:
    index.add("demo-1.0.tar.gz")
    first = _fetch(index, cache, "demo==1.0")
    assert index.urls == ["demo/", "files/demo-1.0.tar.gz"]
    assert _fetch(FakeIndex(), cache, "Demo == 1.0.0") == first
    record = json.loads((first.parent / "demo-1.json").read_text())
    assert record["index"] == MAIN
    assert record["sha256"] == hashlib.sha256(first.read_bytes()).hexdigest()
    assert sorted(path.name for path in first.parent.iterdir()) == [
        "demo-1.0.tar.gz",
        "demo-1.json",
    ]


def test_the_newest_is_looked_up_but_not_downloaded_again(
    index: FakeIndex, cache: SdistCache
) -> None:
    index.add("demo-1.0.tar.gz")
    _fetch(index, cache, "demo")
    _fetch(index, cache, "demo")
    assert index.urls == ["demo/", "files/demo-1.0.tar.gz", "demo/"]


def test_no_cache_fetches_anew(index: FakeIndex, cache: SdistCache) -> None:
    index.add("demo-1.0.tar.gz")
    for _ in range(2):
        _fetch(index, cache, "demo==1.0", reuse=False)
    assert index.urls == ["demo/", "files/demo-1.0.tar.gz"] * 2


@pytest.mark.parametrize("spoil", ["file", "record"])
def test_a_spoiled_cache_is_fetched_anew(index: FakeIndex, cache: SdistCache, spoil: str) -> None:
    index.add("demo-1.0.tar.gz")
    file = _fetch(index, cache, "demo==1.0")
    (file if spoil == "file" else file.parent / "demo-1.json").write_text("{")
    assert _fetch(index, cache, "demo==1.0").read_bytes() == b"demo-1.0.tar.gz"
    assert len(index.seen) == 4


def test_a_file_of_another_index_is_not_reused(index: FakeIndex, cache: SdistCache) -> None:
    index.add("demo-1.0.tar.gz")
    index.add("demo-1.0.tar.gz", base=EXTRA)
    _fetch(index, cache, "demo==1.0")
    _fetch(index, cache, "demo==1.0", IndexSettings(index_url=EXTRA))
    assert (index.seen[-1].url or "").startswith(EXTRA)


def test_extra_indexes_are_asked_first_and_decide(index: FakeIndex, cache: SdistCache) -> None:
    index.add("demo-9.0.tar.gz")
    index.add("demo-1.0.tar.gz", base=EXTRA)
    settings = IndexSettings(index_url=MAIN, extra_index_urls=(EXTRA,))
    assert _fetch(index, cache, "demo", settings).name == "demo-1.0.tar.gz"


def test_an_extra_index_with_wheels_only_does_not_decide(
    index: FakeIndex, cache: SdistCache
) -> None:
    index.add("demo-1.0.tar.gz")
    index.add("demo-2.0-py3-none-any.whl", base=EXTRA)
    settings = IndexSettings(index_url=MAIN, extra_index_urls=(EXTRA,))
    assert _fetch(index, cache, "demo", settings).name == "demo-1.0.tar.gz"


def test_credentials_go_to_their_host_only_and_are_not_kept(
    index: FakeIndex, cache: SdistCache, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    index.add("demo-1.0.tar.gz", url="https://files.example/demo-1.0.tar.gz")
    index.answers["https://files.example/demo-1.0.tar.gz"] = (200, b"demo-1.0.tar.gz")
    settings = IndexSettings(index_url="https://us%40er:se%3Acret@main.example/simple")
    file = _fetch(index, cache, "demo", settings)
    assert [request.headers.get("Authorization") for request in index.seen] == [
        "Basic dXNAZXI6c2U6Y3JldA==",
        None,
    ]
    assert "cret" not in (file.parent / "demo-1.json").read_text()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param(
            IndexSettings(index_url=MAIN, no_index="PIP_NO_INDEX"),
            ["no index is allowed by PIP_NO_INDEX, so demo", "give the file"],
            id="no-index",
        ),
        pytest.param(
            IndexSettings(unusable_main="file:///srv", extra_index_urls=(EXTRA,)),
            ["cannot be asked for demo", "file:///srv is no http", "the public index was not"],
            id="dropped-main",
        ),
    ],
)
def test_the_public_index_is_not_asked_instead(
    index: FakeIndex, cache: SdistCache, settings: IndexSettings, words: list[str]
) -> None:
    index.add("demo-1.0.tar.gz", base=EXTRA)
    with pytest.raises(UsageError) as caught:
        _fetch(index, cache, "demo==1.0", settings)
    assert [word for word in words if word not in str(caught.value)] == []
    assert index.seen == []


def test_no_such_project(index: FakeIndex, cache: SdistCache) -> None:
    error = _error(index, cache, "demo")
    assert isinstance(error, UsageError)
    assert (error.what, error.found) == ("no such project: demo", f"asked {MAIN}")


def test_no_such_release_lists_the_latest(index: FakeIndex, cache: SdistCache) -> None:
    for minor in range(12):
        index.add(f"demo-1.{minor}.tar.gz")
    error = _error(index, cache, "demo==3.0")
    assert error.exit_code == ExitCode.USAGE
    assert error.what == "no such release: demo==3.0"
    assert error.found == f"{MAIN} has 1.11, 1.10, 1.9, 1.8, 1.7, 1.6 and 6 more"


def test_a_release_without_sdist_lists_what_it_has(index: FakeIndex, cache: SdistCache) -> None:
    index.add("demo-1.0.tar.gz")
    index.add("demo-2.0-py3-none-any.whl")
    index.add("demo-2.0.tar.bz2")
    error = _error(index, cache, "demo==2.0")
    assert error.exit_code == ExitCode.USAGE
    assert error.what == f"demo 2.0 has no sdist at {MAIN}"
    assert error.found == "demo-2.0-py3-none-any.whl, demo-2.0.tar.bz2"


def test_everything_yanked(index: FakeIndex, cache: SdistCache) -> None:
    index.add("demo-1.0.tar.gz", yanked=True)
    error = _error(index, cache, "demo>=1")
    assert "yanked" in error.what
    assert "demo==1.0" in error.hint


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(
            requests.ConnectionError("via https://user:secret@proxy.example refused"),
            ["cannot be reached", "via https://proxy.example refused", "HTTPS_PROXY"],
            id="network",
        ),
        pytest.param(OSError("no CA bundle: x"), ["cannot be reached", "no CA bundle"], id="ca"),
        pytest.param((503, b""), ["refused", "HTTP status 503", "try again later"], id="busy"),
        pytest.param((401, b""), ["HTTP status 401", "credentials"], id="credentials"),
        pytest.param((200, b"{"), ["cannot be reached"], id="no-index"),
    ],
)
def test_an_index_that_does_not_answer(
    index: FakeIndex,
    cache: SdistCache,
    answer: tuple[int, bytes] | Exception,
    words: list[str],
) -> None:
    index.answers[f"{MAIN}/demo/"] = answer
    error = _error(index, cache, "demo")
    assert isinstance(error, UnfitError)
    assert [word for word in (*words, MAIN) if word not in str(error)] == []
    assert "secret" not in str(error)


def test_a_file_with_another_hash_is_refused(index: FakeIndex, cache: SdistCache) -> None:
    index.add("demo-1.0.tar.gz")
    index.answers[f"{MAIN}/files/demo-1.0.tar.gz"] = (200, b"something else")
    error = _error(index, cache, "demo==1.0")
    assert isinstance(error, UnfitError)
    assert "does not have the hash" in error.what
    assert "secret" not in str(error)


def test_nothing_is_left_of_a_failed_download(
    index: FakeIndex, cache: SdistCache, tmp_path: Path
) -> None:
    index.add("demo-1.0.tar.gz")
    index.answers[f"{MAIN}/files/demo-1.0.tar.gz"] = requests.ConnectionError("reset")
    assert "cannot be reached" in _error(index, cache, "demo").what
    assert list((tmp_path / "sdists").iterdir()) == []
    assert len(index.seen) == 1 + 3


def test_a_cache_that_cannot_be_written(index: FakeIndex, tmp_path: Path) -> None:
    index.add("demo-1.0.tar.gz")
    (tmp_path / "file").write_text("")
    error = _error(index, SdistCache(tmp_path / "file" / "sdists"), "demo")
    assert isinstance(error, UnfitError)
    assert "--cache-dir" in error.hint


def test_the_session_takes_the_hosts_settings(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    session = make_session(IndexSettings(ca_bundle=bundle, trusted_hosts=("h.example",)), (MAIN,))
    assert session.verify == str(bundle)
    checked = session.get_adapter("https://other.example/")
    assert type(session.get_adapter("https://h.example:8443/x")) is not type(checked)
    assert type(session.get_adapter("https://h.example.evil/x")) is type(checked)
