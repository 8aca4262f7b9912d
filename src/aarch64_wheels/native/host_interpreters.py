"""Finds CPythons of this host, among them those that a CI runner or pyenv keeps off PATH."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from aarch64_wheels.native.interpreter_copy import Original
from aarch64_wheels.native.relocation import Dynamic
from aarch64_wheels.wheels import run_uv

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aarch64_wheels.processes import Processes

#: Asked of an interpreter by itself: no site, no environment variable, no current directory.
_QUESTION = """
import json, os, sys, sysconfig
free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": "%d.%d" % sys.version_info[:2] + ("t" if free else ""),
    "program": os.path.realpath(getattr(sys, "_base_executable", sys.executable)),
    "library": os.path.dirname(os.path.realpath(os.__file__)),
    "extensions": [path for path in sys.path if path.endswith("lib-dynload")],
    "platlibdir": getattr(sys, "platlibdir", "lib"),
}))
"""


@dataclass(frozen=True, kw_only=True)
class HostInterpreters:
    """The CPythons of this host.

    Attributes:
        environ: this process's variables. home: the user's home directory.
        own: the interpreter that runs this program; it is taken where it fits.
        processes: runs uv and the interpreters.
    """

    environ: Mapping[str, str]
    home: Path
    own: Path
    processes: Processes

    def find(self, version: str, kept: Path) -> Original | None:
        """Find an interpreter that can be copied.

        Args:
            version: minor version, with a `t` for the free-threaded build.
            kept: a directory that uv has installed interpreters into; need not exist.
        """
        for program in self._candidates(version, kept):
            found = self._inspect(program, version)
            if found is not None:
                return found
        return None

    def install(self, version: str, kept: Path) -> str:
        """Let uv fetch an interpreter into a directory; returns why it could not, or ""."""
        words = ["python", "install", "--no-bin", f"--install-dir={kept.absolute()}", version]
        # A machine that cannot reach the downloads should not wait long to be told so.
        environ = {"UV_HTTP_RETRIES": "1", **self.environ}
        result = run_uv(words, environ, self.processes)
        if result.returncode == 0:
            return ""
        lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
        return lines[-1].removeprefix("cause: ") if lines else f"status {result.returncode}"

    def _candidates(self, version: str, kept: Path) -> Iterable[Path]:
        yield self.own
        yield from self._listed(version, {})
        if kept.is_dir():
            yield from self._listed(version, {"UV_PYTHON_INSTALL_DIR": str(kept)})

    def _listed(self, version: str, extra: Mapping[str, str]) -> list[Path]:
        """List what uv knows; on PATH, what is kept aside goes before the distribution's own."""
        path = ":".join([*self._aside(version), *self._path()])
        words = ["python", "list", "--only-installed", "--no-python-downloads"]
        words += ["--output-format=json", version]
        result = run_uv(words, {**self.environ, **extra, "PATH": path}, self.processes)
        try:
            rows: list[dict[str, Any]] = json.loads(result.stdout) if not result.returncode else []
        except ValueError:
            rows = []
        return [Path(str(row["path"])) for row in rows if row.get("path")]

    def _aside(self, version: str) -> list[str]:
        """Give directories of runners' tool caches and of pyenv with that version, newest first."""
        number = version.removesuffix("t")
        cache = self.environ.get("RUNNER_TOOL_CACHE") or self.environ.get("AGENT_TOOLSDIRECTORY")
        build = "x64-freethreaded" if version.endswith("t") else "x64"
        found = list(Path(cache).glob(f"Python/{number}.*/{build}/bin")) if cache else []
        pyenv = Path(self.environ.get("PYENV_ROOT") or self.home / ".pyenv")
        found += pyenv.glob(f"versions/{number}.*/bin")
        return [str(path) for path in sorted(found, key=_release, reverse=True)]

    def _path(self) -> list[str]:
        words = self.environ.get("PATH", "").split(":")
        # pyenv's stand-ins are scripts that fail for every version but the chosen one; and what
        # is relative to the working directory may be anybody's.
        return [word for word in words if Path(word).is_absolute() and Path(word).name != "shims"]

    def _inspect(self, program: Path, version: str) -> Original | None:
        argv: list[str | Path] = [program, "-IS", "-c", _QUESTION]
        # Not where it was called: pyenv and its like obey files of a project.
        result = self.processes.run(argv, env=dict(self.environ), cwd=Path("/"))
        try:
            answer: dict[str, Any] = json.loads(result.stdout) if not result.returncode else {}
        except ValueError:
            return None
        if (answer.get("implementation"), answer.get("version")) != ("cpython", version):
            return None
        original = _original(answer)
        return original if original.program.is_file() and Dynamic.read(original.program) else None


def _original(answer: Mapping[str, Any]) -> Original:
    library = Path(answer["library"])
    extensions: Sequence[str] = answer["extensions"]
    return Original(
        name=f"python{answer['version']}",
        program=Path(answer["program"]),
        standard_library=library,
        extensions=Path(extensions[0]) if extensions else library / "lib-dynload",
        platlibdir=answer["platlibdir"],
    )


def _release(directory: Path) -> Version:
    """Give the number in `.../3.13.2/x64/bin` and `.../3.13.2/bin`."""
    words = [re.match(r"\d+(?:\.\d+)+", part) for part in directory.parts]
    return max((Version(word[0]) for word in words if word), default=Version("0"))
