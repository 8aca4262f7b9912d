"""Is this machine fit to build? And with `--fix`: make it so."""

from __future__ import annotations

import json
import platform
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from aarch64_wheels.emulation.probe import probe_engine
from aarch64_wheels.emulation.providers import ARM64_MACHINES, ensure_emulation
from aarch64_wheels.engine.client import Engine, connect
from aarch64_wheels.engine.daemon import provide_engine
from aarch64_wheels.errors import ExitCode, UnfitError
from aarch64_wheels.host import apt_install
from aarch64_wheels.settings.schema import EngineName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from aarch64_wheels.engine.api import LineSink

GIB = 1 << 30
#: An image with its unpacked form, the containers of a few targets, and the wheels.
NEEDED_BYTES = 5 * GIB
OLDEST_PYTHON = (3, 11)

#: What assembling the embedded image runs, and the package each comes from.
TOOLS = {"mmdebstrap": "mmdebstrap", "apt-get": "apt", "dpkg-deb": "dpkg"}
KEYRINGS = tuple(
    Path(f"/usr/share/keyrings/debian-archive-keyring.{suffix}") for suffix in ("gpg", "pgp")
)
KEYRING_PACKAGE = "debian-archive-keyring"

FIX_HINT = "aarch64-wheels doctor --fix"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what. ok: it is as it should be. found: what was found.
        hint: the next step, empty if ok.
        required: nothing can be built without it; False means a warning.
    """

    name: str
    ok: bool
    found: str
    hint: str = ""
    required: bool = True


def examine(
    environ: Mapping[str, str],
    places: Sequence[Path],
    *,
    engine_name: EngineName = EngineName.AUTO,
) -> tuple[Check, ...]:
    """Look at everything a build needs; `places` are directories that need free space.

    Nothing is changed, and no registry is asked.
    """
    return tuple(_examine(environ, places, engine_name))


def _examine(
    environ: Mapping[str, str], places: Sequence[Path], name: EngineName
) -> Iterator[Check]:
    yield python_check(sys.version_info[:3])
    storage: list[Path] = []
    try:
        engine = connect(name, environ)
    except UnfitError as error:
        yield Check(name="engine", ok=False, found=error.found, hint=error.hint)
        yield Check(name="emulation", ok=False, found="not checked: there is no engine")
    else:
        yield Check(name="engine", ok=True, found=str(engine))
        yield emulation_check(engine, platform.machine())
        storage = _storage(engine)
    for place in dict.fromkeys([*storage, *places]):
        yield disk_check(place)
    yield tools_check()


def python_check(version: Sequence[int]) -> Check:
    """Check the version of the Python that runs this."""
    oldest = ".".join(map(str, OLDEST_PYTHON))
    ok = tuple(version) >= OLDEST_PYTHON
    found = ".".join(map(str, version))
    return Check(name="python", ok=ok, found=found, hint="" if ok else f"use Python {oldest}+")


def emulation_check(engine: Engine, machine: str) -> Check:
    """Check that the engine's containers run aarch64 programs, by running one."""
    if machine in ARM64_MACHINES:
        return Check(name="emulation", ok=True, found=f"not needed: this machine is {machine}")
    try:
        result = probe_engine(engine)
    except UnfitError as error:
        return Check(name="emulation", ok=False, found=str(error), hint=FIX_HINT)
    if result.ok:
        return Check(name="emulation", ok=True, found="an aarch64 program ran in a container")
    return Check(name="emulation", ok=False, found=result.reason, hint=FIX_HINT)


def disk_check(path: Path, needed: int = NEEDED_BYTES) -> Check:
    """Check the free space where `path` is or will be."""
    free = free_bytes(path)
    ok = free >= needed
    hint = "" if ok else f"a build needs about {_gib(needed)}: free some, or choose another place"
    found = f"{_gib(free)} free at {path}"
    return Check(name="disk", ok=ok, found=found, hint=hint, required=False)


def tools_check(which: Callable[[str], str | None] = shutil.which) -> Check:
    """Check for the programs that assemble the embedded image (`--image debian`)."""
    missing = missing_packages(which)
    found = f"missing: {', '.join(missing)}" if missing else "all there"
    hint = FIX_HINT if missing else ""
    return Check(
        name="tools for --image debian", ok=not missing, found=found, hint=hint, required=False
    )


