"""Is this machine fit to build? And with `--fix`: make it so."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Column, Table

from aarch64_wheels.disk import Need, check_disk, free_bytes, shown, space_needs
from aarch64_wheels.emulation.probe import probe_engine
from aarch64_wheels.emulation.providers import ensure_emulation
from aarch64_wheels.engine.bridge import changing_bridge, make_bridge_last
from aarch64_wheels.engine.client import Engine, connect
from aarch64_wheels.engine.daemon import provide_engine
from aarch64_wheels.errors import ExitCode, UnfitError
from aarch64_wheels.host import apt_install
from aarch64_wheels.machine import is_arm64
from aarch64_wheels.report.console import make_console
from aarch64_wheels.settings.schema import EngineName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aarch64_wheels.engine.api import LineSink

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
    *,
    cache_dir: Path,
    output_dir: Path,
    embedded: bool,
    engine_name: EngineName = EngineName.AUTO,
) -> tuple[Check, ...]:
    """Look at everything a build needs; with `embedded`, in the embedded image.

    Nothing is changed, and no registry is asked.
    """
    if engine_name is EngineName.NONE:
        from aarch64_wheels.hostengine.fitness import examine_host  # it needs this module

        return (python_check(sys.version_info[:3]), *examine_host(environ, output_dir))
    engine, checks = _examine_engine(environ, engine_name)
    needs = space_needs(engine, output_dir=output_dir, cache_dir=cache_dir, embedded=embedded)
    tools = (tools_check(),) if embedded else ()
    python = python_check(sys.version_info[:3])
    return (python, *checks, *(disk_check(need) for need in needs), *tools)


def _examine_engine(
    environ: Mapping[str, str], name: EngineName
) -> tuple[Engine | None, tuple[Check, ...]]:
    try:
        engine = connect(name, environ)
    except UnfitError as error:
        missing = Check(name="engine", ok=False, found=error.found, hint=error.hint)
        return None, (missing, Check(name="emulation", ok=False, found="not checked: no engine"))
    there = Check(name="engine", ok=True, found=str(engine))
    return engine, (there, network_check(engine), emulation_check(engine, engine.architecture))


def python_check(version: Sequence[int]) -> Check:
    """Check the version of the Python that runs this."""
    oldest = ".".join(map(str, OLDEST_PYTHON))
    ok = tuple(version) >= OLDEST_PYTHON
    found = ".".join(map(str, version))
    return Check(name="python", ok=ok, found=found, hint="" if ok else f"use Python {oldest}+")


def network_check(engine: Engine) -> Check:
    """Check that containers keep the host's network while others come and go."""
    bridge = changing_bridge(engine)
    if bridge is None:
        return Check(name="network", ok=True, found="nothing that cuts containers off")
    return Check(
        name="network",
        ok=False,
        found=f"the address of the bridge {bridge} changes as containers come and go: "
        "others lose the network for up to half a minute",
        hint=FIX_HINT,
        required=False,
    )


def emulation_check(engine: Engine, machine: str) -> Check:
    """Check that the engine's containers run aarch64 programs, by running one.

    `machine` is the one the engine runs on, which need not be this one.
    """
    if is_arm64(machine):
        return Check(name="emulation", ok=True, found=f"not needed: the engine runs on {machine}")
    try:
        result = probe_engine(engine)
    except UnfitError as error:
        return Check(name="emulation", ok=False, found=str(error), hint=FIX_HINT)
    if result.ok:
        return Check(name="emulation", ok=True, found="an aarch64 program ran in a container")
    return Check(name="emulation", ok=False, found=result.reason, hint=FIX_HINT)


def disk_check(need: Need) -> Check:
    """Check the free space where a build takes some."""
    name = f"disk ({need.name})"
    try:
        check_disk(need.path, need.needed, hint=need.hint)
    except UnfitError as error:
        return Check(name=name, ok=False, found=f"{error.what}: {error.found}", hint=error.hint)
    return Check(name=name, ok=True, found=f"{shown(free_bytes(need.path))} free at {need.path}")


def tools_check(which: Callable[[str], str | None] = shutil.which) -> Check:
    """Check for the programs that assemble the embedded image (`--image debian`)."""
    missing = missing_packages(which)
    found = f"missing: {', '.join(missing)}" if missing else "all there"
    hint = FIX_HINT if missing else ""
    return Check(name="tools for --image debian", ok=not missing, found=found, hint=hint)


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
    embedded: bool,
    engine_name: EngineName = EngineName.AUTO,
) -> None:
    """Install and start what is missing, saying so before; silent if nothing is.

    Args:
        environ: the process's environment.
        cache_dir: gets the log of an engine that is started.
        sink: told of each step.
        embedded: the tools that assemble the embedded image are needed too.
        engine_name: which engine is to answer.

    Raises:
        UnfitError: something could not be made right.
    """
    if engine_name is EngineName.NONE:
        sink("nothing is installed for builds without containers")
        return
    engine = provide_engine(engine_name, environ, cache_dir, sink)
    make_bridge_last(engine, sink)
    ensure_emulation(engine, fix=True, sink=sink)
    missing = missing_packages() if embedded else ()
    if missing:
        apt_install(missing, sink)


def run_doctor(
    *,
    fix: bool,
    as_json: bool,
    cache_dir: Path,
    output_dir: Path,
    environ: Mapping[str, str],
    embedded: bool,
    engine_name: EngineName = EngineName.AUTO,
) -> ExitCode:
    """Run the command: repair if asked, look, print. 0 if fit, 3 if not (or not repaired).

    Args:
        fix: install and start what is missing first.
        as_json: print JSON, not a table.
        cache_dir: where a build would keep the embedded image.
        output_dir: where it would put wheels.
        environ: the process's environment.
        embedded: for builds in the embedded image, which needs tools and more space.
        engine_name: which engine is to answer.
    """
    repaired = not fix or _try_to_fix(environ, cache_dir, engine_name, embedded=embedded)
    checks = examine(
        environ,
        cache_dir=cache_dir,
        output_dir=output_dir,
        embedded=embedded,
        engine_name=engine_name,
    )
    print_checks(checks, environ, as_json=as_json)
    return ExitCode.OK if repaired and is_fit(checks) else ExitCode.UNFIT


def is_fit(checks: Sequence[Check]) -> bool:
    """Tell whether all that is required is there."""
    return all(check.ok for check in checks if check.required)


def _try_to_fix(
    environ: Mapping[str, str], cache_dir: Path, engine_name: EngineName, *, embedded: bool
) -> bool:
    """Say what is done on stderr, for stdout may be JSON."""
    try:
        make_fit(environ, cache_dir, _say, embedded=embedded, engine_name=engine_name)
    except UnfitError as error:
        _say(str(error))
        return False
    return True


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def print_checks(checks: Sequence[Check], environ: Mapping[str, str], *, as_json: bool) -> None:
    """Print the checks as a table for people, or as JSON."""
    if as_json:
        data = {"fit": is_fit(checks), "checks": [asdict(check) for check in checks]}
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
        return
    table = Table(
        *(Column(title, overflow="fold") for title in ("check", "", "found", "next step"))
    )
    for check in checks:
        state = "ok" if check.ok else "missing" if check.required else "warning"
        table.add_row(check.name, state, check.found, check.hint)
    make_console(sys.stdout, environ).print(table)
