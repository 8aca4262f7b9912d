"""Makes a native interpreter say what the target's interpreter says of itself.

Only what a build asks for is changed: `sysconfig`, `distutils.sysconfig`, `platform`, `os.uname`.
What the interpreter needs for itself stays native, above all importlib's suffixes of extension
modules and the place of the standard library.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

TYPE_CHECKING = False  # `typing` itself takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: Depend on the environment, not on the interpreter it was made from.
_OWN = ("prefix", "exec_prefix", "base", "platbase", "userbase", "abiflags")
#: Schemes below the user's home name other places.
_USER_SCHEMES = ("posix_user", "posix_home")


def _facts() -> Any:
    """Give the module that `native/facts.py` has written for this target."""
    return import_module(f"{__package__}.facts")


def take_on() -> Callable[[], dict[str, Any]]:
    """Change what is loaded already.

    Returns:
        A function that gives the variables of the target's `_sysconfigdata` module.
    """
    facts = _facts()
    vars(sys.implementation).pop("_multiarch", None)
    if facts.MULTIARCH is not None:
        vars(sys.implementation)["_multiarch"] = facts.MULTIARCH
    _patch_uname(facts.MACHINE)
    _patch_confstr(facts.LIBC_VERSION)
    if not facts.LIBC_VERSION:
        sys.modules["_manylinux"] = _no_manylinux()
    return lambda: dict(import_module(f"{__package__}.variables").BUILD_TIME)


def _patch_uname(machine: str) -> None:
    native = os.uname

    def uname() -> os.uname_result:
        return os.uname_result((*native()[:4], machine))

    os.uname = uname
    sys.modules["posix"].uname = uname  # type: ignore[attr-defined]


def _patch_confstr(libc: str) -> None:
    """Answer for the target's libc: packaging's platform tags come from this (PEP 600)."""
    native = os.confstr

    def confstr(name: Any) -> str | None:
        if name not in ("CS_GNU_LIBC_VERSION", os.confstr_names["CS_GNU_LIBC_VERSION"]):
            return native(name)
        if not libc:
            raise ValueError("unrecognized configuration name")
        return libc

    os.confstr = confstr


def _no_manylinux() -> Any:
    """Make the module with which a system says that it is not manylinux (PEP 600)."""
    module = type(sys)("_manylinux")
    module.manylinux_compatible = lambda *_version: False  # type: ignore[attr-defined]
    return module


def patch_sysconfig(module: Any) -> None:
    """Change `sysconfig`: variables, the paths of headers, the files they come from."""
    facts = _facts()
    module.get_config_vars = _TargetVariables(module.get_config_vars)
    native_paths = module.get_paths
    default = native_paths.__defaults__[0]

    def get_paths(scheme: str = default, vars: Any = None, expand: bool = True) -> Any:  # noqa: A002, FBT001, FBT002
        paths = native_paths(scheme, vars, expand)
        if vars is None and expand and scheme not in _USER_SCHEMES:
            paths["stdlib"] = os.path.dirname(os.__file__)  # noqa: PTH120
            paths.update(facts.INCLUDES)
        return paths

    def get_path(name: str, scheme: str = default, vars: Any = None, expand: bool = True) -> Any:  # noqa: A002, FBT001, FBT002
        return get_paths(scheme, vars, expand)[name]

    module.get_paths, module.get_path = get_paths, get_path
    _patch_files(module)


def _patch_files(module: Any) -> None:
    facts = _facts()
    module.get_config_h_filename = lambda: facts.CONFIG_H
    module.get_makefile_filename = lambda: facts.MAKEFILE


class _TargetVariables:
    """`sysconfig.get_config_vars` with the target's values.

    The dictionary is made at the first call, and anew whenever `sys.prefix` has changed; other
    modules hold it and change it, so the target's values go into that very dictionary, once.
    """

    def __init__(self, native: Callable[..., Any]) -> None:
        self._native = native
        self._changed: Any = None
        self._making = False

    def __call__(self, *names: str) -> Any:
        if self._making:  # while it makes the dictionary, sysconfig asks itself
            return self._native(*names)
        self._making = True
        try:
            known = self._native()
        finally:
            self._making = False
        if known is not self._changed:
            found = import_module(f"{__package__}.variables").CONFIG
            known.update({name: found[name] for name in found if name not in _OWN})
            self._changed = known
        return [known.get(name) for name in names] if names else known


def patch_distutils(module: Any) -> None:
    """Change `distutils.sysconfig`: older ones make the headers' place from `sys.base_prefix`."""
    facts, native = _facts(), module.get_python_inc

    def get_python_inc(plat_specific: Any = 0, prefix: Any = None) -> str:
        if prefix is None:
            return str(facts.INCLUDES["platinclude" if plat_specific else "include"])
        return str(native(plat_specific, prefix))

    module.get_python_inc = get_python_inc
    _patch_files(module)


def patch_platform(module: Any) -> None:
    """Change `platform.libc_ver`, which would read the native interpreter's file."""
    facts, native = _facts(), module.libc_ver

    def libc_ver(executable: Any = None, *rest: Any, **options: Any) -> Any:
        if executable in (None, "", sys.executable):
            return facts.LIBC
        return native(executable, *rest, **options)

    module.libc_ver = libc_ver
