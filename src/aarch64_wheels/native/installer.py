"""Lets the native uv install build requirements where `python -m build` asks the emulated pip to.

Run as a script when an accelerated image is made, it puts itself into each CPython of the image.
There it is imported by a `.pth` file when an interpreter starts as pip, and does nothing unless
the call has just the form that `build` (PyPA) gives it, and pip's settings are the usual ones:
whatever else is asked, and whatever uv cannot do, pip does. AARCH64_WHEELS_INSTALLER=pip turns it
off. It runs on CPython 3.10 and later, and imports nothing but the standard library.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

UV = "/native/bin/uv"
PIP_CONF = "/etc/pip.conf"
NAME = "_aarch64_wheels_installer"
#: Older interpreters do not tell how they were started.
PTH = f"import sys; 'pip' in getattr(sys, 'orig_argv', ()) and __import__({NAME!r}).start()\n"
SWITCH = "AARCH64_WHEELS_INSTALLER"

#: What build (`build/env.py`) gives to `pip install` beside files: all of it is uv's default.
_OPTIONS = {
    *("--use-pep517", "--no-warn-script-location", "--no-compile", "--no-input"),
    "--ignore-installed",
}
#: Settings of pip that change nothing of what is installed.
_HARMLESS = {
    *("PIP_CACHE_DIR", "PIP_DEFAULT_TIMEOUT", "PIP_DISABLE_PIP_VERSION_CHECK", "PIP_NO_CACHE_DIR"),
    *("PIP_NO_COLOR", "PIP_NO_COMPILE", "PIP_NO_INPUT", "PIP_NO_WARN_SCRIPT_LOCATION"),
    *("PIP_PROGRESS_BAR", "PIP_QUIET", "PIP_RETRIES", "PIP_ROOT_USER_ACTION", "PIP_VERBOSE"),
    "PIP_REQUIRE_VIRTUALENV",
}
#: Settings of pip, and what uv calls the same.
_SAME = {"PIP_INDEX_URL": "UV_DEFAULT_INDEX", "PIP_CERT": "SSL_CERT_FILE"}


def start() -> None:
    """End this interpreter after uv has done its work; return if pip must do it."""
    environ = dict(os.environ)
    words = uv_words(sys.orig_argv[1:])
    if words is None or environ.get(SWITCH) == "pip" or not os.access(UV, os.X_OK):
        return
    if is_configured(environ, Path(sys.prefix)):
        return
    done = subprocess.run(words, env=uv_environment(environ), check=False)
    if done.returncode == 0:
        os._exit(0)  # at this place no exception would end the start of pip
    # A `.pth` file may be read twice (lib and lib64), and pip may build what it installs.
    os.environ[SWITCH] = "pip"


def uv_words(words: list[str]) -> list[str] | None:
    """Translate the words after the interpreter's name; None if they have another form."""
    if words[:3] != ["-m", "pip", "--python"] or len(words) < 4:  # noqa: PLR2004
        return None
    rest = [word for word in words[4:] if word not in ("-v", "-vv", "-vvv")]
    if rest[:1] != ["install"]:
        return None
    made = [UV, "pip", "install", "--no-config", "--link-mode=copy", "--python", words[3]]
    options = iter(rest[1:])
    for word in options:
        if word in ("-r", "-c"):
            made += [word, next(options, "")]
        elif word not in _OPTIONS:
            return None
    return made


def uv_environment(environ: dict[str, str]) -> dict[str, str]:
    """Give uv pip's settings."""
    return environ | {uv: environ[pip] for pip, uv in _SAME.items() if environ.get(pip)}


def is_configured(environ: dict[str, str], prefix: Path, conf: str = PIP_CONF) -> bool:
    """Tell whether pip has settings that uv does not know, in variables or in its files."""
    known = _HARMLESS | set(_SAME)
    if any(
        name.startswith("PIP_") and value and name not in known for name, value in environ.items()
    ):
        return True
    home = Path(environ.get("HOME") or "/root")
    shared = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [Path(conf), prefix / "pip.conf", home / ".pip/pip.conf"]
    files += [Path(directory) / "pip/pip.conf" for directory in (*shared, str(user))]
    return any(file.is_file() for file in files)


def install(root: Path = Path("/")) -> list[Path]:
    """Put this module into each CPython below /opt/python; returns where.

    Raises:
        OSError: a directory cannot be written.
    """
    found = sorted(root.glob("opt/python/cp*/lib/python3.*/site-packages"))
    for packages in found:
        shutil.copyfile(__file__, packages / f"{NAME}.py")
        (packages / f"{NAME}.pth").write_text(PTH, encoding="utf-8")
    return found


if __name__ == "__main__":
    install()
