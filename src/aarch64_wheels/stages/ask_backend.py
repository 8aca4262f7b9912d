"""Runs inside the container: prints, as JSON, what the build backend asks for (PEP 517).

Usage: ask_backend.py BACKEND [BACKEND-PATH ...], in the project's directory. It uses nothing
but the standard library, for it runs in the project's own build environment.
"""

import importlib
import json
import os
import sys


def main(backend: str, *backend_path: str) -> None:
    """Import the backend (an object reference) and print what its hook returns."""
    # What the hook prints goes with its messages; standard output is for the answer alone.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # PEP 517: the project's directory is not on sys.path, the backend-path is.
    sys.path[0:1] = [os.path.abspath(path) for path in backend_path]  # noqa: PTH100
    module, _, attributes = backend.partition(":")
    found = importlib.import_module(module)
    for name in filter(None, attributes.split(".")):
        found = getattr(found, name)
    hook = getattr(found, "get_requires_for_build_wheel", None)
    json.dump(list(hook({})) if hook else [], answer)
    answer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
