"""What a target's build backend may be run with, and what of earlier runs it may take."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.environments import Environments
from aarch64_wheels.native.backend import BackendSetup
from aarch64_wheels.native.facts import FactsStore
from aarch64_wheels.settings.frontend import read_frontend

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.hostindex import IndexSettings
    from aarch64_wheels.native.setup import NativeTools
    from aarch64_wheels.plan import Plan, Target


@dataclass(frozen=True, kw_only=True)
class Setups:
    """The set-up of each target of one run.

    Attributes:
        plan: what is built. image_id: of the image it is built in.
        cache_dir: what was learnt and made by earlier runs is below it.
        index: where build requirements come from.
        reuse: False: learn and make it anew.
        tools: the native tools, None where there are none.
        cores: of the machine that the containers run on.
        at_once: how many targets are built at the same time, in all images.
        given: a key of what else containers are given (`CreateArgs.key`).
    """

    plan: Plan
    image_id: str
    cache_dir: Path
    index: IndexSettings
    reuse: bool
    tools: NativeTools | None
    cores: int
    at_once: int
    given: str = ""

    def of(self, target: Target) -> BackendSetup:
        """Give one target's set-up."""
        facts = FactsStore(
            directory=self.cache_dir / "facts", image_id=self.image_id, reuse=self.reuse
        )
        if self.tools is None:
            return BackendSetup(facts=facts)
        if not read_frontend(target.options.build_frontend).is_isolated:
            return BackendSetup(
                facts=facts,
                missing="`build-frontend` asks for no isolation, and so for the image's own Python",
                parallel=self._parallel(),
            )
        row = target.interpreter
        own = self.tools.interpreters.get(row.tag)
        return BackendSetup(
            facts=facts,
            python=self.tools.python(row),
            key=own.key if own else "",
            missing=self.tools.missing.get(row.tag, ""),
            parallel=self._parallel(),
        )

    def _parallel(self) -> int:
        """Share the cores among the targets built at once, with two for each at the least.

        While some install and repair, others compile: two keep few cores busy.
        """
        return min(self.cores, max(2, -(-self.cores // self.at_once)))

    def environments(self) -> Environments:
        """Say what the build environments of this run depend on."""
        bundle = self.index.ca_bundle
        return Environments(
            image_id=self.image_id,
            indexes=(self.index.index_url or "", *self.index.extra_index_urls),
            given=(
                *self.index.trusted_hosts,
                self.tools.configuration.name if self.tools else "",
                hashlib.sha256(bundle.read_bytes()).hexdigest() if bundle else "",
                self.given,
            ),
        )
