"""Making an accelerated image, and exporting the native tools, without any engine."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.cli import main
from aarch64_wheels.commands import accelerate as command
from aarch64_wheels.commands.accelerate import run_accelerate, run_bundle
from aarch64_wheels.commands.inputs import Host
from aarch64_wheels.embedded.store import EmbeddedImage
from aarch64_wheels.engine.client import Engine
from aarch64_wheels.engine.sockets import Endpoint
from aarch64_wheels.errors import UnfitError, UsageError
from aarch64_wheels.native.accelerate import BASE_LABEL, KEY_LABEL, accelerate
from aarch64_wheels.native.bundle import Bundle
from aarch64_wheels.settings.schema import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
COMPONENTS = [{"name": "zig", "version": "1", "sha256": "0" * 64}]


@dataclass
class FakeEngine:
    """Holds images as the labels and the user they have, and keeps what it is asked to build."""

    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    builds: list[dict[str, Any]] = field(default_factory=list)
    members: list[tarfile.TarInfo] = field(default_factory=list)
    answers: list[dict[str, str]] = field(default_factory=list)

    def get(self, name: str) -> Any:
        config = self.images.get(name)
        if config is None:
            import docker.errors

            raise docker.errors.ImageNotFound(name)
        return SimpleNamespace(attrs={"Id": f"sha256:{name}", "Config": config})

    def inspect_image(self, name: str) -> dict[str, Any]:
        return {"Config": self.images[name]}

    def build(self, *, fileobj: Iterator[bytes], **options: Any) -> Iterator[dict[str, str]]:
        self.builds.append(options)
        with tarfile.open(fileobj=io.BytesIO(b"".join(fileobj))) as tar:
            self.members = tar.getmembers()
        self.images[options["tag"]] = {"Labels": options["labels"]}
        yield from self.answers

    def engine(self, architecture: str = "x86_64") -> Engine:
        client = SimpleNamespace(
            api=self,
            images=self,
            version=lambda: {"Version": "1"},
            info=lambda: {"Architecture": architecture},
        )
        return Engine(client, endpoint=Endpoint(url="unix:///x", origin="test"))


@pytest.fixture
def fake() -> FakeEngine:
    return FakeEngine(images={"base:1": {"Labels": None, "User": "builder"}})


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    place = tmp_path / "cache/k3y"
    (place / "bin").mkdir(parents=True)
    (place / "bin/cmake").symlink_to("../cmake/bin/cmake")
    (place / "shim").touch()
    (place / "manifest.json").write_text(json.dumps({"key": "k3y", "components": COMPONENTS}))
    return Bundle(directory=place, key="k3y")


def test_what_the_engine_is_asked_to_build(fake: FakeEngine, bundle: Bundle) -> None:
    accelerate(fake.engine(), "base:1", "fast:1", bundle, print)
    (options,) = fake.builds
    assert options["tag"] == "fast:1"
    assert options["platform"] == "linux/arm64"
    assert options["buildargs"] == {"BASE": "base:1", "BASE_USER": "builder"}
    assert options["labels"] == {KEY_LABEL: "k3y", BASE_LABEL: "sha256:base:1"}


def test_the_context_is_the_dockerfile_and_the_bundle(fake: FakeEngine, bundle: Bundle) -> None:
    accelerate(fake.engine(), "base:1", "fast:1", bundle, print)
    found = {member.name: member for member in fake.members}
    assert set(found) == {
        *("Dockerfile", "native", "native/bin", "native/bin/cmake", "native/shim"),
        "native/manifest.json",
    }
    assert found["native/bin/cmake"].linkname == "../cmake/bin/cmake"
    assert found["Dockerfile"].size == (REPOSITORY / "Dockerfile").stat().st_size


def test_a_second_time_nothing_is_built(fake: FakeEngine, bundle: Bundle) -> None:
    accelerate(fake.engine(), "base:1", "fast:1", bundle, print)
    accelerate(fake.engine(), "base:1", "fast:1", bundle, print)
    assert len(fake.builds) == 1
    other = Bundle(directory=bundle.directory, key="other")
    accelerate(fake.engine(), "base:1", "fast:1", other, print)
    assert len(fake.builds) == 2


def test_an_accelerated_image_is_not_accelerated_again(fake: FakeEngine, bundle: Bundle) -> None:
    accelerate(fake.engine(), "base:1", "fast:1", bundle, print)
    with pytest.raises(UsageError, match="accelerated image already"):
        accelerate(fake.engine(), "fast:1", "faster:1", bundle, print)


def test_the_builders_steps_are_told(fake: FakeEngine, bundle: Bundle) -> None:
    fake.answers = [
        {"stream": "Step 1/2 : ARG BASE\n"},
        {"stream": "\n"},
        {"stream": " ---> [Warning] The requested image's platform\n"},
        {"stream": "Successfully tagged fast:1\n"},
        {"aux": "sha256:1"},
    ]
    notes: list[str] = []
    accelerate(fake.engine(), "base:1", "fast:1", bundle, notes.append)
    assert notes[1:] == ["Step 1/2 : ARG BASE", "Successfully tagged fast:1"]


def test_a_build_that_fails(fake: FakeEngine, bundle: Bundle) -> None:
    fake.answers = [{"error": "exec format error\n"}]
    with pytest.raises(UnfitError, match="fast:1") as caught:
        accelerate(fake.engine(), "base:1", "fast:1", bundle, print)
    assert caught.value.found == "exec format error"


def test_a_bundle_that_cannot_be_read(fake: FakeEngine, tmp_path: Path) -> None:
    with pytest.raises(UnfitError, match="cannot read"):
        lost = Bundle(directory=tmp_path / "missing", key="k3y")
        accelerate(fake.engine(), "base:1", "fast:1", lost, print)


def test_the_dockerfile_is_the_packages_own_data() -> None:
    data = REPOSITORY / "src/aarch64_wheels/data/Dockerfile"
    assert data.resolve() == REPOSITORY / "Dockerfile"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, bundle: Bundle, fake: FakeEngine) -> dict[str, Any]:
    """What the command does in the end; it runs on x86-64."""
    asked: dict[str, Any] = {}

    def have_bundle(*_arguments: object, embedded: bool, **_options: object) -> Bundle:
        asked["embedded"] = embedded
        return bundle

    def keep(_engine: Engine, base: str, tag: str, *_rest: object) -> None:
        asked["image"] = (base, tag)

    host = SimpleNamespace(machine="x86_64", index=SimpleNamespace())
    monkeypatch.setattr(Host, "current", lambda _environ: host)
    monkeypatch.setattr(command, "connect", lambda *_arguments: fake.engine())
    monkeypatch.setattr(command, "ensure_emulation", lambda *_arguments, **_options: None)
    monkeypatch.setattr(command, "ensure_image", lambda *_arguments: "sha256:1")
    monkeypatch.setattr(EmbeddedImage, "ensure", lambda *_arguments: "debian:key")
    monkeypatch.setattr(command, "_bundle", have_bundle)
    monkeypatch.setattr(command, "accelerate", keep)
    return asked


REFERENCES = {
    "short-name": ("debian", "debian:key", True),
    "the-embedded-images-name": ("aarch64-wheels/debian", "debian:key", True),
    "reference": ("example.org/builder:3", "example.org/builder:3", False),
}


@pytest.mark.parametrize(
    ("reference", "base", "embedded"), REFERENCES.values(), ids=REFERENCES.keys()
)
def test_which_image_is_accelerated(
    tmp_path: Path, asked: dict[str, Any], reference: str, base: str, *, embedded: bool
) -> None:
    settings = Settings(cache_dir=tmp_path)
    assert run_accelerate(settings, {}, reference=reference, tag="fast:1") == 0
    assert asked == {"image": (base, "fast:1"), "embedded": embedded}


def test_nothing_is_accelerated_on_arm64(
    tmp_path: Path, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch, fake: FakeEngine
) -> None:
    monkeypatch.setattr(command, "connect", lambda *_arguments: fake.engine("aarch64"))
    with pytest.raises(UnfitError, match="x86-64 programs") as caught:
        run_accelerate(Settings(cache_dir=tmp_path), {}, reference="debian", tag="fast:1")
    assert "aarch64" in caught.value.found
    assert "image" not in asked


@pytest.mark.usefixtures("asked")
def test_the_export_holds_the_bundle_and_is_renewed(tmp_path: Path, bundle: Bundle) -> None:
    target, settings = tmp_path / "build/native", Settings(cache_dir=tmp_path)
    assert run_bundle(settings, {}, directory=target) == 0
    assert (target / "bin/cmake").readlink() == Path("../cmake/bin/cmake")
    (target / "shim").unlink()
    run_bundle(settings, {}, directory=target)
    assert not (target / "shim").exists()  # of the same key: it is there already
    older = json.dumps({"key": "older", "components": COMPONENTS})
    (target / "manifest.json").write_text(older)
    run_bundle(settings, {}, directory=target)
    assert (target / "shim").exists()
    assert json.loads((target / "manifest.json").read_text())["key"] == bundle.key


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(None, id="no manifest"),
        pytest.param('{"key": "of a browser extension"}', id="somebody else's manifest"),
        pytest.param('{"key": "k", "components": []}', id="without components"),
        pytest.param("[]", id="no object"),
    ],
)
def test_an_export_replaces_nothing_else(tmp_path: Path, manifest: str | None) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/work").touch()
    if manifest is not None:
        (tmp_path / "mine/manifest.json").write_text(manifest)
    with pytest.raises(UsageError, match="in the way"):
        run_bundle(Settings(cache_dir=tmp_path), {}, directory=tmp_path / "mine")
    assert (tmp_path / "mine/work").exists()


def test_the_command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[tuple[str, object]] = []

    def keep(settings: Settings, _environ: object, **options: object) -> int:
        calls.append((str(settings.cache_dir), options))
        return 0

    monkeypatch.setattr(command, "run_accelerate", keep)
    monkeypatch.setattr(command, "run_bundle", keep)
    cache = ["--cache-dir", str(tmp_path)]
    assert main(["image", "accelerate", "base:1", "--tag", "fast:1", *cache]) == 0
    assert main(["image", "bundle", "build/native", *cache]) == 0
    assert calls == [
        (str(tmp_path), {"reference": "base:1", "tag": "fast:1"}),
        (str(tmp_path), {"directory": Path("build/native")}),
    ]


def test_a_tag_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["image", "accelerate", "base:1"])
    assert caught.value.code == 2
    assert "--tag" in capsys.readouterr().err
