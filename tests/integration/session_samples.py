"""What tests of sessions in a real engine's containers ask for."""

from __future__ import annotations

from pathlib import PurePosixPath

WORK = PurePosixPath("/work")
#: A directory of the image, whose mode is a special one.
TMP = PurePosixPath("/tmp")


def shell(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


def no_sink(_line: str) -> None:
    pass
