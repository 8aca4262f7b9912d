"""An image that is not one to build in is named, with what there is to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import pytest

from aarch64_wheels.engine.container import ContainerSession
from aarch64_wheels.engine.create_args import CreateArgs, read_create_args
from aarch64_wheels.engine.images import interpreters_of
from aarch64_wheels.engine.registry import ContainerRegistry
from aarch64_wheels.engine.spec import ContainerSpec
from aarch64_wheels.errors import CommandError, ExitCode, StageError, UnfitError
from aarch64_wheels.plan import Image

if TYPE_CHECKING:
    from types import TracebackType

IMAGE = Image(
    name="quay.io/a/b:1",
    reference="quay.io/a/b:1",
    policy="manylinux_2_17_aarch64",
    libc="glibc",
    interpreters=None,
)


class FakeSession:
    """A session that starts, or not, and answers, or not."""

    def __init__(self, *, start: StageError | None = None, answer: str | StageError = "") -> None:
        self.start = start
        self.answer = answer

    def __enter__(self) -> Self:
        if self.start:
            raise self.start
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def capture(self, _argv: Any, **_options: Any) -> str:
        if isinstance(self.answer, StageError):
            raise self.answer
        return self.answer


def test_interpreters_are_listed() -> None:
    session: Any = FakeSession(answer="/opt/python/cp313-cp313/bin/python\n")
    assert interpreters_of(IMAGE, session, CreateArgs()) == {"cp313-cp313"}


UNFIT = {
    "no sleep": FakeSession(start=StageError("cannot start sha256:1", found="sleep: not found")),
    "no shell": FakeSession(answer=CommandError(("/bin/sh",), 127, "sh: not found")),
    "a container that vanished": FakeSession(answer=StageError("is not running: not found")),
}


@pytest.mark.parametrize("session", UNFIT.values(), ids=UNFIT.keys())
def test_an_image_that_cannot_be_built_in(session: Any) -> None:
    with pytest.raises(UnfitError, match=r"the image quay\.io/a/b:1 cannot be built in") as caught:
        interpreters_of(IMAGE, session, CreateArgs())
    assert caught.value.exit_code is ExitCode.UNFIT
    assert "not found" in caught.value.found
    assert caught.value.hint.startswith("it needs `sleep`, a shell")
    assert "--image" in caught.value.hint


def test_what_the_user_wants_of_containers_may_be_why_none_starts() -> None:
    given = read_create_args("docker; create_args: -m 1k -e TOKEN=S3CRET --init", {})
    session: Any = FakeSession(start=StageError("cannot start", found="Minimum memory is 6MB"))
    with pytest.raises(UnfitError) as caught:
        interpreters_of(IMAGE, session, given)
    hint = caught.value.hint
    assert hint.startswith("mend the create_args of `container-engine` (--memory, --env), or ")
    assert "--image" in hint
    assert "S3CRET" not in str(caught.value)


class FakeApi:
    """Docker's API, of an engine whose containers are running or not."""

    def __init__(self, *, running: bool) -> None:
        self.running = running
        self.api = self
        self.removed = False

    def inspect_container(self, _name: str) -> dict[str, Any]:
        return {"State": {"Running": self.running}}

    def logs(self, _name: str, **_options: Any) -> bytes:
        return b"sleep: invalid number 'infinity'\n"

    def remove_container(self, _name: str, **_options: Any) -> None:
        self.removed = True

    def create_host_config(self, **_options: Any) -> dict[str, Any]:
        return {}

    def create_container(self, _image: str, **_options: Any) -> None:
        pass

    def start(self, _name: str) -> None:
        pass


def session_of(client: FakeApi) -> ContainerSession:
    return ContainerSession(client, "sha256:1", ContainerSpec(), ContainerRegistry(client))


def test_a_container_that_ends_at_once_is_told_and_removed() -> None:
    client = FakeApi(running=False)
    with pytest.raises(StageError, match="ended as soon as") as caught, session_of(client):
        pytest.fail("was entered")
    assert caught.value.found == "sleep: invalid number 'infinity'"
    assert client.removed


def test_a_container_that_runs_is_entered() -> None:
    client = FakeApi(running=True)
    with session_of(client):
        assert not client.removed
    assert client.removed
