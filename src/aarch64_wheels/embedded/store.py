"""Keeps the embedded image: in the engine, as an archive in the cache, or assembled anew."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from aarch64_wheels.catalogue import EMBEDDED_REFERENCE
from aarch64_wheels.embedded.assemble import (
    SCRATCH,
    Note,
    assemble,
    debs_directory,
    release_labels,
)
from aarch64_wheels.embedded.fetch import current_release, is_fetched, release_of
from aarch64_wheels.embedded.recipe import PackageSet, Recipe, load_recipe
from aarch64_wheels.engine.kept import remove_kept_above
from aarch64_wheels.locking import exclusive
from aarch64_wheels.processes import Processes

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from aarch64_wheels.engine.client import Engine
    from aarch64_wheels.hostindex import IndexSettings

#: Seconds after which an archive of another recipe (another version of this project) goes.
OLD_SECONDS = 7 * 24 * 3600


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
        with self._lock(note):
            if not self.archive.is_file():
                self._assemble(note)
            self._load(engine, note)
        return self.tag

    def rebuild(self, engine: Engine, note: Note, sets: tuple[PackageSet, ...]) -> str:
        """Fetch some sets again, assemble the image anew and load it."""
        with self._lock(note):
            self.archive.unlink(missing_ok=True)
            for packages in sets:
                shutil.rmtree(debs_directory(self.cache_dir, packages), ignore_errors=True)
            self._assemble(note)
            self._load(engine, note)
        return self.tag

    def refresh(self, engine: Engine, note: Note) -> str:
        """Bring the image up to date with the suites: nothing is done when none has changed.

        An earlier refresh may have been cut off anywhere, so what counts is the engine's image.
        """
        releases = self._current_releases()
        if self._labels(engine).items() >= release_labels(releases).items():
            return self.tag
        old = tuple(row for row in self.recipe.sets if self._kept(row) != releases[row.name])
        changed = ", ".join(row.name for row in old) or "nothing that is not fetched already"
        note(f"changed since the image was made: {changed}")
        return self.rebuild(engine, note, old)

    def _current_releases(self) -> dict[str, str]:
        with ThreadPoolExecutor() as pool, Processes() as processes:
            ask = partial(current_release, cache_dir=self.cache_dir, processes=processes)
            found = pool.map(ask, self.recipe.sets)
            return dict(zip((row.name for row in self.recipe.sets), found, strict=True))

    def _kept(self, packages: PackageSet) -> str:
        directory = debs_directory(self.cache_dir, packages)
        return release_of(directory) if is_fetched(directory) else ""

    def _labels(self, engine: Engine) -> dict[str, str]:
        return engine.image_labels(self.tag) if engine.has_image(self.tag) else {}

    def _lock(self, note: Note) -> AbstractContextManager[None]:
        """One lock for all recipes: whoever has it may tidy up."""
        return exclusive(self.archive.with_name("assembly.lock"), note)

    def _assemble(self, note: Note) -> None:
        note(f"assembling the embedded image {self.tag}")
        self._tidy()
        assemble(self.recipe, self.cache_dir, self.index, self.archive, self.tag, note)

    def _tidy(self) -> None:
        """Remove what killed assemblies have left, and archives of recipes long out of use."""
        for path in self.archive.parent.iterdir():
            if path.name.startswith(SCRATCH):
                shutil.rmtree(path, ignore_errors=True)
            elif path.suffix in {".layer", ".partial"} or _is_old(path):
                path.unlink(missing_ok=True)

    def _load(self, engine: Engine, note: Note) -> None:
        note(f"loading {self.tag} into {engine.name}")
        replaced = engine.image_id(self.tag) if engine.has_image(self.tag) else ""
        engine.load(self.archive)
        if replaced and replaced != engine.image_id(self.tag):
            remove_kept_above(engine, replaced)
            engine.forget_image(replaced)


def _is_old(path: Path) -> bool:
    return path.suffix == ".tar" and time.time() - path.stat().st_mtime > OLD_SECONDS
