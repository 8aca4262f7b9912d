"""auditwheel's judgement of one wheel, run as a program of its own.

auditwheel's library unpacks a wheel by changing the working directory of the whole
process, and keeps what it read by path for as long as the process lives. Targets are
audited in parallel threads, so it gets a process for each wheel:

    python -P analysis.py WHEEL glibc|musl|any DIRECTORY

unpacks the wheel below DIRECTORY, which the caller removes, and prints one JSON object:
`policy`, `libraries` that no policy promises, and `error` when there is no judgement. Only
auditwheel and the standard library are imported, so that the file runs wherever it lies.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

from auditwheel.architecture import Architecture
from auditwheel.error import NonPlatformWheelError
from auditwheel.libc import Libc
from auditwheel.wheel_abi import analyze_wheel_abi

#: So many libraries are named.
MOST = 100


def analyze(wheel: Path, libc: Libc | None) -> dict[str, Any]:
    """Find the best policy that the wheel's content meets, and what keeps it from a better one."""
    result = analyze_wheel_abi(
        libc,
        Architecture.aarch64,
        wheel,
        frozenset(),
        disable_isa_ext_check=False,
        allow_graft=False,
        # No search path: libraries of this host are not the wheel's.
        args_ldpaths="",
    )
    # The highest policy promises the most libraries: what it lacks, all others lack.
    highest = result.policies.highest.name
    rows = [refs[highest].libs for refs in result.full_external_refs.values() if highest in refs]
    libraries = sorted({name for row in rows for name in row})
    return {
        "policy": str(result.overall_policy.name),
        "libraries": libraries[:MOST],
        "error": "",
    }


def answer(wheel: Path, libc: Libc | None) -> dict[str, Any]:
    """Judge the wheel, or say why that is impossible, in the form that is printed."""
    try:
        return analyze(wheel, libc)
    except (NonPlatformWheelError, AssertionError):
        # Objects of the other C library are set aside, and then auditwheel misses having
        # any. Let the content name its C library instead of the tag.
        if libc is not None:
            return answer(wheel, None)
        return refused("no aarch64 shared object with a known C library")
    except Exception as error:  # noqa: BLE001  # the parent reports whatever it is
        return refused(f"{type(error).__name__}: {error}")


def refused(why: str) -> dict[str, Any]:
    """Answer that there is no judgement."""
    return {"policy": "", "libraries": [], "error": why}


def main(argv: list[str]) -> None:
    """Judge the wheel named on the command line."""
    logging.disable(logging.CRITICAL)
    wheel, libc, tempfile.tempdir = argv
    print(json.dumps(answer(Path(wheel), None if libc == "any" else Libc(libc))))


if __name__ == "__main__":
    main(sys.argv[1:])
