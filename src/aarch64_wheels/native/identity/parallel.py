"""Lets setuptools compile the files of an extension, and the extensions, at the same time.

Same objects, same order, same output and same errors as one after the other; wherever a project
has put its own code in the place of distutils', it stays one after the other.
"""

from __future__ import annotations

import os
import threading
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from .pool import Run, Slots, Unsaid

if TYPE_CHECKING:
    from collections.abc import Sequence

_OURS = ("distutils.", "setuptools.")


@cache
def _slots() -> Slots:
    """Make the slots when they are first needed: forks inherit them."""
    # An environment that sets this variable has imported this module: see `startup`.
    return Slots(int(os.environ["AARCH64_WHEELS_PARALLEL"]))


def _may_fork() -> bool:
    """Tell whether a fork is harmless: with threads about, a lock may be held for ever."""
    return threading.active_count() == 1


def patch_compiler(module: Any) -> None:
    """Change `compile` of distutils' compiler class, for subclasses that did not change it."""
    compiler = getattr(module, "CCompiler", None) or getattr(module, "Compiler", None)
    serial = getattr(compiler, "compile", None)
    # A newer setuptools keeps the class elsewhere and imports it here: it is changed there.
    if serial is None or getattr(serial, "__module__", "") != module.__name__:
        return

    def compile_all(self: Any, sources: Any, *rest: Any, **options: Any) -> Any:
        if len(sources) > 1 and _may_fork() and _is_plain(self, ("_compile", "spawn")):
            return _compile_parallel(self, sources, *rest, **options)
        return serial(self, sources, *rest, **options)

    compiler.compile = compile_all  # type: ignore[union-attr]


def _is_plain(thing: Any, names: Sequence[str]) -> bool:
    """Tell whether these methods are distutils' own, not a project's."""
    return all(
        name not in vars(thing)
        and str(getattr(getattr(type(thing), name, None), "__module__", "")).startswith(_OURS)
        for name in names
    )


def _compile_parallel(  # distutils' own signature  # noqa: PLR0913, PLR0917
    self: Any,
    sources: Any,
    output_dir: Any = None,
    macros: Any = None,
    include_dirs: Any = None,
    debug: Any = 0,
    extra_preargs: Any = None,
    extra_postargs: Any = None,
    depends: Any = None,
) -> Any:
    """Do what `CCompiler.compile` does, with one process for each file."""
    macros, objects, extra_postargs, pp_opts, build = self._setup_compile(
        output_dir, macros, include_dirs, sources, depends, extra_postargs
    )
    cc_args = self._get_cc_args(pp_opts, debug, extra_preargs)
    steps = [
        partial(self._compile, name, *build[name], cc_args, extra_postargs, pp_opts)
        for name in dict.fromkeys(objects)
        if name in build
    ]
    for step, error in zip(steps, Run(steps, _slots()).errors()):  # noqa: B905 - 3.9 has no strict
        if isinstance(error, Unsaid):
            step()
        elif error is not None:
            raise error
    return objects


def patch_build_ext(module: Any) -> None:
    """Change how `build_ext` goes through its extensions."""
    command = module.build_ext
    serial = command._build_extensions_serial  # noqa: SLF001

    def build_all(self: Any) -> None:
        extensions = list(self.extensions)
        if len(extensions) > 1 and _may_fork() and _are_apart(self, extensions):
            _build_parallel(self, extensions)
        else:
            serial(self)

    command._build_extensions_serial = build_all  # noqa: SLF001


def _are_apart(command: Any, extensions: Sequence[Any]) -> bool:
    """Tell whether no extension needs another: no shared object, no library among them."""
    # Objects are named after their sources, without the suffix.
    sources = [
        os.path.splitext(os.path.normpath(path))[0]  # noqa: PTH122
        for one in extensions
        for path in dict.fromkeys(one.sources)
    ]
    is_library = any(type(one).__name__ == "Library" for one in extensions)
    return len(set(sources)) == len(sources) and not is_library and _builds_as_usual(command)


def _builds_as_usual(command: Any) -> bool:
    """Tell whether `build_extension` is setuptools' or Cython's: a project's may count on order."""
    known = (*_OURS, "Cython.")
    return all(
        str(getattr(vars(kind)["build_extension"], "__module__", "")).startswith(known)
        for kind in type(command).__mro__
        if "build_extension" in vars(kind)
    ) and "build_extension" not in vars(command)


def _build_parallel(command: Any, extensions: Sequence[Any]) -> None:
    """Build each in a process of its own; one that fails so is built again here, after the others.

    It may have missed a header that another extension generates; and if it fails once more, then
    with the very error that there ever was.
    """

    def build(extension: Any) -> None:
        with command._filter_build_errors(extension):  # noqa: SLF001
            command.build_extension(extension)

    steps = [partial(build, extension) for extension in extensions]
    errors = Run(steps, _slots(), show_failed=False).errors()
    for index, step in enumerate(steps):
        if index >= len(errors) or errors[index] is not None:
            step()
