"""Runs inside the container: calls one hook of the project's build backend (PEP 517).

Usage: call_hook.py TOKEN HOOK ARGUMENTS BACKEND [BACKEND-PATH ...], in the project's directory.
ARGUMENTS is a JSON list: the directories that the hook is called with, which are made if need be,
and its config_settings, an object or null. It uses nothing but the standard library, for it runs
in the project's own build environment.

What the backend prints goes to standard error, as it comes. Standard output gets one line, the
answer: TOKEN and JSON. TOKEN is new for each call, so no line of a backend looks like it.
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import sys
import tempfile

#: What a backend answers that has not got an optional hook.
_DEFAULTS: dict[str, list[str]] = {
    "get_requires_for_build_wheel": [],
    "get_requires_for_build_sdist": [],
}


class _Names:
    """Names of temporary files and directories, which are the same ones in every build.

    Backends build in a temporary directory, whose name gets into what is compiled there, or is
    written down by the project. Whoever makes a file takes the next name if there is one of it. A
    forked process would count on from the same number, so it gets names by chance.
    """

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._numbers = itertools.count()

    def __iter__(self) -> _Names:
        return self

    def __next__(self) -> str:
        if os.getpid() != self._pid:
            return os.urandom(4).hex()
        return f"{next(self._numbers):08}"


def main(token: str, hook: str, arguments: str, backend: str, *backend_path: str) -> None:
    """Import the backend (an object reference), call its hook and print what it returns."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answer:
        os.dup2(2, 1)
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        sys.argv[1:] = []
        tempfile._name_sequence = _Names()  # type: ignore[attr-defined]  # noqa: SLF001
        # PEP 517: the project's directory is not on sys.path, the backend-path is.
        sys.path[0:1] = [os.path.abspath(path) for path in backend_path]  # noqa: PTH100
        answer.write(token + json.dumps(_call(_find(backend), hook, *json.loads(arguments))))


def _call(
    backend: object, hook: str, directories: list[str], settings: dict[str, object] | None
) -> object:
    if hook in _DEFAULTS and not hasattr(backend, hook):
        return _DEFAULTS[hook]
    for directory in directories:
        os.makedirs(directory, exist_ok=True)  # noqa: PTH103
    # Not every backend that is told nothing takes an argument for it.
    result = getattr(backend, hook)(*directories, *([settings] if settings else []))
    if not isinstance(result, str):
        return list(result)  # a tuple is as good
    if not os.path.isfile(os.path.join(*directories, result)):  # noqa: PTH113, PTH118
        raise SystemExit(f"the backend says that it has made {result!r}, which is not there")
    return result


def _find(backend: str) -> object:
    """Import `module:object.path`."""
    module, _, attributes = backend.partition(":")
    found: object = importlib.import_module(module)
    for name in filter(None, attributes.split(".")):
        found = getattr(found, name)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
