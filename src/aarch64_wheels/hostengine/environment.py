"""The variables of a build on the host itself: as clean as those of a container."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.engine.network import container_environment
from aarch64_wheels.engine.spec import CA_BUNDLE
from aarch64_wheels.hostengine.mapping import kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aarch64_wheels.hostindex import IndexSettings

#: What programs need to find their way on this machine, and what a manylinux image sets for its
#: own: this may be a job inside of one. None of it holds a secret.
_KEPT = (
    *("HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ"),
    *("LD_LIBRARY_PATH", "PKG_CONFIG_PATH", "DEVTOOLSET_ROOTPATH"),
    *("AUDITWHEEL_POLICY", "AUDITWHEEL_ARCH", "AUDITWHEEL_PLAT"),
)


def host_environment(
    environ: Mapping[str, str], index: IndexSettings, tools: Path
) -> dict[str, str]:
    """Make the variables of every command; of this process's own only what is named here.

    Args:
        environ: this process's variables.
        index: where packages come from.
        tools: a directory that comes first on PATH.

    Returns:
        The variables, with the host's own paths in them written so that none is mapped.
    """
    network = container_environment(environ, index)
    bundle = str(index.ca_bundle or CA_BUNDLE)
    made = {
        **{name: environ[name] for name in _KEPT if environ.get(name)},
        # The file itself, where a container has a copy.
        **{name: bundle if text == str(CA_BUNDLE) else text for name, text in network.items()},
        "PATH": ":".join(map(str, [tools, *search_path(environ)])),
    }
    return {name: kept(text) for name, text in made.items()}


def search_path(environ: Mapping[str, str]) -> list[Path]:
    """List the directories of PATH; what is relative to the working directory may be anybody's."""
    return [Path(word) for word in environ.get("PATH", "").split(":") if word.startswith("/")]
