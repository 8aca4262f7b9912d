#!/usr/bin/env python3
"""Makes a private virtual environment from hash-locked requirements, once.

    bootstrap.py --requirements requirements/run.txt [--venv DIR]

prints the path of the environment's Python as its last line; everything else goes to
standard error. Without --venv the environment lies in the runner's tool cache or the user's
cache, under a name made from the requirements' hash and the Python. Only the standard
library is used, and nothing outside the environment changes, with one exception: on a Debian
or Ubuntu whose Python comes without `ensurepip`, its package is installed by apt-get.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import platform
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

OLDEST = (3, 11)
MARKER = ".complete"
#: uv alone comes by pip; everything else comes by uv.
UV_LOCK = Path(__file__).resolve().parent.parent / "requirements" / "uv.txt"


class BootstrapError(Exception):
    """The environment can't be made; the text says why and what to do."""


def main(argv: Sequence[str] | None = None) -> int:
    """Make the environment or find it made; 3 when it can't be made."""
    parser = argparse.ArgumentParser(description="make a private, hash-locked environment")
    parser.add_argument("--requirements", type=Path, required=True, metavar="FILE")
    parser.add_argument("--venv", type=Path, metavar="DIR", help="where (default: a cache)")
    arguments = parser.parse_args(argv)
    try:
        python = ensure(arguments.requirements, arguments.venv, os.environ)
    except BootstrapError as error:
        tell(str(error))
        return 3
    sys.stdout.write(f"{python}\n")
    return 0


def ensure(requirements: Path, venv: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the Python of an environment that holds exactly the requirements.

    Raises:
        BootstrapError: this Python is too old, or a step failed.
    """
    if sys.version_info < OLDEST:
        raise BootstrapError(
            f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed\n"
            f"found: {platform.python_version()} at {sys.executable}"
        )
    key = environment_key(requirements)
    place = Path(os.path.abspath(venv or default_place(environ) / key))  # noqa: PTH100  # keep links  # keep links
    python = place / "bin" / "python"
    if is_complete(place, key):
        return python
    place.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(place.with_name(place.name + ".lock")):
        if not is_complete(place, key):  # another process may have been quicker
            build(place, requirements, environ)
            (place / MARKER).write_text(key, encoding="utf-8")
    return python


def environment_key(requirements: Path) -> str:
    """Name an environment after all that it depends on: both locks and the Python."""
    digest = hashlib.sha256()
    for lock in (requirements, UV_LOCK):
        try:
            digest.update(lock.read_bytes())
        except OSError as error:
            raise BootstrapError(f"could not read {lock}\nfound: {error.strerror}") from error
    digest.update(f"{sys.version}|{sys.base_prefix}|{platform.machine()}".encode())
    return f"py{sys.version_info[0]}{sys.version_info[1]}-{digest.hexdigest()[:16]}"


def default_place(environ: Mapping[str, str]) -> Path:
    """Choose the directory of environments: the runner's tool cache, else the user's cache."""
    tools = environ.get("RUNNER_TOOL_CACHE", "")
    if tools and os.access(tools, os.W_OK):
        return Path(tools) / "aarch64-wheels"
    cache = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "aarch64-wheels" / "environments"


def is_complete(place: Path, key: str) -> bool:
    """Tell whether the environment was finished, from these locks, by this Python."""
    try:
        return (place / MARKER).read_text(encoding="utf-8") == key and (
            place / "bin" / "python"
        ).exists()
    except OSError:
        return False


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Let one process at a time make an environment: it can't be moved into place when done."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build(place: Path, requirements: Path, environ: Mapping[str, str]) -> None:
    """Make the environment anew: venv, then uv by pip, then the requirements by uv."""
    tell(f"making a private environment in {place}")
    ensure_venv_module(environ)
    if place.exists():
        shutil.rmtree(place)
    python = str(place / "bin" / "python")
    run([sys.executable, "-m", "venv", str(place)], environ)
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run([*pip, "install", "--require-hashes", "--no-deps", "-r", str(UV_LOCK)], environ)
    uv = [str(place / "bin" / "uv"), "pip", "sync", "--quiet", "--require-hashes"]
    # uv must not take the working directory's project, or its settings, into account.
    uv += ["--no-config", "--python", python, str(requirements)]
    run(uv, {**environ, **settings_for_uv(pip, environ)})


def settings_for_uv(pip: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Carry the index and the certificates that pip is set to use over to uv.

    uv reads neither pip.conf nor PIP_INDEX_URL. The locks have hashes, so an index can
    leave something out, but not put something else in.
    """
    listing = run([*pip, "config", "list"], environ)
    found: dict[str, str] = {}
    for line in listing.splitlines():
        key, _, value = line.partition("=")
        found[key.rpartition(".")[2]] = value.strip("'\"")
    wanted = {"UV_DEFAULT_INDEX": "index-url", "SSL_CERT_FILE": "cert"}
    return {
        variable: found[key]
        for variable, key in wanted.items()
        if key in found and variable not in environ
    }


def ensure_venv_module(environ: Mapping[str, str]) -> None:
    """Install Debian's package of `ensurepip` when this Python comes without it."""
    from importlib.util import find_spec  # the second run needs none of this

    if find_spec("venv") and find_spec("ensurepip"):
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if not shutil.which("apt-get"):
        raise BootstrapError(
            f"{sys.executable} can't make virtual environments: it has no `ensurepip`\n"
            f"next: install your distribution's package of it (Debian calls it {package})"
        )
    tell(f"installing {package} with apt-get: this Python has no `ensurepip`")
    apt_install(package, environ)


def apt_install(package: str, environ: Mapping[str, str]) -> None:
    """Install one package, refreshing the lists only when it is not in them."""
    root = [] if os.geteuid() == 0 else ["sudo"]
    if root and not shutil.which("sudo"):
        raise BootstrapError(
            f"{package} is needed, and installing it needs root\n"
            f"next: run `apt-get install {package}` as root, then this again"
        )
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    install = [*apt, "install", "--yes", "--no-install-recommends", package]
    try:
        run(install, environ)
    except BootstrapError:
        run([*apt, "update"], environ)
        run(install, environ)


def run(argv: Sequence[str], environ: Mapping[str, str]) -> str:
    """Run a program and return its standard output.

    Raises:
        BootstrapError: it failed; with the last lines it printed.
    """
    import subprocess  # the second run needs none of this

    done = subprocess.run(argv, env=dict(environ), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-10:])
        raise BootstrapError(
            f"`{shlex.join(argv)}` ended with status {done.returncode}\nfound: {tail}"
        )
    return done.stdout


def tell(line: str) -> None:
    """Say what is being done; standard output is for the result alone."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
