"""The settings of a build: one frozen object, made once at the edge (see `layers`)."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path


class Mode(enum.StrEnum):
    """How the build runs on this host (DESIGN: `auto` picks)."""

    AUTO = "auto"
    NATIVE = "native"
    EMULATED = "emulated"


class EngineName(enum.StrEnum):
    """Which container engine to use; `auto` takes the first that answers."""

    AUTO = "auto"
    DOCKER = "docker"
    PODMAN = "podman"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything a build depends on that a user can choose.

    Attributes:
        source: a directory, an sdist file or a requirement such as `kiwisolver==1.4.7`.
        python: selectors (`cp313`, `3.13`, `cp3*`, `all`); empty means whatever the source's
            `requires-python` and the image's interpreters have in common.
        image: a short name from `data/images.toml` or any image reference.
        mode: `auto`, `native` or `emulated`.
        engine: `auto`, `docker` or `podman`.
        output_dir: where wheels, logs and `report.json` go.
        jobs: how many targets to build at once; 0 means one per core.
        cache_dir: where downloads and the embedded image are kept.
        no_cache: do not use what `cache_dir` holds; fetch and assemble anew.
        config_file: a TOML file read instead of the source's `pyproject.toml`.
    """

    source: str = "."
    python: tuple[str, ...] = ()
    image: str = "manylinux2014"
    mode: Mode = Mode.AUTO
    engine: EngineName = EngineName.AUTO
    output_dir: Path = Path("wheelhouse")
    jobs: int = 0
    cache_dir: Path = field(default_factory=Path)
    no_cache: bool = False
    config_file: Path | None = None
