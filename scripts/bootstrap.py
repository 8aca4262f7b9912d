#!/usr/bin/env python3
"""Makes a private virtual environment from hash-locked requirements, once.

    bootstrap.py --requirements requirements/run.txt [--venv DIR] [-- ARG ...]

With arguments for it, the environment's Python takes this process's place; without, its path
is printed as the last line. Everything else goes to standard error. Without --venv the
environment lies in the runner's tool cache or the user's cache, under a name made from the
requirements' hash and the Python. Only the standard library is used, and nothing outside the
environment changes, with one exception: on a Debian or Ubuntu whose Python comes without
`ensurepip`, its package is installed by apt-get.
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
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

OLDEST = (3, 11)
MARKER = ".complete"
#: uv alone comes by pip; everything else comes by uv.
UV_LOCK = Path(__file__).resolve().parent.parent / "requirements" / "uv.txt"
#: Secrets of a job's step: for the program in the environment, not for what installs it.
SECRETS = ("TWINE_", "GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_ID_TOKEN_", "ACTIONS_RUNTIME_TOKEN")


class BootstrapError(Exception):
    """The environment can't be made; the text says why and what to do."""


def main(argv: Sequence[str] | None = None) -> int:
    """Make the environment or find it made, then run it or tell where; 3 when it can't be made."""
    parser = argparse.ArgumentParser(description="make a private, hash-locked environment")
    parser.add_argument("--requirements", type=Path, required=True, metavar="FILE")
    parser.add_argument("--venv", type=Path, metavar="DIR", help="where (default: a cache)")
    parser.add_argument("arguments", nargs="*", metavar="ARG", help="for the environment's Python")
    arguments = parser.parse_args(argv)
    try:
        python = ensure(arguments.requirements, arguments.venv, without_secrets(os.environ))
    except BootstrapError as error:
        tell(str(error))
        return 3
    if arguments.arguments:
        # In this process's place, so that who signals it reaches that program.
        os.execv(python, [str(python), *arguments.arguments])  # noqa: S606 - no shell wanted
    sys.stdout.write(f"{python}\n")
    return 0


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Give the variables that installers may see."""
    return {name: value for name, value in environ.items() if not name.startswith(SECRETS)}


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
    place = Path(os.path.abspath(venv or default_place(environ) / key))  # noqa: PTH100  # keep links
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
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(f"waiting for another process, which holds {path}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build(place: Path, requirements: Path, environ: Mapping[str, str]) -> None:
    """Make the environment anew: venv, then uv by pip, then the requirements by uv."""
    tell(f"making a private environment in {place}")
    ensure_venv_module(environ)
    if place.exists():
        shutil.rmtree(place)
    python = str(place / "bin" / "python")
    # -I: the working directory is somebody's checkout, and may hold a venv.py or a pip.py.
    run([sys.executable, "-I", "-m", "venv", str(place)], environ)
    pip = pip_of(python)
    # Wheels only: what a source distribution would be built with is in no lock.
    install = ["install", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    install += ["-r", str(UV_LOCK)]
    run([*pip, *install], environ)
    uv = [str(place / "bin" / "uv"), "pip", "sync", "--quiet", "--require-hashes", "--no-build"]
    # uv must not take the working directory's project, or its settings, into account.
    uv += ["--no-config", "--python", python, str(requirements)]
    run(uv, {**environ, **settings_for_uv(pip, environ)})


def pip_of(python: str) -> list[str]:
    """Give the words that start a Python's pip; -I as for venv."""
    return [python, "-I", "-m", "pip", "--disable-pip-version-check"]


def settings_for_uv(pip: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Carry the index and the certificates that pip is set to use over to uv.

    uv reads neither pip.conf nor PIP_INDEX_URL. The locks have hashes, so an index can
    leave something out, but not put something else in.
    """
    found = pip_settings(run([*pip, "config", "list"], environ))
    bundles = (environ.get("REQUESTS_CA_BUNDLE"), environ.get("CURL_CA_BUNDLE"), found.get("cert"))
    wanted = {
        "UV_DEFAULT_INDEX": "" if "UV_INDEX_URL" in environ else found.get("index-url", ""),
        "UV_INSECURE_HOST": " ".join(found.get("trusted-host", "").split()),
        "SSL_CERT_FILE": next((name for name in bundles if name and Path(name).is_file()), ""),
    }
    return {name: value for name, value in wanted.items() if value and not environ.get(name)}


def pip_settings(listing: str) -> dict[str, str]:
    """Read what `pip config list` prints: variables over `[install]` over `[global]`."""
    import ast  # the second run needs none of this

    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.partition(".")
        if section in sections:
            sections[section][key] = str(ast.literal_eval(value))
    return {**sections["global"], **sections["install"], **sections[":env:"]}


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
    """Run a program and return its standard output; it ends when this process is told to.

    Raises:
        BootstrapError: it failed; with the last lines it printed.
    """
    from subprocess import PIPE, Popen  # the second run needs none of this

    with Popen(argv, env=dict(environ), stdout=PIPE, stderr=PIPE, text=True) as process:
        try:
            output, errors = process.communicate()
        except BaseException:
            with contextlib.suppress(PermissionError):  # it is sudo's
                process.terminate()
            raise
    if process.returncode != 0:
        tail = "\n  | ".join((errors or output).strip().splitlines()[-10:])
        raise BootstrapError(
            f"`{shlex.join(argv)}` ended with status {process.returncode}\nfound: {tail}"
        )
    return output


def end_on_signals() -> None:
    """Have a cancelled job, or Ctrl-C, end this without a traceback, and what it runs with it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as in a shell's background job
            signal.signal(number, end)


def end(number: int, _frame: FrameType | None) -> NoReturn:
    """End with the status a shell would give."""
    sys.exit(128 + number)


def tell(line: str) -> None:
    """Say what is being done; standard output is for the result alone."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    end_on_signals()
    sys.exit(main())
