"""Containers of a real engine: what they begin with, what is kept of them, and that they go."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.engine.bridge import changing_bridge
from aarch64_wheels.engine.client import Engine, connect
from aarch64_wheels.engine.kept import is_kept
from aarch64_wheels.engine.spec import CA_BUNDLE, ContainerSpec
from aarch64_wheels.engine.sweep import sweep
from aarch64_wheels.errors import StageError
from aarch64_wheels.settings.schema import EngineName
from tests.integration.session_samples import WORK, no_sink, shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aarch64_wheels.engine.container import ContainerSession


def new_engine() -> Engine:
    return connect(EngineName.AUTO, os.environ)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = new_engine()
    yield engine
    engine.close_all()


def exists(engine: Engine, name: str) -> bool:
    found = engine.client.api.containers(all=True, filters={"name": name})
    return bool(found)


def test_the_ca_bundle_is_a_read_only_copy(
    engine: Engine, debian_image: str, tmp_path: Path
) -> None:
    bundle = tmp_path / "company.pem"
    bundle.write_text("certificate")
    with engine.start_session(debian_image, ContainerSpec(ca_bundle=bundle)) as session:
        assert session.capture(["cat", CA_BUNDLE]) == "certificate"
        assert session.capture(["stat", "-c", "%a %U", CA_BUNDLE]) == "444 root\n"


def fail_inside(engine: Engine, session: ContainerSession, error: BaseException) -> None:
    with session:
        assert exists(engine, session.name)
        raise error


@pytest.mark.parametrize("error", [RuntimeError(), KeyboardInterrupt(), SystemExit()], ids=repr)
def test_no_container_is_left(engine: Engine, debian_image: str, error: BaseException) -> None:
    session = engine.start_session(debian_image)
    with pytest.raises(type(error)):
        fail_inside(engine, session, error)
    assert not exists(engine, session.name)


def test_a_session_that_cannot_start_leaves_nothing(engine: Engine) -> None:
    session = engine.start_session("aarch64-wheels/no-such-image:1")
    with pytest.raises(StageError, match="cannot start"), session:
        pass
    assert not exists(engine, session.name)


def sleep_until_interrupted(engine: Engine, session: ContainerSession) -> None:
    with session:
        threading.Timer(1.0, engine.close_all).start()
        session.run(["sleep", "60"], sink=no_sink)


def test_close_all_ends_a_running_command(debian_image: str) -> None:
    engine = new_engine()
    session = engine.start_session(debian_image)
    with pytest.raises(StageError, match="interrupted"):
        sleep_until_interrupted(engine, session)
    assert not exists(engine, session.name)
    with pytest.raises(StageError, match="interrupted"), engine.start_session(debian_image):
        pass


def test_a_vanished_container_is_a_clear_error(engine: Engine, debian_image: str) -> None:
    with engine.start_session(debian_image) as session:
        engine.client.api.remove_container(session.name, force=True)
        with pytest.raises(StageError, match=r"(?i)no such container"):
            session.run(["true"], sink=no_sink)


CHILD = textwrap.dedent("""
    import os, sys, time
    from aarch64_wheels.engine.client import connect
    from aarch64_wheels.settings.schema import EngineName

    with connect(EngineName.AUTO, os.environ).start_session(sys.argv[1]) as session:
        print(session.name, flush=True)
        time.sleep(600)
""")


def test_sweep_takes_the_dead_and_leaves_the_living(engine: Engine, debian_image: str) -> None:
    argv = [sys.executable, "-c", CHILD, debian_image]
    with (
        subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as child,
        engine.start_session(debian_image) as living,
    ):
        assert child.stdout is not None
        orphan = child.stdout.readline().strip()
        assert orphan not in sweep(engine)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert orphan in sweep(engine)
        assert not exists(engine, orphan)
        assert exists(engine, living.name)


def test_what_is_kept_begins_the_next_session_and_holds_no_variables(
    engine: Engine, debian_image: str
) -> None:
    name = f"aarch64-wheels/environment:test-{os.getpid()}"
    spec = ContainerSpec(environment={"UV_INDEX": "https://me:hush@index.example"}, keep_as=name)
    note = WORK / "note"
    try:
        with engine.start_session(debian_image, spec) as first:
            assert first.capture(shell("echo $UV_INDEX")) == "https://me:hush@index.example\n"
            first.write(note, b"kept")
            first.keep()
            first.write(note, b"changed after")
        assert is_kept(engine, name)
        with engine.start_session(name, spec) as second:
            assert (first.is_prepared, second.is_prepared) == (False, True)
            assert second.read(note, 100) == b"kept"
        assert "hush" not in str(engine.client.images.get(name).attrs)
    finally:
        engine.forget_image(name)
    assert not is_kept(engine, name)


def test_docker_s_own_proxies_reach_commands_and_are_not_kept(
    debian_image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = "http://me:hush@proxy.example:3128"
    (tmp_path / "config.json").write_text(
        json.dumps({"proxies": {"default": {"httpProxy": proxy, "noProxy": "here.example"}}})
    )
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    own = new_engine()
    spec = ContainerSpec(environment={"no_proxy": "there.example"})
    with own.start_session(debian_image, spec) as session:
        told = session.capture(shell("echo $HTTP_PROXY $no_proxy"))
        assert "hush" not in str(own.client.api.inspect_container(session.name))
    assert told.split() == [proxy, "there.example"]


def test_the_bridge_keeps_its_address(engine: Engine) -> None:
    """Or containers would be cut off for half a minute as others start and end."""
    assert changing_bridge(engine) is None
