"""Who provides QEMU, and in which order."""

from __future__ import annotations

from typing import Any

import docker.errors
import pytest

from aarch64_wheels.emulation.probe import ProbeResult
from aarch64_wheels.emulation.providers import Provider, default_providers, ensure_emulation
from aarch64_wheels.engine.owner import Owner
from aarch64_wheels.engine.registry import ContainerRegistry
from aarch64_wheels.errors import UnfitError


class FakeEngine:
    """An engine whose probe succeeds once `working` is set."""

    def __init__(self) -> None:
        self.working = False
        self.local = False
        self.probes = 0

    def __str__(self) -> str:
        return "fake engine"

    def probe(self, _engine: Any) -> ProbeResult:
        self.probes += 1
        return ProbeResult(ok=True) if self.working else ProbeResult(ok=False, reason="no QEMU")


def ensure(engine: Any, *providers: Provider, fix: bool = True, machine: str = "x86_64") -> None:
    ensure_emulation(
        engine, fix=fix, sink=print, machine=machine, providers=providers, probe=engine.probe
    )


def fails(_engine: Any, _sink: Any) -> None:
    raise UnfitError("no apt here")


def pretends(_engine: Any, _sink: Any) -> None:
    """End well without having done anything, as the common installer image does."""


def works(engine: Any, _sink: Any) -> None:
    engine.working = True


@pytest.mark.parametrize("machine", ["aarch64", "arm64"])
def test_an_arm64_host_is_not_even_probed(machine: str) -> None:
    engine = FakeEngine()
    ensure(engine, Provider(name="x", provide=fails), machine=machine)
    assert engine.probes == 0


def test_what_works_is_left_alone() -> None:
    engine = FakeEngine()
    engine.working = True
    ensure(engine, Provider(name="x", provide=fails))
    assert engine.probes == 1


def test_without_fix_nothing_is_provided() -> None:
    engine = FakeEngine()
    with pytest.raises(UnfitError, match="no QEMU") as caught:
        ensure(engine, Provider(name="x", provide=works), fix=False)
    assert not engine.working
    assert "doctor --fix" in caught.value.hint


def test_providers_are_tried_in_order_until_the_probe_succeeds() -> None:
    engine = FakeEngine()
    chain = [fails, pretends, works, fails]
    ensure(engine, *(Provider(name=str(n), provide=p) for n, p in enumerate(chain)))
    assert engine.probes == 3  # at first, after the pretender, after the one that works


def test_the_error_tells_what_each_provider_said() -> None:
    with pytest.raises(UnfitError) as caught:
        ensure(
            FakeEngine(),
            Provider(name="package", provide=fails),
            Provider(name="image", provide=pretends),
        )
    assert caught.value.found == "package: no apt here; image: no QEMU"
    assert "doctor --fix" not in caught.value.hint  # that is what has just failed
    assert "qemu-user-static binfmt-support" in caught.value.hint


def test_images_come_last_and_are_pinned_by_digest() -> None:
    names = [provider.name for provider in default_providers()]
    assert names[:2] == ["the installed QEMU", "the distribution's package"]
    assert [name.split("/")[-1] for name in names[2:]] == ["binfmt", "qemu-user-static"]


class FakeImages:
    """The part of docker-py that the image providers use."""

    def __init__(self, failure: BaseException | None) -> None:
        self.failure = failure
        self.api = self
        self.removed: list[str] = []
        self.images = self
        self.containers = self
        self.asked: list[Any] = []

    def pull(self, reference: str) -> None:
        self.asked.append(reference)

    def run(self, reference: str, arguments: list[str], **options: Any) -> bytes:
        self.asked.append((reference, arguments, options))
        if self.failure:
            raise self.failure
        return b"installing: arm64 OK\n"

    def remove_container(self, name: str, **_options: Any) -> None:
        self.removed.append(name)


def engine_with_images(failure: BaseException | None = None) -> Any:
    engine: Any = FakeEngine()
    engine.client = FakeImages(failure)
    engine.containers = ContainerRegistry(engine.client)
    return engine


def test_an_image_provider_runs_it_privileged_and_removed() -> None:
    engine = engine_with_images()
    said: list[str] = []
    default_providers()[2].provide(engine, said.append)
    pulled, (ran, arguments, options) = engine.client.asked
    assert pulled == ran
    assert "@sha256:" in ran
    assert arguments == ["--install", "arm64"]
    assert options["privileged"]
    assert Owner.from_labels(options["labels"]) == Owner.current()
    assert engine.client.removed == [options["name"]]
    assert said[-1] == "installing: arm64 OK"


FAILURES = {
    "engine": (docker.errors.DockerException("no space"), UnfitError),
    "interrupt": (KeyboardInterrupt(), KeyboardInterrupt),
}


@pytest.mark.parametrize(("failure", "expected"), FAILURES.values(), ids=FAILURES.keys())
def test_an_image_providers_container_goes_on_every_path(
    failure: BaseException, expected: type[BaseException]
) -> None:
    engine = engine_with_images(failure)
    with pytest.raises(expected):
        default_providers()[2].provide(engine, print)
    assert len(engine.client.removed) == 1


@pytest.mark.parametrize("position", [0, 1])
def test_a_remote_engine_is_not_helped_by_this_hosts_kernel(position: int) -> None:
    engine: Any = FakeEngine()
    with pytest.raises(UnfitError, match="another machine"):
        default_providers()[position].provide(engine, print)


@pytest.mark.parametrize(("architecture", "probes"), [("aarch64", 0), ("x86_64", 1)])
def test_the_engines_machine_counts_and_not_this_one(architecture: str, probes: int) -> None:
    engine: Any = FakeEngine()
    engine.working = True
    engine.architecture = architecture
    ensure_emulation(engine, fix=False, sink=print, providers=(), probe=engine.probe)
    assert engine.probes == probes
