"""`build` on a bench: one source, one engine, and every part around it replaced."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.commands import build, fit, rooms
from aarch64_wheels.commands.build import run_build
from aarch64_wheels.settings.schema import Mode, Settings
from tests.layers import layers_of
from tests.unit.fake_engine import KeptImages
from tests.unit.stage_samples import good_session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from aarch64_wheels.engine.spec import ContainerSpec
    from tests.unit.fake_session import FakeSession

PROJECT = """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[project]
name = "fast"
version = "1.0"
"""


@dataclass(kw_only=True)
class FakeEngine(KeptImages):
    """An engine on an arm64 machine, whose containers go well unless a test says otherwise."""

    make: Callable[[], FakeSession]
    architecture: str = "aarch64"
    cores: int = 4
    sessions: list[FakeSession] = field(default_factory=list)
    swept: list[Any] = field(default_factory=list)
    closed: int = 0

    def image_id(self, reference: str) -> str:
        return f"sha256:{reference}"

    def start_session(self, reference: str, spec: ContainerSpec) -> FakeSession:
        session = self.make()
        session.is_prepared = reference == spec.keep_as

        def keep(_session: FakeSession) -> str:
            self.kept.add(spec.keep_as)
            return ""

        session.effects = {**session.effects, "keep": keep}
        self.sessions.append(session)
        return session

    @property
    def entered(self) -> list[FakeSession]:
        return [session for session in self.sessions if session.commands]

    def close_all(self) -> None:
        self.closed += 1

    def __str__(self) -> str:
        return "docker 29"


@dataclass(kw_only=True)
class Listener:
    """An observer that keeps notes and the report."""

    notes: list[str] = field(default_factory=list)
    reports: list[Any] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def finished(self, report: Any) -> None:
        self.reports.append(report)

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Hear the rest, and do nothing."""
        assert name in {
            *("started", "stage_started", "output", "stage_finished", "target_finished"),
        }
        return lambda *_arguments: None


@dataclass(kw_only=True)
class Bench:
    """One source, one engine, and runs of `build`."""

    settings: Settings
    engine: FakeEngine
    listener: Listener = field(default_factory=Listener)

    @property
    def output(self) -> Path:
        return self.settings.output_dir

    def run(self, environ: Mapping[str, str] | None = None, **changes: Any) -> tuple[int, Any]:
        settings = replace(self.settings, **changes)
        observer: Any = self.listener
        variables = {"PATH": os.environ["PATH"], **(environ or {})}
        return run_build(layers_of(settings), variables, observer)


def make_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench on which `build` of a small project goes well; HOME is there, too."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project/pyproject.toml").write_text(PROJECT)
    engine = FakeEngine(make=lambda: good_session(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(build, "connect", lambda *_arguments: engine)
    monkeypatch.setattr(fit, "check_space", lambda *_arguments, **_options: None)
    monkeypatch.setattr(fit, "sweep", lambda *_arguments: ())
    monkeypatch.setattr(fit, "remove_kept", engine.swept.append)
    monkeypatch.setattr(rooms, "ensure_image", lambda _engine, image, _note: image.reference)
    monkeypatch.setattr(rooms, "interpreters_of", lambda *_arguments: {"cp313-cp313"})
    settings = Settings(
        source=str(tmp_path / "project"),
        python=("cp313",),
        output_dir=tmp_path / "project/wheelhouse",
        cache_dir=tmp_path / "cache",
        mode=Mode.EMULATED,
    )
    return Bench(settings=settings, engine=engine)


def refuse_containers(bench: Bench) -> None:
    """Fail the test where a container is started."""

    def refuse() -> FakeSession:
        pytest.fail("a container is started")

    bench.engine.make = refuse
