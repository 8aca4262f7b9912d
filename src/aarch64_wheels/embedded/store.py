"""Keeps the embedded image: in the engine, as an archive in the cache, or assembled anew."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.catalogue import EMBEDDED_REFERENCE
from aarch64_wheels.embedded.assemble import Note, assemble, debs_directory
from aarch64_wheels.embedded.fetch import current_release, is_fetched, release_of
from aarch64_wheels.embedded.recipe import PackageSet, Recipe, load_recipe
from aarch64_wheels.locking import exclusive

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.engine.client import Engine
    from aarch64_wheels.hostindex import IndexSettings


@dataclass(frozen=True, kw_only=True)
class EmbeddedImage:
    """The embedded image of this version of the project.

    Attributes:
        recipe: what it is made of. cache_dir: where archives and downloads are kept.
        index: where its wheels come from.
    """

    recipe: Recipe
    cache_dir: Path
    index: IndexSettings

    @classmethod
    def of_this_version(cls, cache_dir: Path, index: IndexSettings) -> EmbeddedImage:
        """Give the image that this version's recipe makes."""
        return cls(recipe=load_recipe(), cache_dir=cache_dir, index=index)

    @property
    def tag(self) -> str:
        """Its name in the engine: changes with the recipe."""
        return f"{EMBEDDED_REFERENCE}:{self.recipe.key}"

    @property
    def archive(self) -> Path:
        """The image archive in the cache."""
        return self.cache_dir / "images" / f"debian-{self.recipe.key}.tar"

    def ensure(self, engine: Engine, note: Note) -> str:
        """Have the engine hold the image; returns its name there.

        Args:
            engine: gets the image loaded unless it holds it.
            note: told what is done, if anything is.

        Raises:
            UnfitError: it cannot be assembled or loaded.
        """
        if engine.has_image(self.tag):
            return self.tag
        with exclusive(self.archive.with_suffix(".lock"), note):
            if not self.archive.is_file():
                self._assemble(note)
            self._load(engine, note)
        return self.tag

    def rebuild(self, engine: Engine, note: Note, sets: tuple[PackageSet, ...]) -> str:
        """Fetch some sets again, assemble the image anew and load it."""
        with exclusive(self.archive.with_suffix(".lock"), note):
            for packages in sets:
                shutil.rmtree(debs_directory(self.cache_dir, packages), ignore_errors=True)
            self._assemble(note)
            self._load(engine, note)
        return self.tag

    def refresh(self, engine: Engine, note: Note) -> str:
        """Bring the image up to date with the suites: nothing is done when none has changed."""
        old = self.outdated()
        if not old:
            return self.ensure(engine, note)
        note("changed since the image was made: " + ", ".join(row.name for row in old))
        return self.rebuild(engine, note, old)

    def outdated(self) -> tuple[PackageSet, ...]:
        """Find the sets whose suites have changed since they were fetched.

        Raises:
            UnfitError: a suite's release files cannot be fetched.
        """
        with ThreadPoolExecutor() as pool:
            changed = list(pool.map(self._is_outdated, self.recipe.sets))
        return tuple(row for row, is_old in zip(self.recipe.sets, changed, strict=True) if is_old)

    def _is_outdated(self, packages: PackageSet) -> bool:
        directory = debs_directory(self.cache_dir, packages)
        if not is_fetched(directory):
            return True
        return current_release(packages, self.cache_dir) != release_of(directory)

    def _assemble(self, note: Note) -> None:
        note(f"assembling the embedded image {self.tag}")
        assemble(self.recipe, self.cache_dir, self.index, self.archive, self.tag, note)

    def _load(self, engine: Engine, note: Note) -> None:
        note(f"loading {self.tag} into {engine.name}")
        engine.load(self.archive)
