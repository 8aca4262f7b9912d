"""Asking auditwheel, in a process of its own, which policy a wheel's content meets."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from aarch64_wheels.audit.platforms import Family
from aarch64_wheels.text import clean

#: Seconds for one judgement; a wheel of 20,000 files takes some fifteen.
TIMEOUT = 300.0


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """auditwheel's answer: a policy, or the reason there is none.

    `libraries` are those that the wheel asks for and that no policy promises.
    """

    policy: str
    error: str
    libraries: tuple[str, ...] = ()


def judge(wheel: Path, family: Family, *, timeout: float = TIMEOUT) -> Judgement:
    """Ask auditwheel about a wheel, as to the C library of one family.

    Args:
        wheel: the wheel.
        family: whose C library's policies to consider; those of the content's for `LINUX`.
        timeout: seconds it may take; there is no judgement when it takes longer.
    """
    script = Path(__file__).with_name("analysis.py")
    # It can be killed, and then leaves behind what it unpacked: so the directory is ours.
    with tempfile.TemporaryDirectory(prefix="aarch64-wheels-audit-") as scratch:
        # -P: the working directory's modules must not stand in for auditwheel's.
        argv = [sys.executable, "-P", str(script), str(wheel.absolute()), _libc(family), scratch]
        try:
            done = subprocess.run(
                argv, capture_output=True, text=True, check=False, timeout=timeout
            )
        except subprocess.TimeoutExpired:
            return Judgement(policy="", error=f"it did not end within {timeout:g} seconds")
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        return Judgement(policy="", error=last)
    reply = json.loads(done.stdout)
    return Judgement(
        policy=reply["policy"],
        error=reply["error"],
        libraries=tuple(map(clean, reply["libraries"])),
    )


def _libc(family: Family) -> str:
    match family:
        case Family.MANYLINUX:
            return "glibc"
        case Family.MUSLLINUX:
            return "musl"
        case Family.LINUX:
            return "any"