def missing_packages(
    which: Callable[[str], str | None] = shutil.which, keyrings: Sequence[Path] = KEYRINGS
) -> tuple[str, ...]:
    """Name the Debian packages that are missing for the embedded image."""
    missing = [package for tool, package in TOOLS.items() if which(tool) is None]
    if not any(path.exists() for path in keyrings):
        missing.append(KEYRING_PACKAGE)
    return tuple(missing)


def make_fit(
    environ: Mapping[str, str],
    cache_dir: Path,
    sink: LineSink,
    *,
    engine_name: EngineName = EngineName.AUTO,
) -> None:
    """Install and start what is missing, saying so before; silent if nothing is.

    Raises:
        UnfitError: something could not be made right.
    """
    engine = provide_engine(engine_name, environ, cache_dir, sink)
    ensure_emulation(engine, fix=True, sink=sink)
    missing = missing_packages()
    if missing:
        apt_install(missing, sink)


def run_doctor(
    *,
    fix: bool,
    as_json: bool,
    cache_dir: Path,
    output_dir: Path,
    environ: Mapping[str, str],
    engine_name: EngineName = EngineName.AUTO,
) -> ExitCode:
    """Run the command: repair if asked, look, print. 0 if fit, 3 if not (or not repaired)."""
    repaired = not fix or _try_to_fix(environ, cache_dir, engine_name)
    checks = examine(environ, (cache_dir, output_dir), engine_name=engine_name)
    print_checks(checks, as_json=as_json)
    return ExitCode.OK if repaired and is_fit(checks) else ExitCode.UNFIT


def is_fit(checks: Sequence[Check]) -> bool:
    """Tell whether all that is required is there."""
    return all(check.ok for check in checks if check.required)


def _try_to_fix(environ: Mapping[str, str], cache_dir: Path, engine_name: EngineName) -> bool:
    """Say what is done on stderr, for stdout may be JSON."""
    said = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    try:
        make_fit(environ, cache_dir, said.print, engine_name=engine_name)
    except UnfitError as error:
        said.print(str(error))
        return False
    return True


def print_checks(checks: Sequence[Check], *, as_json: bool) -> None:
    """Print the checks as a table for people, or as JSON."""
    if as_json:
        data = {"fit": is_fit(checks), "checks": [asdict(check) for check in checks]}
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
        return
    table = Table("check", "", "found", "next step")
    for check in checks:
        state = "ok" if check.ok else "missing" if check.required else "warning"
        table.add_row(check.name, state, check.found, check.hint)
    Console(highlight=False, markup=False).print(table)


def check_disk(path: Path, needed_bytes: int = NEEDED_BYTES) -> None:
    """See that there is space where `path` is or will be.

    Raises:
        UnfitError: with the figures.
    """
    free = free_bytes(path)
    if free < needed_bytes:
        raise UnfitError(
            f"too little disk space at {path}",
            found=f"{_gib(free)} free, {_gib(needed_bytes)} needed",
            hint="free some, or choose other places with --output-dir and --cache-dir",
        )


def check_output_dir(path: Path) -> None:
    """Make the output directory if there is none, and see that files can be written to it.

    Raises:
        UnfitError: it is something else, or cannot be made or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        # Asking for permissions is not enough: root may do anything, yet not on a read-only disk.
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        found = "it is not a directory" if isinstance(error, FileExistsError) else error.strerror
        raise UnfitError(
            f"cannot write to the output directory {path}",
            found=found or str(error),
            hint="choose another with --output-dir",
        ) from None


def free_bytes(path: Path) -> int:
    """Count the bytes free for this user where `path` is or will be."""
    place = path.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free


def _storage(engine: Engine) -> list[Path]:
    """Find the engine's storage, where it is on this machine and can be seen."""
    root = Path(str(engine.client.info().get("DockerRootDir") or ""))
    return [root] if engine.local and root.is_absolute() and root.exists() else []


def _gib(count: int) -> str:
    return f"{count / GIB:.1f} GiB"
