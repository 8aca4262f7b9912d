"""The time that a build takes for now (`SOURCE_DATE_EPOCH`), so that it can be repeated.

It is the user's, or else it follows from the source alone (`source.epoch`). The variable's meaning:
https://reproducible-builds.org/specs/source-date-epoch/
"""

from __future__ import annotations

import re

from aarch64_wheels.errors import UsageError

VARIABLE = "SOURCE_DATE_EPOCH"
#: What a zip archive can say: 1980-01-01 to 2107-12-31 23:59:58, in seconds since 1970, UTC.
EARLIEST, LATEST = 315532800, 4354819198


def source_epoch(said: str, found: int | None) -> int:
    """Choose the time of a build.

    Args:
        said: the host's variable, empty if there is none.
        found: the source's own time, None if it has none.

    Returns:
        Seconds since 1970, of a time that files in a wheel can have.

    Raises:
        UsageError: the variable is no such time.
    """
    if not said:
        return EARLIEST if found is None else min(max(found, EARLIEST), LATEST)
    if re.fullmatch(r"\d{1,19}", said, re.ASCII) and int(said) <= LATEST:
        return int(said)
    raise UsageError(
        f"{VARIABLE} is no time that a build can be given",
        found=said[:40],
        hint="unset it, or give whole seconds since 1970: `git log -1 --format=%ct`",
    )
