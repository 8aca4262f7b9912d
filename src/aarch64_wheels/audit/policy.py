"""Asking auditwheel, in a process of its own, which policy a wheel's content meets."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from aarch64_wheels.audit.platforms import Family


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """auditwheel's answer: a policy, or the reason there is none."""

    policy: str
    error: str


def judge(wheel: Path, family: Family) -> Judgement:
    """Ask auditwheel about a wheel whose tag speaks of `family`'s C library."""
    script = Path(__file__).with_name("analysis.py")
    # -P: the working directory's modules must not stand in for auditwheel's.
    argv = [sys.executable, "-P", str(script), str(wheel.absolute()), _libc(family)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        return Judgement(policy="", error=last)
    reply = json.loads(done.stdout)
    return Judgement(policy=reply["policy"], error=reply["error"])


def _libc(family: Family) -> str:
    match family:
        case Family.MANYLINUX:
            return "glibc"
        case Family.MUSLLINUX:
            return "musl"
        case Family.LINUX:
            return "any"
