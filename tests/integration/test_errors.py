"""Each way in which a machine or an input is not fit: its exit code and its words."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.emulation.probe_elf import image_archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aarch64_wheels.engine.client import Engine
    from tests.integration.conftest import Run


@pytest.fixture(scope="module")
def nameless_image(shared_engine: Engine, debian_image: str) -> Iterator[str]:
    """The embedded image under a name that the catalogue does not know."""
    name = "local/nameless:1"
    repository, _, tag = name.partition(":")
    shared_engine.client.images.get(debian_image).tag(repository, tag)
    yield name
    shared_engine.client.images.remove(name)


@pytest.fixture(scope="module")
def amd64_image(shared_engine: Engine) -> Iterator[str]:
    name = "local/foreign:1"
    shared_engine.load_stream(image_archive(tag=name, architecture="amd64"))
    yield name
    shared_engine.client.images.remove(name)


def test_no_engine(run: Run, spring: Path, tmp_path: Path) -> None:
    nowhere = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    done = run("build", spring, "--engine=docker", "--output-dir", tmp_path / "out", env=nowhere)
    assert done.returncode == 3
    assert "/nonexistent/docker.sock" in done.stderr
    assert "doctor --fix" in done.stderr


def test_an_image_that_cannot_be_pulled_names_the_embedded_one(
    run: Run, spring: Path, tmp_path: Path
) -> None:
    done = run("build", spring, "--image=localhost:1/nobody/there:1", "--output-dir", tmp_path)
    assert done.returncode == 3
    assert "localhost:1/nobody/there:1" in done.stderr
    assert "--image debian" in done.stderr


def test_an_image_of_another_architecture(
    run: Run, spring: Path, amd64_image: str, tmp_path: Path
) -> None:
    done = run("build", spring, "--image", amd64_image, "--output-dir", tmp_path)
    assert done.returncode == 3
    assert "not for aarch64" in done.stderr
    assert "amd64" in done.stderr


def test_an_interpreter_that_the_catalogue_knows_the_image_lacks(
    run: Run, spring: Path, tmp_path: Path
) -> None:
    done = run("build", spring, "--image=debian", "--python=cp312", "--output-dir", tmp_path)
    assert done.returncode == 3
    assert "cp313" in done.stderr


def test_an_interpreter_that_only_the_image_can_tell_it_lacks(
    run: Run, spring: Path, nameless_image: str, tmp_path: Path
) -> None:
    arguments = ["--image", nameless_image, "--python=cp312"]
    done = run("build", spring, *arguments, "--output-dir", tmp_path)
    assert done.returncode == 3
    assert "cp312" in done.stderr
    assert "cp313-cp313" in done.stderr


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("kiwisolver==0.0.0.1", "kiwisolver"),
        ("./no/such/place", "does not exist"),
        ("a project", "not a source"),
    ],
    ids=["no-such-release", "no-such-directory", "not-a-requirement"],
)
def test_sources_that_are_none(run: Run, source: str, words: str, tmp_path: Path) -> None:
    done = run("build", source, "--image=debian", "--output-dir", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr


def test_a_source_without_build_metadata(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = run("build", tmp_path / "empty", "--image=debian", "--output-dir", tmp_path / "out")
    assert done.returncode == 2
    assert "without build metadata" in done.stderr


def test_an_output_directory_that_is_a_file(run: Run, spring: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    done = run("build", spring, "--image=debian", "--output-dir", tmp_path / "out")
    assert done.returncode == 3
    assert "not a directory" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_with_too_little_space(run: Run, spring: Path, tmp_path: Path) -> None:
    from aarch64_wheels.host import call

    small = tmp_path / "small"
    small.mkdir()
    call(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], sink=print)
    try:
        done = run("build", spring, "--image=debian", "--output-dir", small)
    finally:
        call(["umount", small], sink=print)
    assert done.returncode == 3
    assert "too little disk space" in done.stderr


def test_no_traceback_without_debug(run: Run, tmp_path: Path) -> None:
    plain = run("plan", tmp_path / "nothing")
    debug = run("plan", tmp_path / "nothing", "--debug")
    assert "Traceback" not in plain.stderr
    assert "Traceback" in debug.stderr
    assert len(plain.stderr.strip().splitlines()) <= 4
