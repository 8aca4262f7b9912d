"""`publish` against real indexes: each file arrives exactly once, whatever goes wrong between."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from pypi_simple import NoSuchProjectError, PyPISimple

from aarch64_wheels.report.writer import write_report
from tests.integration.conftest import COMMAND
from tests.integration.index_servers import (
    USER,
    DevpiServer,
    Front,
    PypiServer,
    RealIndex,
    StrictPypiServer,
)
from tests.standins.samples import make_wheel
from tests.standins.traffic import Fault, Record
from tests.unit.publish_samples import built

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TAGS = ("cp312-cp312-any", "cp313-cp313-any", "cp314-cp314-any", "py3-none-any")
#: Of a test runner, these say who publishes.
_FOREIGN = re.compile(r"^(GITHUB_|ACTIONS_|TWINE_|AARCH64_WHEELS_|CI$)")
_SECONDS = 120


class Release:
    """A project's wheels, the report of their build, and the command that publishes them."""

    def __init__(self, front: Front, folder: Path, project: str) -> None:
        self.front, self.project = front, project
        self.password = front.index.password
        self.house, self.home = folder / "wheel house", folder / "home"
        self.house.mkdir()
        self.home.mkdir()
        self.shown: list[str] = []
        self._processes: list[subprocess.Popen[str]] = []
        self.build()

    def build(self, *more: str, changed: str = "") -> None:
        """Build the wheels, with `more` tags; the one with the tag `changed` has other content."""
        name = self.project.replace("-", "_")
        wheels = [
            make_wheel(self.house, "other" if tag == changed else "", name=name, tags=tag)
            for tag in (*TAGS, *more)
        ]
        write_report(replace(built(*wheels), project=self.project), self.house)

    @property
    def hashes(self) -> dict[str, str]:
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.house.glob("*.whl"))
        }

    def start(self, password: str = "") -> subprocess.Popen[str]:
        own = {name: text for name, text in os.environ.items() if not _FOREIGN.match(name)}
        login = {"TWINE_USERNAME": USER, "TWINE_PASSWORD": password or self.password}
        place = {"HOME": str(self.home), "NO_PROXY": "127.0.0.1", "COLUMNS": "200"}
        process = subprocess.Popen(
            [*COMMAND, "publish", "--repository-url", self.front.upload_url],
            env={**own, **place, **login, "AARCH64_WHEELS_OUTPUT_DIR": str(self.house)},
            cwd=self.house.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        return process

    def clear(self) -> None:
        """Leave nothing behind that a failed test has left."""
        for process in self._processes:
            process.kill()
            process.communicate()
        if not self.front.index.is_up:
            self.front.index.start()

    def publish(self, password: str = "") -> tuple[int, str]:
        return self.end(self.start(password))

    def end(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        out, err = process.communicate(timeout=_SECONDS)
        print(out, err)
        self.shown += [out, err]
        return process.returncode, err

    def listed(self) -> dict[str, str]:
        """Fetch what the index has, and hash it: what it says of hashes is not believed."""
        port = self.front.index.port
        url = f"http://127.0.0.1:{port}{self.front.index.simple_path}"
        with PyPISimple(url, auth=(USER, self.password)) as client:
            try:
                rows = client.get_project_page(self.project).packages
            except NoSuchProjectError:
                return {}
            contents = {row.filename: client.s.get(row.url, timeout=30).content for row in rows}
        return {name: hashlib.sha256(text).hexdigest() for name, text in contents.items()}

    def require_once(self) -> None:
        """The index has all files, and has taken each of them exactly once."""
        assert self.listed() == self.hashes
        taken = {name: self.front.outcomes(name).count(200) for name in self.hashes}
        assert taken == dict.fromkeys(self.hashes, 1)

    def require_secret(self, *secrets: str) -> None:
        """No password is in what was printed, in the journal, in the report or in a URL."""
        files = [path.read_text(encoding="latin-1") for path in self.house.parent.rglob("*.json*")]
        assert len(files) >= 1
        asked = [f"{record.path}?{record.query}" for record in self.front.records]
        text = "\n".join([*self.shown, *files, *asked])
        for secret in (self.password, *secrets):
            assert secret not in text


@pytest.fixture(scope="module", params=[PypiServer, DevpiServer])
def index(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealIndex]:
    with request.param(tmp_path_factory.mktemp("index") / "data") as started:
        yield started


@pytest.fixture
def release(index: RealIndex, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Release]:
    name = re.sub(r"\W+|_+", "-", request.function.__name__)[:40].strip("-")
    with Front(index) as front:
        release = Release(front, tmp_path, name)
        try:
            yield release
            release.require_secret()
            assert front.troubles == []
        finally:
            release.clear()


def test_first_again_and_changed(release: Release) -> None:
    code, _ = release.publish()
    assert code == 0
    release.require_once()
    assert sorted(release.front.uploads) == sorted(release.hashes)
    first = release.hashes

    code, err = release.publish()
    assert (code, err.strip()) == (0, f"{release.front.upload_url} has all 4 files")
    assert len(release.front.uploads) == 4

    release.build("cp311-cp311-any", changed=TAGS[1])
    code, err = release.publish()
    assert code == 4
    assert "has other files of these names: nothing is uploaded" in err
    assert TAGS[1] in err
    assert TAGS[0] not in err
    assert len(release.front.uploads) == 4
    assert release.listed() == first


def test_a_server_that_is_killed_and_comes_back(release: Release) -> None:
    """The command waits for it, and goes on."""

    def crash(_record: Record) -> None:
        if len(release.front.uploads) == 3:
            release.front.index.kill()

    release.front.before = crash
    process = release.start()
    assert process.stderr
    said = iter(process.stderr.readline, "")
    assert any("again in" in line for line in said)
    release.front.index.start()
    code, err = release.end(process)
    assert code == 0, err
    release.require_once()


def test_a_server_and_a_command_that_are_killed(release: Release) -> None:
    """The second file was taken, and nobody was told: it is not sent again."""

    def crash(record: Record) -> None:
        if len(release.front.uploads) == 2:
            release.front.index.kill()
            record.fault = Fault(drop="handled")

    release.front.after = crash
    process = release.start()
    assert process.stderr
    assert any("again in" in line for line in iter(process.stderr.readline, ""))
    process.send_signal(signal.SIGKILL)
    code, _ = release.end(process)
    assert code == -signal.SIGKILL
    release.front.index.start()
    release.front.after = lambda _record: None
    code, _ = release.publish()
    assert code == 0
    release.require_once()
    assert len(release.front.uploads) == 4


def test_a_storm(release: Release) -> None:
    """In the listing, at three of the files in three ways, and in the listing again."""
    busy, bad = Fault("/", "GET", status=503), Fault("/", "POST", status=502)
    wait, cut = (
        Fault("/", "POST", status=503, retry_after="1"),
        Fault("/", "POST", drop="unhandled"),
    )
    coming = [[wait], [cut], [], [busy]]
    release.front.faults += [busy, bad, bad]
    release.front.after = lambda _record: release.front.faults.extend(coming.pop(0))
    code, err = release.publish()
    assert code == 0
    release.require_once()
    assert (len(release.front.uploads), release.front.faults) == (8, [])
    assert err.count("again in") == 4
    assert "Package upload appears to have failed" not in err  # twine's own words


def test_slow_answers(release: Release) -> None:
    slow = Fault(read_seconds=0.2, answer_seconds=0.3)
    release.front.faults += [slow] * 8
    code, err = release.publish()
    assert code == 0
    release.require_once()
    assert len(release.front.uploads) == 4
    assert "again in" not in err


def test_lost_answers(release: Release) -> None:
    """Of the first file it is seen in the listing; of the second the index itself says so."""
    lost = Fault("/", "POST", drop="handled")
    release.front.faults.append(lost)

    def second(record: Record) -> None:
        if len(release.front.uploads) == 2:
            release.front.faults.append(Fault("/", "GET", status=503))
            record.fault = lost

    release.front.after = second
    code, err = release.publish()
    assert code == 0
    assert release.listed() == release.hashes
    one, two, *_ = [release.front.outcomes(name) for name in release.front.uploads]
    assert one == [200]
    assert two in ([200, 200], [200, 400])  # devpi takes what is equal, and keeps what it has
    assert "only its answer was lost" in err


def test_a_wrong_password(release: Release) -> None:
    code, err = release.publish("falsch-geheim")
    assert code == 4
    assert "the index refuses" in err
    assert "check user and password" in err
    assert len(release.front.uploads) == 1
    assert release.listed() == {}
    release.require_secret("falsch-geheim")


def test_an_index_that_wants_a_login_for_everything(tmp_path: Path) -> None:
    with StrictPypiServer(tmp_path / "index") as index, Front(index) as front:
        release = Release(front, tmp_path, "strict")
        code, err = release.publish("falsch-geheim")
        assert code == 4
        assert "check user and password" in err
        assert front.uploads == []
        assert release.publish()[0] == 0
        release.require_once()
        assert release.publish()[0] == 0
        assert len(front.uploads) == 4
        release.require_secret("falsch-geheim")
