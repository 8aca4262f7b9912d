"""An interpreter's facts and a backend that answers, for tests of the native backend."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aarch64_wheels.native.backend import BackendSetup
from aarch64_wheels.native.facts import Facts, FactsStore
from aarch64_wheels.native.placement import CALL_HOOK
from aarch64_wheels.stages.job import PYTHON

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path, PurePosixPath

    from tests.unit.fake_session import FakeSession

HOOK = f"{PYTHON} {CALL_HOOK}"
ASK = "/opt/python/cp313-cp313/bin/python -I -c"
SITE = "lib/python3.13/site-packages"
IMAGE_PATH = "/opt/bin:/usr/bin"


def answer(**changes: Any) -> dict[str, Any]:
    """What `ask.py` prints, read."""
    include = "/opt/target/include/python3.13"
    config = {
        "SOABI": "cpython-313-aarch64-linux-gnu",
        "EXT_SUFFIX": ".cpython-313-aarch64-linux-gnu.so",
        "INCLUDEPY": include,
        "prefix": "/opt/target",
        "installed_base": "/opt/target",
        "CC": "target-gcc",
        "Py_GIL_DISABLED": 0,
    }
    return {
        "implementation": "cpython",
        "version": [3, 13, 5],
        "cache_tag": "cpython-313",
        "multiarch": "aarch64-linux-gnu",
        "magic": "f30d0d0a",
        "suffixes": [".cpython-313-aarch64-linux-gnu.so", ".abi3.so", ".so"],
        "machine": "aarch64",
        "libc_version": "glibc 2.28",
        "libc": ["glibc", "2.28"],
        "platform": "linux-aarch64",
        "site": SITE,
        "includes": {"include": include, "platinclude": include},
        "config_h": f"{include}/pyconfig.h",
        "makefile": "/opt/target/lib/python3.13/config/Makefile",
        "base_prefix": "/opt/target",
        "path": IMAGE_PATH,
        "config": config,
        "build_time": {**config, "prefix": "/usr/local"},
        "gcc": "10.2.1",
        **changes,
    }


def facts(**changes: Any) -> Facts:
    return Facts.parse(json.dumps(answer(**changes)))


def setup(directory: Path, python: PurePosixPath | None = None, **fields: Any) -> BackendSetup:
    store = FactsStore(directory=directory / "facts", image_id="sha256:1")
    return BackendSetup(facts=store, python=python, key="k1" if python else "", **fields)


def says_facts(**changes: Any) -> Callable[[FakeSession], str]:
    """An interpreter of the image that answers."""
    return lambda _session: json.dumps(answer(**changes))


def backend(
    wheel: str = "", requires: tuple[str, ...] = (), said: str = ""
) -> Callable[[FakeSession], str]:
    """A build backend: its hooks' answers, and what they print before."""

    def effect(session: FakeSession) -> str:
        token, hook = session.commands[-1].argv[2:4]
        value = wheel if hook == "build_wheel" else list(requires)
        return f"{said}{token}{json.dumps(value)}\n"

    return effect
