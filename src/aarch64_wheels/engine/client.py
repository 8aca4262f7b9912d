"""The container engine: how it is found, and what is asked of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import docker.errors
import requests

from aarch64_wheels.engine.container import ContainerSession
from aarch64_wheels.engine.pulling import pull_with_retry
from aarch64_wheels.engine.registry import ContainerRegistry
from aarch64_wheels.engine.sockets import Endpoint, endpoints, why_silent
from aarch64_wheels.engine.spec import ContainerSpec
from aarch64_wheels.errors import AarchWheelsError, UnfitError, UsageError

if TYPE_CHECKING:
    from aarch64_wheels.engine.api import LineSink
    from aarch64_wheels.settings.schema import EngineName

#: Seconds an engine has to answer the first question.
PING_SECONDS = 15
#: Seconds between two bytes of any other answer. Streams of commands have no limit at all
#: (see `exec.py`); this one is for loading, committing and removing big images on slow disks.
ANSWER_SECONDS = 1800
#: What Docker gives a container whose image names no PATH.
USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: Connections kept: each parallel target holds one for its command and one for copies.
POOL_SIZE = 64

#: Podman says it in Go's words.
_KERNEL_NAMES = {"amd64": "x86_64", "arm64": "aarch64"}

Opener = Callable[[Endpoint, int], Any]


class Engine:
    """A container engine that answers.

    Attributes:
        name: `docker` or `podman`. version: the engine's own version.
        architecture: of the machine it runs on, as the kernel calls it (`x86_64`); cores: how many
            that machine has.
        client: the `docker.DockerClient`.
        local: it is reached through a socket of this machine.
        storage: the directory that holds its images and containers, None if it cannot be seen
            from here (another machine, a virtual machine, another user's).
    """

    def __init__(self, client: Any, *, endpoint: Endpoint) -> None:
        about = client.version()
        parts = [str(part.get("Name", "")) for part in about.get("Components") or ()]
        self.name = "podman" if any("podman" in part.lower() for part in parts) else "docker"
        self.version = str(about.get("Version", ""))
        info = client.info()
        machine = str(info.get("Architecture", ""))
        self.architecture = _KERNEL_NAMES.get(machine, machine)
        self.cores = int(info.get("NCPU") or os.cpu_count() or 1)
        self.local = endpoint.socket is not None
        self.storage = _storage(info) if self.local else None
        self.endpoint = endpoint
        self.client = client
        self.containers = ContainerRegistry(client)

    def __str__(self) -> str:
        return f"{self.name} {self.version} at {self.endpoint.shown_url}"

    def has_image(self, reference: str) -> bool:
        """Tell whether the engine holds this image."""
        return self._inspect(reference) is not None

    def image_id(self, reference: str) -> str:
        """Give the image's id. Raises UnfitError if the engine does not hold it."""
        return str(self._required(reference)["Id"])

    def image_digest(self, reference: str) -> str:
        """Give the digest of the image's manifest in a registry; empty if it came from none.

        Raises UnfitError if the engine does not hold it.
        """
        named = self._required(reference).get("RepoDigests") or ()
        # An image that came from several has one for each of them.
        found = sorted(str(name) for name in named if "@" in str(name))
        return found[0].rpartition("@")[2] if found else ""

    def image_architecture(self, reference: str) -> str:
        """Give the image's architecture (`arm64`). Raises UnfitError if there is no such image."""
        return str(self._required(reference).get("Architecture", ""))

    def image_labels(self, reference: str) -> dict[str, str]:
        """Give the image's labels. Raises UnfitError if the engine does not hold it."""
        return _labels(self._required(reference))

    def find_labels(self, reference: str) -> dict[str, str] | None:
        """Give the image's labels, None if the engine does not hold it."""
        found = self._inspect(reference)
        return None if found is None else _labels(found)

    def image_path(self, reference: str) -> str:
        """Give the image's PATH, or the kernel's usual one where it names none."""
        variables = self._required(reference).get("Config", {}).get("Env") or ()
        named = [text.removeprefix("PATH=") for text in variables if text.startswith("PATH=")]
        return named[-1] if named else USUAL_PATH

    def forget_image(self, reference: str) -> None:
        """Remove an image that nothing needs any more; one still in use stays."""
        try:
            self.client.images.remove(reference)
        except docker.errors.APIError:
            return  # another tag, a container or an image made of it needs it

    def pull(
        self, reference: str, sink: LineSink, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Pull an image for linux/arm64, trying again where the registry is only busy.

        Raises:
            UnfitError: the registry's own words.
        """
        pull_with_retry(self.client, reference, sink, pause=pause)

    def load(self, archive: Path) -> str:
        """Load an image archive (`docker save` form) and return the image's id."""
        try:
            with archive.open("rb") as stream:
                return self.load_stream(stream)
        except OSError as error:
            raise UnfitError(f"cannot read the image archive {archive}", found=str(error)) from None

    def load_stream(self, data: Any) -> str:
        """Load an image archive from bytes or an open file and return the image's id.

        Raises:
            UnfitError: the engine refused it.
        """
        try:
            return str(self.client.images.load(data)[0].id)
        except (docker.errors.DockerException, requests.RequestException) as error:
            raise UnfitError(f"{self} could not load an image", found=str(error)) from None

    def start_session(self, image: str, spec: ContainerSpec | None = None) -> ContainerSession:
        """Make a session of an image; the container starts when it is entered (`with`)."""
        spec = spec or ContainerSpec()
        # Docker gives a container the proxies of its own configuration, ours go to the commands.
        proxies = self.client.api._proxy_configs.get_environment()  # noqa: SLF001 - no other way
        spec = replace(spec, environment={**proxies, **spec.environment})
        return ContainerSession(self.client, image, spec, self.containers)

    def close_all(self) -> None:
        """Remove all containers that this process made. Safe from any thread, at any time."""
        self.containers.close_all()

    def _inspect(self, reference: str) -> dict[str, Any] | None:
        """Ask for the image's attributes.

        Raises:
            UsageError: the engine says that this cannot be an image's name.
            UnfitError: the engine fails.
        """
        try:
            attributes: dict[str, Any] = self.client.images.get(reference).attrs
        except docker.errors.NotFound:
            return None
        except (docker.errors.DockerException, requests.RequestException) as error:
            raise self._inspect_error(reference, error) from None
        return attributes

    def _inspect_error(self, reference: str, error: Exception) -> AarchWheelsError:
        words = str(getattr(error, "explanation", None) or error)
        if getattr(error, "status_code", None) == requests.codes.bad_request:
            return UsageError(
                f"`{reference}` cannot be the name of an image",
                found=words,
                hint="give a short name (`aarch64-wheels image list`) or NAME[:TAG][@DIGEST]",
            )
        return UnfitError(f"{self} cannot tell of the image {reference}", found=words)

    def _required(self, reference: str) -> dict[str, Any]:
        found = self._inspect(reference)
        if found is None:
            raise UnfitError(f"{self.name} does not hold the image {reference}")
        return found


def _labels(attributes: Mapping[str, Any]) -> dict[str, str]:
    labels = attributes.get("Config", {}).get("Labels") or {}
    return {str(name): str(value) for name, value in labels.items()}


def _storage(info: Mapping[str, Any]) -> Path | None:
    root = Path(str(info.get("DockerRootDir") or ""))
    # Not `Path.exists`, which raises PermissionError below a directory that cannot be entered.
    return root if root.is_absolute() and os.path.exists(root) else None  # noqa: PTH110


def open_client(endpoint: Endpoint, timeout: int) -> Any:
    """Make a docker-py client for this place; it asks the engine for its API version at once."""
    endpoint.knock()
    return docker.DockerClient(
        base_url=endpoint.url,
        tls=endpoint.tls or False,
        version="auto",
        timeout=timeout,
        max_pool_size=POOL_SIZE,
    )


def connect(
    name: EngineName, environ: Mapping[str, str], *, opener: Opener = open_client
) -> Engine:
    """Find the first engine that answers.

    Raises:
        UnfitError: none does; says what was tried and why each failed.
    """
    tried = []
    for endpoint in endpoints(name, environ):
        try:
            return _open(endpoint, opener)
        except (docker.errors.DockerException, requests.RequestException, OSError) as error:
            tried.append(f"{endpoint}: {why_silent(endpoint, error)}")
    raise UnfitError(
        f"no container engine answers ({name.value})",
        found="; ".join(tried),
        hint="start Docker or Podman, or run `aarch64-wheels doctor --fix`",
    )


def _open(endpoint: Endpoint, opener: Opener) -> Engine:
    opener(endpoint, PING_SECONDS).close()
    return Engine(opener(endpoint, ANSWER_SECONDS), endpoint=endpoint)
