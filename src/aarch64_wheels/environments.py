"""Build environments kept between runs: the second build of a project needs no index.

One is kept as an image of the engine: a container of it starts as quickly as one of the image
below, and nothing is copied. It is only ever taken of a container in which no code of a project
has run, so no source can put anything into the environment of another's build
(`stages/environment.py`). The code of the requirements has run there: who requires the same
trusts it as much.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from aarch64_wheels.settings.frontend import read_frontend
from aarch64_wheels.stages.installer import mentions_installer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.resources.abc import Traversable

    from aarch64_wheels.native.backend import BackendOutcome, BackendSetup
    from aarch64_wheels.plan import Interpreter, Plan, Target

REPOSITORY = "aarch64-wheels/environment"
#: Our code that has a say in what such a container holds.
_SHAPED_BY = ("commands", "engine", "native", "stages")


@dataclass(frozen=True, kw_only=True)
class Environments:
    """Names build environments by all that they depend on.

    Attributes:
        image_id: the image they are made in.
        indexes: what their packages come from.
        given: what else every container of the run is given: native tools, certificates.
    """

    image_id: str
    indexes: tuple[str, ...] = ()
    given: tuple[str, ...] = ()

    def name(
        self,
        interpreter: Interpreter,
        requires: Sequence[str],
        backend: Sequence[str] = (),
        constraints: str = "",
    ) -> str:
        """Name the image that holds the environment of a build.

        Args:
            interpreter: the target's.
            requires: what the build requires, in any order.
            backend: how its backend runs, and the native interpreter's key, if there is one.
            constraints: what limits the requirements.
        """
        parts = [
            [self.image_id, interpreter.directory, our_digest()],
            *(self.indexes, self.given, sorted(requires), list(backend), constraints),
        ]
        key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]
        return f"{REPOSITORY}:{interpreter.tag}-{key}"

    def of(
        self,
        plan: Plan,
        target: Target,
        outcome: BackendOutcome,
        setup: BackendSetup,
        constraints: str,
    ) -> str:
        """Name the environment of one attempt; `name` says what it depends on.

        One that depends on what the project's commands print has no name: it is not kept.
        """
        if mentions_installer(target.options.environment):
            return ""
        backend = (str(outcome.backend), setup.key) if outcome.is_native else ()
        if not read_frontend(target.options.build_frontend).is_isolated:
            backend = ("no isolation", "")
        return self.name(target.interpreter, plan.build_requires, backend, constraints)


@cache
def our_digest() -> str:
    """Give a digest of our code that shapes an environment."""
    digest = hashlib.sha256()
    for place in _SHAPED_BY:
        for item in _files(resources.files("aarch64_wheels").joinpath(place)):
            digest.update(item.name.encode() + b"\0" + item.read_bytes())
    return digest.hexdigest()


def _files(directory: Traversable) -> Iterator[Traversable]:
    for item in sorted(directory.iterdir(), key=lambda row: row.name):
        if item.is_dir():
            yield from _files(item)
        elif item.name.endswith(".py"):
            yield item
