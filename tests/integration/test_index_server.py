"""A company's own index: the source and the build requirements come from a real server."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Run


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def index(spring: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """pypiserver with spring's sdist and the wheel of its build requirement, and nothing else."""
    packages = tmp_path_factory.mktemp("packages")
    build = [
        sys.executable,
        "-m",
        "uv",
        "build",
        "--sdist",
        "--out-dir",
        str(packages),
        str(spring),
    ]
    subprocess.run(build, check=True)
    download = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "-d",
        str(packages),
    ]
    subprocess.run([*download, "setuptools"], check=True)
    port = free_port()
    serve = [sys.executable, "-m", "pypiserver", "run", "--disable-fallback"]
    serve += ["-i", "127.0.0.1", "-p", str(port), str(packages)]
    with subprocess.Popen(serve) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/simple/")
            yield f"http://127.0.0.1:{port}/simple/"
        finally:
            server.terminate()


def wait_for(url: str) -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(url):  # noqa: S310 - our own server
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"{url} does not answer")


def test_source_and_build_requirements_come_from_the_configured_index(
    run: Run, index: str, spring_wheelhouse: Path, tmp_path: Path
) -> None:
    """The image and the native tools are kept from an earlier build; this index has neither."""
    assert spring_wheelhouse
    env = {"PIP_INDEX_URL": index, "PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": ""}
    arguments = ["--image=debian", "--python=cp314", "--output-dir", str(tmp_path)]
    cache = ["--cache-dir", str(tmp_path / "cache")]
    done = run("plan", "spring==1.0", *cache, env=env)
    assert done.returncode == 0, done.stderr
    done = run("build", "spring==1.0", *arguments, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.name.split("-")[2] for path in tmp_path.glob("*.whl")] == ["cp314"]


def test_a_release_that_the_index_lacks_is_not_looked_for_elsewhere(
    run: Run, index: str, tmp_path: Path
) -> None:
    env = {"PIP_INDEX_URL": index, "PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": ""}
    done = run("plan", "kiwisolver==1.4.7", "--cache-dir", tmp_path, env=env)
    assert done.returncode == 2
    assert "kiwisolver" in done.stderr


def test_a_project_without_an_sdist_is_told_with_what_it_has(
    run: Run, index: str, tmp_path: Path
) -> None:
    env = {"PIP_INDEX_URL": index, "PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": ""}
    done = run("plan", "setuptools", "--cache-dir", tmp_path, env=env)
    assert done.returncode == 2
    assert "no sdist" in done.stderr
    assert "py3-none-any.whl" in done.stderr
