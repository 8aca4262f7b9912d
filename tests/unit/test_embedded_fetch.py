"""Fetching, with programs on PATH that stand in for mmdebstrap and apt-get."""

from __future__ import annotations

import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.embedded.fetch import (
    current_release,
    fetch_set,
    is_fetched,
    release_of,
    source_of,
)
from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.embedded.recipe import PackageSet
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.processes import Processes

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = PackageSet(
    name="userland",
    suite="forky",
    architecture="arm64",
    into="/",
    closure=("bash", "coreutils"),
    alone=("libpython3.13-dev",),
)

#: Makes a scratch root as the real one does, runs the extract hook there, and keeps its arguments.
MMDEBSTRAP = r"""#!/bin/sh
set -eu
printf '%s\n' "$@" > "$LOGS/mmdebstrap"
echo run >> "$LOGS/runs"
root="$LOGS/root"
mkdir -p "$root/etc/apt" "$root/var/lib/apt/lists"
printf 'deb the suite\ndeb its updates\n' > "$root/etc/apt/sources.list"
printf 'signed' > "$root/var/lib/apt/lists/mirror_dists_forky_InRelease"
export MMDEBSTRAP_APT_CONFIG="$LOGS/apt.conf"
for argument; do case $argument in --extract-hook=*) hook=${argument#--extract-hook=};; esac; done
sh -euc "$hook" exec "$root"
cp "$root/etc/apt/sources.list" "$LOGS"
"""

