"""`image list` and `image build debian`, without any engine."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.catalogue import images
from aarch64_wheels.commands import image
from aarch64_wheels.commands.image import run_build_image, run_list_images
from aarch64_wheels.embedded.recipe import load_recipe
from aarch64_wheels.embedded.store import EmbeddedImage
from aarch64_wheels.settings.schema import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TAG = "aarch64-wheels/debian:key"


def test_the_list_has_every_image_with_a_short_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS")
    assert run_list_images({}, as_json=False) == 0
    lines = capsys.readouterr().out.splitlines()
    for row in images():
        (line,) = [line for line in lines if re.search(rf"\s{row.name}\s", line)]
        assert row.reference in line
        assert row.policy in line
        assert ("assembled here" in line) is (row.name == "debian")


def test_a_narrow_terminals_list_cuts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_list_images({"COLUMNS": "80"}, as_json=False) == 0
    output = capsys.readouterr().out
    assert all(len(line) <= 80 for line in output.splitlines())
    assert "…" not in output
    cells = [line.rpartition("│")[0].rpartition("│")[2] for line in output.splitlines()]
    references = "".join(cells).replace(" ", "")
    assert all(row.reference in references for row in images())


def test_the_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_list_images({}, as_json=True) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == [row.name for row in images()]
    pinned = {row["name"]: "@sha256:" in row["reference"] for row in rows}
    assert {name for name, is_pinned in pinned.items() if not is_pinned} == {"debian"}
    assert all(row["interpreters"] for row in rows)


@dataclass
class Calls:
    """Which way the image was asked for."""

    made: list[tuple[str, Any]] = field(default_factory=list)

    def method(self, name: str) -> Callable[..., str]:
        def call(
            _image: EmbeddedImage, engine: object, note: Callable[[str], None], *rest: Any
        ) -> str:
            note("working")
            self.made.append((name, (engine, *rest)))
            return TAG

        return call


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    calls = Calls()
    for name in ("ensure", "refresh", "rebuild"):
        monkeypatch.setattr(EmbeddedImage, name, calls.method(name))
    monkeypatch.setattr(image, "connect", lambda name, _environ: f"the engine {name}")
    return calls


WAYS = {
    "as-kept": (False, False, ("ensure", ("the engine auto",))),
    "refresh": (False, True, ("refresh", ("the engine auto",))),
    "no-cache": (True, False, ("rebuild", ("the engine auto", load_recipe().sets))),
    "both": (True, True, ("rebuild", ("the engine auto", load_recipe().sets))),
}


@pytest.mark.parametrize(("no_cache", "refresh", "expected"), WAYS.values(), ids=WAYS.keys())
def test_how_the_image_is_made(
    tmp_path: Path,
    calls: Calls,
    capsys: pytest.CaptureFixture[str],
    *,
    no_cache: bool,
    refresh: bool,
    expected: tuple[str, Any],
) -> None:
    settings = Settings(cache_dir=tmp_path, no_cache=no_cache)
    assert run_build_image(settings, {}, refresh=refresh) == 0
    assert calls.made == [expected]
    lines = capsys.readouterr().out.splitlines()
    assert all(re.match(r" +\d+\.\d s  \S", line) for line in lines)
    assert [line.partition(" s  ")[2] for line in lines] == ["working", f"{TAG} is ready"]
