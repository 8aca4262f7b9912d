"""What a stage is given besides its container, and the places inside the container."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.native.places import PROJECT, WORK

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from aarch64_wheels.bill import Origin
    from aarch64_wheels.engine.api import LineSink
    from aarch64_wheels.plan import Plan, Target
    from aarch64_wheels.wheelhouse import Wheelhouse

ENVIRONMENT = WORK / "environment"
BUILT = WORK / "built"
REPAIRED = WORK / "repaired"
#: The wheel as it came through the audit, and what is tested.
FINISHED = WORK / "finished"
TESTS = WORK / "tests"

PYTHON = ENVIRONMENT / "bin/python"

#: uv must neither fetch interpreters nor follow the project's own settings for it (`[tool.uv]`):
#: pip and `build` know none.
UV_ENVIRONMENT = {
    "UV_NO_CONFIG": "1",
    "UV_PYTHON_DOWNLOADS": "never",
    "UV_NO_PROGRESS": "1",
    # Away from root's own, for it is emptied.
    "UV_CACHE_DIR": str(WORK / "uv-cache"),
    "UV_LINK_MODE": "copy",
}


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the host adds to a target's options.

    Attributes:
        passed: variables of the host that the project asks for (`environment-pass`).
        constraints: lines that limit what its build and tests install (`dependency-versions`).
    """

    passed: Mapping[str, str] = field(default_factory=dict)
    constraints: str = ""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One target's work.

    Attributes:
        plan: what is built; target: for which interpreter.
        source: the unpacked project on the host; package: the directory with the build metadata,
            relative to it; git_data: what stands for its `.git`, None where its own will do.
        left_out: what of it is not copied (the output directory, when it lies inside).
        wheelhouse: where the finished wheel goes.
        sink: takes each line of output.
        given: what the host adds to the target's options.
        origin: where the wheel comes from, as its bill tells it; None: it gets none.
    """

    plan: Plan
    target: Target
    source: Path
    left_out: Collection[Path]
    wheelhouse: Wheelhouse
    sink: LineSink
    given: Given = field(default_factory=Given)
    package: PurePosixPath = field(default_factory=PurePosixPath)
    git_data: Path | None = None
    origin: Origin | None = None

    @property
    def place(self) -> PurePosixPath:
        """The package's directory in the container, where the backend's hooks run."""
        return PROJECT / self.package