#: Leaves a .deb for each name: in its cache for `install`, where it runs for `download`.
APT_GET = r"""#!/bin/sh
set -eu
echo "$APT_CONFIG $*" >> "$LOGS/apt-get"
into=.
for word; do case $word in
    Dir::Cache::archives=*) into=${word#*=};;
    install) place=$into;;
    download) place=.;;
    -*) ;;
    *) [ -z "${place-}" ] || touch "$place/${word}_1_arm64.deb";;
esac; done
"""


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the stand-ins keep what they were asked; they come first on PATH."""
    write_script(tmp_path / "bin/mmdebstrap", MMDEBSTRAP)
    write_script(tmp_path / "bin/apt-get", APT_GET)
    (tmp_path / "logs").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setenv("LOGS", str(tmp_path / "logs"))
    return tmp_path / "logs"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "a cache" / "userland-key"


def _runs(logs: Path) -> int:
    return len((logs / "runs").read_text().splitlines())


def test_a_set_is_fetched_with_and_without_dependencies(logs: Path, directory: Path) -> None:
    names = [path.name for path in fetch_set(PACKAGES, directory, Processes())]
    assert names == ["bash_1_arm64.deb", "coreutils_1_arm64.deb", "libpython3.13-dev_1_arm64.deb"]
    install, download = (logs / "apt-get").read_text().splitlines()
    assert "--download-only --no-install-recommends bash coreutils" in install
    assert download.endswith("download libpython3.13-dev")
    # Not into the place itself: nobody takes a set that is half there for a whole one.
    assert f"Dir::Cache::archives={directory}.partial" in install
    assert install.startswith(f"{logs}/apt.conf ")


def test_what_mmdebstrap_is_asked(logs: Path, directory: Path) -> None:
    fetch_set(PACKAGES, directory, Processes())
    *options, suite, destination = (logs / "mmdebstrap").read_text().splitlines()
    assert (suite, destination) == ("forky", "-")
    assert {"--variant=extract", "--architectures=arm64", "--format=null"} <= set(options)
    assert '--aptopt=Acquire::Check-Valid-Until "false"' in options


def test_only_the_suite_itself_is_used(logs: Path, directory: Path) -> None:
    fetch_set(PACKAGES, directory, Processes())
    assert (logs / "sources.list").read_text() == "deb the suite\n"


def test_the_source_is_the_suites_line(logs: Path, directory: Path) -> None:
    line = "deb [arch=arm64 signed-by=/key.gpg] http://mirror.example/debian bullseye main"
    script = MMDEBSTRAP.replace("deb the suite", line)
    write_script(logs.parent / "bin/mmdebstrap", script)
    fetch_set(PACKAGES, directory, Processes())
    assert source_of(directory) == ("http://mirror.example/debian", "bullseye")


@pytest.mark.parametrize("text", [None, "", "deb-src a b c\n"], ids=["none", "empty", "another"])
def test_a_source_that_says_nothing(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "source").write_text(text)
    with pytest.raises(UnfitError, match="which mirror") as caught:
        source_of(tmp_path)
    assert "--no-cache" in caught.value.hint


def test_the_release_is_the_hash_of_what_the_suite_signed(logs: Path, directory: Path) -> None:
    fetch_set(PACKAGES, directory, Processes())
    assert release_of(directory) == hashlib.sha256(b"signed").hexdigest()
    assert _runs(logs) == 1


@pytest.mark.parametrize(
    ("changes", "calls"),
    [
        pytest.param({"closure": ()}, 1, id="alone-only"),
        pytest.param({"alone": ()}, 1, id="closure-only"),
        pytest.param({"closure": (), "alone": ()}, 0, id="nothing"),
    ],
)
@pytest.mark.usefixtures("logs")
def test_apt_is_asked_for_what_there_is(
    logs: Path, directory: Path, changes: dict[str, tuple[str, ...]], calls: int
) -> None:
    fetch_set(replace(PACKAGES, **changes), directory, Processes())  # type: ignore[arg-type]
    log = logs / "apt-get"
    assert len(log.read_text().splitlines() if log.exists() else []) == calls


@pytest.mark.parametrize(
    ("machine", "expected"), [("x86_64", "amd64"), ("aarch64", "arm64"), ("riscv64", "riscv64")]
)
def test_the_hosts_own_architecture(
    logs: Path, directory: Path, monkeypatch: pytest.MonkeyPatch, machine: str, expected: str
) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine=machine))
    fetch_set(replace(PACKAGES, architecture="host"), directory, Processes())
    assert f"--architectures={expected}" in (logs / "mmdebstrap").read_text().splitlines()


def test_a_complete_set_is_fetched_once(logs: Path, directory: Path) -> None:
    assert fetch_set(PACKAGES, directory, Processes()) == fetch_set(
        PACKAGES, directory, Processes()
    )
    assert _runs(logs) == 1


def test_an_incomplete_set_is_fetched_anew_from_nothing(logs: Path, directory: Path) -> None:
    directory.mkdir(parents=True)
    (directory / "half_1_arm64.deb").write_bytes(b"half")
    names = [path.name for path in fetch_set(PACKAGES, directory, Processes())]
    assert ("half_1_arm64.deb" in names, len(names), _runs(logs)) == (False, 3, 1)


def test_what_a_killed_fetch_has_left_is_no_part_of_the_set(logs: Path, directory: Path) -> None:
    draft = directory.with_name("userland-key.partial")
    draft.mkdir(parents=True)
    (draft / "half_1_arm64.deb").write_bytes(b"half")
    names = [path.name for path in fetch_set(PACKAGES, directory, Processes())]
    assert ("half_1_arm64.deb" in names, len(names), _runs(logs)) == (False, 3, 1)
    assert not draft.exists()


def test_two_at_a_time_fetch_once(logs: Path, directory: Path) -> None:
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda _: fetch_set(PACKAGES, directory, Processes()), range(2)))
    assert (len(found[0]), found[0] == found[1], _runs(logs)) == (3, True, 1)


@pytest.mark.usefixtures("logs")
def test_an_interrupt_ends_the_fetch_and_leaves_no_set(tmp_path: Path, directory: Path) -> None:
    script = '#!/bin/sh\nmkdir -p "$DEBS_INTO"\necho > "$LOGS/began"\nexec sleep 60\n'
    write_script(tmp_path / "bin/mmdebstrap", script)
    group, started = Processes(), time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        fetching = pool.submit(fetch_set, PACKAGES, directory, group)
        while not (tmp_path / "logs/began").exists():
            assert time.monotonic() - started < 10
            time.sleep(0.02)
        group.kill_all()
        assert isinstance(fetching.exception(timeout=10), UnfitError)
    assert time.monotonic() - started < 10
    assert not is_fetched(directory)


@pytest.mark.usefixtures("logs")
def test_a_failed_fetch_tells_apts_errors_and_where_the_log_is(
    tmp_path: Path, directory: Path
) -> None:
    text = "Reading package lists...\\nE: Unable to locate package libc7\\nI: bye"
    script = f'#!/bin/sh\nmkdir -p "$DEBS_INTO"\nprintf "{text}\\n"\nexit 100\n'
    write_script(tmp_path / "bin/mmdebstrap", script)
    with pytest.raises(UnfitError, match=r"set 'userland' \(forky\)") as caught:
        fetch_set(PACKAGES, directory, Processes())
    log = directory.with_name("userland-key.log")
    assert caught.value.found == "E: Unable to locate package libc7"
    assert str(log) in caught.value.hint
    assert "Reading package lists" in log.read_text()


def test_after_a_failure_the_next_run_starts_anew(
    logs: Path, tmp_path: Path, directory: Path
) -> None:
    write_script(tmp_path / "bin/apt-get", APT_GET + "exit 100\n")
    with pytest.raises(UnfitError):
        fetch_set(PACKAGES, directory, Processes())
    write_script(tmp_path / "bin/apt-get", APT_GET)
    assert (len(fetch_set(PACKAGES, directory, Processes())), _runs(logs)) == (3, 2)


@pytest.mark.usefixtures("logs")
def test_a_failure_without_an_error_line_shows_the_last_lines(
    tmp_path: Path, directory: Path
) -> None:
    write_script(tmp_path / "bin/mmdebstrap", "#!/bin/sh\nseq 1 9\nexit 1\n")
    with pytest.raises(UnfitError) as caught:
        fetch_set(PACKAGES, directory, Processes())
    assert caught.value.found == "7; 8; 9"


def test_no_mmdebstrap(tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnfitError, match="mmdebstrap"):
        fetch_set(PACKAGES, directory, Processes())


def test_the_current_release_needs_no_package(logs: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert current_release(PACKAGES, cache, Processes()) == hashlib.sha256(b"signed").hexdigest()
    assert not (logs / "apt-get").exists()
    assert list(cache.iterdir()) == []
