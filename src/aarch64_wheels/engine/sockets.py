"""Where a container engine may listen, and what keeps a socket from answering."""

from __future__ import annotations

import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import docker.context
import docker.errors
import docker.utils

from aarch64_wheels.settings.schema import EngineName

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One place to try: its address (`unix://…`, `tcp://…`), where it comes from, TLS settings."""

    url: str
    origin: str
    tls: Any = None

    def __str__(self) -> str:
        return f"{self.shown_url} ({self.origin})"

    @property
    def shown_url(self) -> str:
        """The address without user name and password."""
        parts = urlsplit(self.url)
        if not parts.netloc:  # a socket: geturl() would lose a slash or two
            return self.url
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    @property
    def socket(self) -> Path | None:
        """The socket's path, or None for an engine that is reached over a network."""
        scheme, _, path = self.url.partition("://")
        return Path("/") / path.lstrip("/") if scheme in ("unix", "http+unix") else None

    def knock(self) -> None:
        """Raise OSError if nobody listens at the socket: plainer words than the library's."""
        if self.socket is not None:
            with socket.socket(socket.AF_UNIX) as knocking:
                knocking.connect(str(self.socket))


def endpoints(name: EngineName, environ: Mapping[str, str]) -> tuple[Endpoint, ...]:
    """List the places to try, in order.

    A variable that names an engine is the user's word: nothing else is tried then, as the
    `docker` and `podman` commands do it.
    """
    match name:
        case EngineName.DOCKER:
            return _docker(environ)
        case EngineName.PODMAN:
            return _podman(environ)
        case EngineName.AUTO:
            if "DOCKER_HOST" in environ or "CONTAINER_HOST" not in environ:
                both = _docker(environ)
                return both if environ.get("DOCKER_HOST") else both + _podman(environ)
            return _podman(environ)
        case EngineName.NONE:
            return ()


def _docker(environ: Mapping[str, str]) -> tuple[Endpoint, ...]:
    if environ.get("DOCKER_HOST"):
        return (_from_environment(environ),)
    usual = [
        Endpoint(url="unix:///var/run/docker.sock", origin="Docker's usual socket"),
        Endpoint(url=f"unix://{_runtime_dir(environ)}/docker.sock", origin="rootless Docker"),
    ]
    return (*_current_context(), *usual)


def _podman(environ: Mapping[str, str]) -> tuple[Endpoint, ...]:
    if environ.get("CONTAINER_HOST"):
        return (Endpoint(url=environ["CONTAINER_HOST"], origin="CONTAINER_HOST"),)
    rootless = f"unix://{_runtime_dir(environ)}/podman/podman.sock"
    return (
        Endpoint(url=rootless, origin="rootless Podman"),
        Endpoint(url="unix:///run/podman/podman.sock", origin="Podman's usual socket"),
    )


def _from_environment(environ: Mapping[str, str]) -> Endpoint:
    found = docker.utils.kwargs_from_env(environment=dict(environ))
    url = found.get("base_url") or environ["DOCKER_HOST"]
    return Endpoint(url=url, origin="DOCKER_HOST", tls=found.get("tls"))


def _current_context() -> tuple[Endpoint, ...]:
    """Find the engine which `docker context use` chose, if it is not the default one."""
    try:
        context = docker.context.ContextAPI.get_current_context()
    except (docker.errors.DockerException, OSError, ValueError, TypeError):
        return ()
    if context is None or context.Name == "default" or not context.Host:
        return ()
    origin = f"Docker's context {context.Name}"
    return (Endpoint(url=context.Host, origin=origin, tls=context.TLSConfig or None),)


def _runtime_dir(environ: Mapping[str, str]) -> str:
    # CI services often lack the variable though the directory is there.
    return environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"


def why_silent(endpoint: Endpoint, error: Exception) -> str:
    """Why this place does not answer: missing, permission denied, refused, or its own words."""
    path = endpoint.socket
    try:
        if path is not None and not stat.S_ISSOCK(path.stat().st_mode):
            return "not a socket"
    except FileNotFoundError:
        return "missing"
    except OSError as problem:
        return (problem.strerror or str(problem)).lower()
    return _words_of(error)


def _words_of(error: Exception) -> str:
    text = str(error)
    known = {
        "Permission denied": "permission denied (is the user in its group?)",
        "Connection refused": "connection refused (nothing is listening)",
        "timed out": "no answer in time",
        "paramiko": "ssh:// needs the package paramiko",
    }
    return next((short for sign, short in known.items() if sign in text), text[:200])
