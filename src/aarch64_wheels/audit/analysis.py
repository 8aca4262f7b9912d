"""auditwheel's judgement of one wheel, run as a program of its own.

auditwheel's library unpacks a wheel by changing the working directory of the whole
process, and keeps what it read by path for as long as the process lives. Targets are
audited in parallel threads, so it gets a process for each wheel:

    python -P analysis.py WHEEL glibc|musl|any DIRECTORY

unpacks the wheel below DIRECTORY, which the caller removes, and prints one JSON object:
`policy`, and `error` when there is no judgement. Only auditwheel and the standard library
are imported, so that the file runs wherever it lies.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from pathlib import Path

from auditwheel.architecture import Architecture
from auditwheel.error import NonPlatformWheelError
from auditwheel.libc import Libc
from auditwheel.wheel_abi import analyze_wheel_abi


def analyze(wheel: Path, libc: Libc | None) -> str:
    """Return the best policy that the wheel's content meets."""
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
    return str(result.overall_policy.name)


def answer(wheel: Path, libc: Libc | None) -> dict[str, str]:
    """Judge the wheel, or say why that is impossible, in the form that is printed."""
    try:
        return {"policy": analyze(wheel, libc), "error": ""}
    except (NonPlatformWheelError, AssertionError):
        # Objects of the other C library are set aside, and then auditwheel misses having
        # any. Let the content name its C library instead of the tag.
        if libc is not None:
            return answer(wheel, None)
        return {"policy": "", "error": "no aarch64 shared object with a known C library"}
    except Exception as error:  # noqa: BLE001  # the parent reports whatever it is
        return {"policy": "", "error": f"{type(error).__name__}: {error}"}


def main(argv: list[str]) -> None:
    """Judge the wheel named on the command line."""
    logging.disable(logging.CRITICAL)
    wheel, libc, tempfile.tempdir = argv
    print(json.dumps(answer(Path(wheel), None if libc == "any" else Libc(libc))))


if __name__ == "__main__":
    main(sys.argv[1:])
