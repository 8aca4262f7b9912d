"""Repairs an aarch64 wheel through auditwheel's library, on whatever machine it runs.

auditwheel's command takes the machine below it for the wheel's, and here that may be an x86-64 one
with the file system of an aarch64 image. So the library is called, with the architecture passed in:

    aarch64-wheels-repair [--plat PLATFORM] [--strip] --wheel-dir DIRECTORY WHEEL

It heeds the command's variables (AUDITWHEEL_PLAT, AUDITWHEEL_PATCHER and those that say where
libraries are). Only auditwheel, what that needs, and the standard library are imported, so that
the file runs wherever it lies.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path
from subprocess import SubprocessError
from types import SimpleNamespace
from typing import TYPE_CHECKING

import auditwheel.repair
from auditwheel.architecture import Architecture
from auditwheel.error import AuditwheelError
from auditwheel.libc import Libc
from auditwheel.patcher import ElfPatcher
from auditwheel.wheel_abi import analyze_wheel_abi
from auditwheel.wheeltools import get_wheel_architecture, get_wheel_libc
from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditwheel.policy import Policy
    from auditwheel.wheel_abi import WheelAbIInfo

_LOG = logging.getLogger(__name__)

ARCHITECTURE = Architecture.aarch64
_SUFFIX = f"_{ARCHITECTURE.value}"
#: What a wheel is repaired to when nobody names anything.
_BEST = "auto"
#: What auditwheel raises when it has something to say of a wheel.
_FAILURES = (
    *(AuditwheelError, ELFError, LookupError, ValueError, RuntimeError, OSError),
    SubprocessError,
)


class RefusedError(Exception):
    """The wheel cannot be repaired; the message says why."""


def stand_on_aarch64() -> None:
    """Answer for the machine, where auditwheel can only ask for it.

    For its command that is what it offers to repair to. When it replaces `$PLATFORM` and `$LIB` in
    an RPATH, `platform` would even run the image's `file`.
    """
    Architecture.detect = staticmethod(lambda **_bits: ARCHITECTURE)
    auditwheel.repair.platform = SimpleNamespace(
        machine=lambda: ARCHITECTURE.value, architecture=lambda: ("64bit", "ELF")
    )


def repair(wheel: Path, plat: str, directory: Path, *, strip: bool, patcher: str) -> None:
    """Graft the libraries that a policy does not promise, and set the tag.

    Args:
        wheel: the wheel.
        plat: the platform tag that it is to be good for, or `auto`.
        directory: gets the result; it is made.
        strip: take out symbols and debug information.
        patcher: what changes ELF files, by auditwheel's name for it.

    Raises:
        RefusedError: the wheel's content is not good for the platform.
        Exception: one of `_FAILURES`: it cannot be repaired.
    """
    base = _base(plat)
    abi = analyze_wheel_abi(
        _libc(wheel.name, base),
        ARCHITECTURE,
        wheel,
        frozenset(),
        disable_isa_ext_check=False,
        allow_graft=True,
        requested_policy_base_name=base,
    )
    policy = _policy(abi, base)
    _refuse(abi, policy)
    directory.mkdir(parents=True, exist_ok=True)
    patching = ElfPatcher.get_patcher(patcher, policy.name)
    auditwheel.repair.repair_wheel(
        _ordered(abi),
        wheel,
        abis=_tags(abi, policy),
        lib_sdir=".libs",
        out_dir=directory,
        update_tags=True,
        patcher=_stripping_first(patching) if strip else patching,
        strip=False,
        zip_compression_level=zlib.Z_DEFAULT_COMPRESSION,
    )


def _base(plat: str) -> str:
    """Give a platform tag without its architecture."""
    named = next((one for one in Architecture if plat.endswith(f"_{one.value}")), ARCHITECTURE)
    if named is not ARCHITECTURE:
        raise RefusedError(f"{plat} is no platform of {ARCHITECTURE.value}")
    return plat.removesuffix(_SUFFIX)


def _libc(name: str, base: str) -> Libc | None:
    """Say which C library's policies count: the platform's; None if the content is to say it."""
    asked = next((libc for libc in Libc if base.startswith(libc.tag_prefix)), None)
    try:
        if (found := get_wheel_architecture(name)) is not ARCHITECTURE:
            raise RefusedError(f"it is a wheel for {found.value}")
        own = get_wheel_libc(name)
    except AuditwheelError:  # the tag says nothing (`linux_aarch64`), or too much
        return asked
    if asked not in (None, own):
        raise RefusedError(
            f"it is a wheel for {own.name.lower()}, and {base} is for another C library"
        )
    return own


def _policy(abi: WheelAbIInfo, base: str) -> Policy:
    policies = abi.policies
    if base != _BEST:
        return policies.get_policy_by_name(f"{base}{_SUFFIX}")
    # Only tags of a policy can be repaired to; `linux` is none.
    return max(abi.overall_policy, policies.lowest)


def _refuse(abi: WheelAbIInfo, policy: Policy) -> None:
    """See that the content is good for a policy.

    Raises:
        RefusedError: it is not, and grafting would not help.
    """
    reasons = {
        "too-recent versioned symbols": abi.sym_policy,
        "it was compiled against a Python with UCS2 strings": abi.ucs_policy,
        "it depends on black-listed symbols": abi.blacklist_policy,
        "it depends on unsupported ISA extensions": abi.machine_policy,
    }
    found = [f"{why} (at best {best.name})" for why, best in reasons.items() if policy > best]
    if found:
        raise RefusedError(f"{'; '.join(found)}. Compile it for the platform, or name another one")


def _tags(abi: WheelAbIInfo, policy: Policy) -> list[str]:
    """Name the policy, and before it a better one that the wheel meets as well."""
    named = [policy.name, *policy.aliases]
    best = abi.overall_policy
    return [best.name, *best.aliases, *named] if policy < best else named


def _ordered(abi: WheelAbIInfo) -> WheelAbIInfo:
    """Put files and libraries in an order that neither a hash seed nor a RECORD decides."""
    files = sorted(abi.full_external_refs.items())
    for _, policies in files:
        for reference in policies.values():
            reference.libs = dict(sorted(reference.libs.items()))
    return replace(abi, full_external_refs=dict(files))


def _stripping_first(patcher: ElfPatcher) -> ElfPatcher:
    """Have a patcher strip the files of the wheel before it changes the first.

    Afterwards it may break them (pypa/auditwheel issue 716). auditwheel works in the unpacked
    wheel, into which all libraries have been copied by then.
    """
    patch = patcher.apply_updates

    def apply_updates() -> None:
        if files := sorted(path for path in _files() if has_symbols(path)):
            _LOG.info("stripping %s files", len(files))
            subprocess.run([_program("strip"), "--strip-all", *files], check=True)
        patch()

    patcher.apply_updates = apply_updates
    return patcher


def _program(name: str) -> str:
    if (found := shutil.which(name)) is None:
        raise RefusedError(f"there is no `{name}` on PATH")
    return found


def _files() -> Iterator[Path]:
    for top, _, names in os.walk(Path.cwd()):
        yield from (path for path in (Path(top, name) for name in names) if not path.is_symlink())


def has_symbols(path: Path) -> bool:
    """Tell whether a file is a program or library with something that it can do without.

    A file that has nothing of it stays as it is: what is repaired twice is stripped once. Object
    files (`.o`) need theirs.
    """
    try:
        with path.open("rb") as file:
            if file.read(4) != b"\x7fELF":
                return False
            elf = ELFFile(file)
            names = [section.name for section in elf.iter_sections()]
    except (ELFError, UnicodeDecodeError):
        return False
    is_ours = elf["e_machine"] == "EM_AARCH64" and elf["e_type"] in ("ET_DYN", "ET_EXEC")
    return is_ours and any(n == ".symtab" or n.startswith((".debug_", ".zdebug_")) for n in names)


def main(argv: list[str] | None = None, environ: Mapping[str, str] = os.environ) -> None:
    """Repair the wheel that the command line names, or end with a status other than 0."""
    parser = argparse.ArgumentParser(prog="aarch64-wheels-repair", description=__doc__)
    parser.add_argument("--plat", default=environ.get("AUDITWHEEL_PLAT") or _BEST)
    parser.add_argument("--strip", action="store_true")
    parser.add_argument("--wheel-dir", type=Path, required=True)
    parser.add_argument("wheel", type=Path)
    said = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="auditwheel: %(message)s")
    stand_on_aarch64()
    patcher = environ.get("AUDITWHEEL_PATCHER") or "patchelf"
    try:
        repair(said.wheel, said.plat, said.wheel_dir, strip=said.strip, patcher=patcher)
    except (RefusedError, *_FAILURES) as error:
        words = str(error) or type(error).__name__
        parser.exit(1, f"cannot repair {said.wheel.name} to {said.plat}: {words}\n")


if __name__ == "__main__":
    main()
