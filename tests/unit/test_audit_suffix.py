from __future__ import annotations

import pytest
from packaging.tags import parse_tag

from aarch64_wheels.audit.suffix import wrong_suffix

GNU, MUSL = "manylinux_2_17_aarch64", "musllinux_1_2_aarch64"


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        (f"cp313-cp313-{GNU}", "pkg/fast.cpython-313-aarch64-linux-gnu.so"),
        (f"cp313-cp313-{GNU}", "fast.abi3.so"),
        (f"cp313-cp313-{GNU}", "fast.so"),
        (f"cp315-cp315-{GNU}", "fast.abi3t.so"),
        (f"cp314-cp314t-{GNU}", "fast.cpython-314t-aarch64-linux-gnu.so"),
        (f"cp313-cp313-{MUSL}", "fast.cpython-313-aarch64-linux-musl.so"),
        (f"cp310-cp310-{MUSL}", "fast.cpython-310-aarch64-linux-gnu.so"),
        (f"cp39-abi3-{GNU}", "fast.abi3.so"),
        (f"pp311-pypy311_pp73-{GNU}", "fast.pypy311-pp73-aarch64-linux-gnu.so"),
        (f"py3-none-{GNU}", "fast.cpython-313-aarch64-linux-gnu.so"),
        (f"cp312.cp313-none-{GNU}", "libfast.so"),
        (f"cp313-cp313-{GNU}", "pkg.libs/libstuff-1a2b3c4d.so.1.2.3"),
        (f"cp313-cp313-{GNU}", "pkg/fast.so.py"),
        (f"cp313-cp313-{GNU}", "pkg/data.cpython-38.txt"),
    ],
)
def test_importable(tag: str, name: str) -> None:
    assert wrong_suffix(name, parse_tag(tag)) is None


@pytest.mark.parametrize(
    ("tag", "name", "expected"),
    [
        (
            f"cp313-cp313-{GNU}",
            "pkg/fast.cpython-313-x86_64-linux-gnu.so",
            ".cpython-313-aarch64-linux-gnu.so",
        ),
        (
            f"cp313-cp313-{GNU}",
            "fast.cpython-312-aarch64-linux-gnu.so",
            ".cpython-313-aarch64-linux-gnu.so",
        ),
        (
            f"cp314-cp314-{GNU}",
            "fast.cpython-314t-aarch64-linux-gnu.so",
            ".cpython-314-aarch64-linux-gnu.so",
        ),
        (f"cp314-cp314t-{GNU}", "fast.abi3.so", ".cpython-314t-aarch64-linux-gnu.so"),
        (
            f"cp313-cp313-{MUSL}",
            "fast.cpython-313-aarch64-linux-gnu.so",
            ".cpython-313-aarch64-linux-musl.so",
        ),
        (
            f"cp313-cp313-{GNU}",
            "fast.cpython-313-aarch64-linux-musl.so",
            ".cpython-313-aarch64-linux-gnu.so",
        ),
        (f"cp39-abi3-{GNU}", "fast.cpython-39-aarch64-linux-gnu.so", ".abi3.so"),
        (f"cp313-cp313-{GNU}", "fast.cpython-313-darwin.so", ".cpython-313-aarch64-linux-gnu.so"),
        (
            f"cp311-cp311-{GNU}",
            "fast.pypy311-pp73-aarch64-linux-gnu.so",
            ".cpython-311-aarch64-linux-gnu.so",
        ),
    ],
)
def test_not_importable(tag: str, name: str, expected: str) -> None:
    wrong = wrong_suffix(name, parse_tag(tag))
    assert wrong is not None
    assert expected in wrong
