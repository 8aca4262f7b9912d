"""Run by the image's own interpreter, once for each image: prints, as JSON, what it says of itself.

Everything that `target.py` makes a native interpreter repeat, and what the host has to know.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import platform
import subprocess
import sys
import sysconfig


def _build_time() -> dict[str, object]:
    """Give the variables as the interpreter was built with; PyPy has them in another way."""
    name = getattr(sysconfig, "_get_sysconfigdata_name", lambda: "")()
    try:
        return dict(importlib.import_module(name).build_time_vars)
    except (ImportError, ValueError):
        return {}


def _libc_version() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        return ""  # musl


def _gcc_version() -> str:
    """Ask the image's GCC; before version 7 it did not know the first of the two questions."""
    for question in ("-dumpfullversion", "-dumpversion"):
        try:
            done = subprocess.run(
                ["gcc", question],  # noqa: S607 - the one that a build finds
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                check=False,
            )
        except OSError:
            return ""  # there is none
        answer = done.stdout.decode("ascii", "replace").strip()
        if answer.replace(".", "").isdigit():
            return answer
    return ""


def _site() -> str:
    """Give the place of site-packages in an environment, relative to it."""
    roots = {"base": "/x", "platbase": "/x"}
    return os.path.relpath(sysconfig.get_path("purelib", _scheme(), roots), "/x")


def _scheme() -> str:
    names = sysconfig.get_scheme_names()
    return "venv" if "venv" in names else "posix_prefix"


def facts() -> dict[str, object]:
    """Collect it."""
    return {
        "implementation": sys.implementation.name,
        "version": list(sys.version_info[:3]),
        "cache_tag": sys.implementation.cache_tag,
        "multiarch": getattr(sys.implementation, "_multiarch", None),
        "magic": importlib.util.MAGIC_NUMBER.hex(),
        "suffixes": list(importlib.machinery.EXTENSION_SUFFIXES),
        "machine": os.uname().machine,
        "libc_version": _libc_version(),
        "libc": list(platform.libc_ver()),
        "platform": sysconfig.get_platform(),
        "site": _site(),
        "includes": {key: sysconfig.get_path(key) for key in ("include", "platinclude")},
        "config_h": sysconfig.get_config_h_filename(),
        "makefile": sysconfig.get_makefile_filename(),
        "base_prefix": sys.base_prefix,
        "path": os.environ.get("PATH", ""),
        "config": sysconfig.get_config_vars(),
        "build_time": _build_time(),
        "gcc": _gcc_version(),
    }


if __name__ == "__main__":
    json.dump(facts(), sys.stdout)
