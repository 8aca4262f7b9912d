"""Imported when an interpreter of the build environment starts: `python -I` and `-E` too.

It costs every process of a build, so it imports nothing that is not loaded already, and what it
changes in a module is changed when that module is imported.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

TYPE_CHECKING = False  # `typing` itself takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Patch = Callable[[Any], None]

#: Set while a hook runs that is to say that it is the target.
IDENTITY_VARIABLE = "AARCH64_WHEELS_IDENTITY"
#: How many processes of a build may work at the same time.
PARALLEL_VARIABLE = "AARCH64_WHEELS_PARALLEL"

_SYSCONFIG = "sysconfig"
_DISTUTILS = ("distutils", "setuptools._distutils")


class Watcher:
    """A finder that lets the others find a module, and changes it once it has been executed.

    Args:
        patches: by the module's full name, what changes it.
        stand_in: gives the content of `_sysconfigdata…` modules, which are the target's.
    """

    def __init__(self, patches: dict[str, Patch], stand_in: Callable[[], Any] | None) -> None:
        self._patches = patches
        self._stand_in = stand_in
        self._looking: set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """See `importlib.abc.MetaPathFinder`."""
        if self._stand_in is not None and name.startswith("_sysconfigdata_"):
            kind: Any = type(sys.__spec__)
            return kind(name, _StandIn(self._stand_in))
        if name not in self._patches or name in self._looking:
            return None
        self._looking.add(name)
        try:
            return self._patched(name, self._found(name, path, target))
        finally:
            self._looking.discard(name)

    def _found(self, name: str, path: Any, target: Any) -> Any:
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find and finder is not self else None
            if spec is not None:
                return spec
        return None

    def _patched(self, name: str, spec: Any) -> Any:
        execute = getattr(getattr(spec, "loader", None), "exec_module", None)
        # A loader that is a class serves all modules of its kind, and must stay as it is.
        if execute is None or isinstance(spec.loader, type):
            return None

        def execute_and_patch(module: Any) -> None:
            execute(module)
            self._patches[name](module)

        spec.loader.exec_module = execute_and_patch
        return spec


class _StandIn:
    """The loader of a module that has no file."""

    def __init__(self, content: Callable[[], Any]) -> None:
        self._content = content

    def create_module(self, _spec: Any) -> None:
        """Let the machinery make an empty module."""

    def exec_module(self, module: Any) -> None:
        """Fill it."""
        module.build_time_vars = self._content()


def start(environ: Any) -> None:
    """Change this process into what the variables say; without them it stays as it is."""
    patches: dict[str, Patch] = {}
    stand_in = None
    if environ.get(IDENTITY_VARIABLE):
        target = import_module(f"{__package__}.target")
        stand_in = target.take_on()
        patches[_SYSCONFIG] = target.patch_sysconfig
        patches["platform"] = target.patch_platform
        patches.update({f"{name}.sysconfig": target.patch_distutils for name in _DISTUTILS})
    if environ.get(PARALLEL_VARIABLE, "1") not in ("", "0", "1"):
        patches.update(_parallel_patches())
    if patches:
        sys.meta_path.insert(0, Watcher(patches, stand_in))
    for name, patch in patches.items():
        if name in sys.modules:
            patch(sys.modules[name])


def _parallel_patches() -> dict[str, Patch]:
    """Load what they do only when distutils is: most processes of a build never import it."""

    def compilers(module: Any) -> None:
        import_module(f"{__package__}.parallel").patch_compiler(module)

    def extensions(module: Any) -> None:
        import_module(f"{__package__}.parallel").patch_build_ext(module)

    patches: dict[str, Patch] = {}
    for name in _DISTUTILS:
        # setuptools 79 and later have the class elsewhere, and call it by both names.
        patches[f"{name}.compilers.C.base"] = compilers
        patches[f"{name}.ccompiler"] = compilers
        patches[f"{name}.command.build_ext"] = extensions
    return patches


if __name__ != "__main__":
    start(os.environ)
