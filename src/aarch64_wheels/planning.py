"""Decides what will be built: settings, metadata and catalogue in, a plan out, with no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from aarch64_wheels.errors import UsageError
from aarch64_wheels.hostengine.image import by_name, host_image
from aarch64_wheels.images import Images
from aarch64_wheels.plan import Plan
from aarch64_wheels.settings.frontend import read_frontend
from aarch64_wheels.settings.modes import choose_mode, effective_backend, effective_compiler
from aarch64_wheels.targets import choose_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aarch64_wheels.plan import Image, Interpreter
    from aarch64_wheels.settings.layers import Layers
    from aarch64_wheels.source.metadata import Metadata


def make_plan(  # noqa: PLR0913 - a pure function takes all it depends on
    layers: Layers,
    metadata: Metadata,
    interpreters: Sequence[Interpreter],
    find_image: Callable[[str], Image],
    *,
    source_origin: str,
    sha256: str,
    source_date_epoch: int,
    host_machine: str,
    host_system: str,
) -> Plan:
    """Decide what will be built. Pure: the same arguments give the same plan, without any I/O.

    Args:
        layers: all that was set, also by the project.
        metadata: of the source.
        interpreters: the whole catalogue.
        find_image: finds an image by its short name or reference.
        source_origin: the source as the user gave it, without credentials.
        sha256: hash of the sdist file, empty for a directory.
        source_date_epoch: the time that a build takes for now, in seconds since 1970.
        host_machine: what `platform.machine()` says on this host.
        host_system: what it runs (see `choose_mode`).

    Raises:
        UsageError: the mode or the engine does not fit the host, `backend` or `compiler`
            contradicts the mode, a selector, `requires-python`, a build requirement or
            `build-frontend` is wrong, or no target is left.
        UnfitError: a selector names an interpreter that the image does not have.
    """
    settings = layers.settings()
    host = host_image(settings, host_machine, host_system)
    selection = choose_targets(
        settings, metadata, Images(layers=layers, find=find_image, host=host), interpreters
    )
    for target in selection.targets:
        read_frontend(target.options.build_frontend)
    mode = choose_mode(settings.mode, host_machine, host_system)
    return Plan(
        project=metadata.name,
        version=metadata.version,
        source=source_origin,
        source_sha256=sha256,
        build_requires=_checked_requires(metadata.build_requires),
        build_backend=metadata.build_backend,
        backend_path=metadata.backend_path,
        mode=mode,
        backend=effective_backend(settings, mode),
        compiler=effective_compiler(settings, mode),
        targets=by_name(selection.targets) if host else selection.targets,
        explicit=selection.explicit,
        jobs=settings.jobs,
        test_image=find_image(settings.test_image) if settings.test_image else None,
        may_share=metadata.may_share,
        fail_fast=settings.fail_fast,
        strip=settings.strip,
        audit_levels=settings.audit_levels,
        source_date_epoch=source_date_epoch,
    )


def _checked_requires(requires: tuple[str, ...]) -> tuple[str, ...]:
    """Each once, and each a requirement (PEP 508): an installer's words would come much later."""
    for text in requires:
        try:
            Requirement(text)
        except InvalidRequirement as error:
            raise UsageError(
                f"`{text}` in [build-system] requires is not a requirement (PEP 508)",
                found=str(error).partition("\n")[0],
                hint="mend it in the source's pyproject.toml",
            ) from error
    return tuple(dict.fromkeys(requires))
