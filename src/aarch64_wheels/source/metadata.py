"""What a project says about itself without being built (PEP 517, 518, 621; core metadata)."""

from __future__ import annotations

import configparser
import tomllib
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from packaging.metadata import RawMetadata, parse_email

from aarch64_wheels.errors import UsageError
from aarch64_wheels.source.shareable import may_share
from aarch64_wheels.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: What PEP 518 and 517 say a project without `[build-system]` means.
LEGACY_REQUIRES = ("setuptools>=40.8.0",)
LEGACY_BACKEND = "setuptools.build_meta:__legacy__"


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """A project's static metadata; a field is empty where only the build backend knows it.

    Attributes:
        name: as the project spells it; version; requires_python: a PEP 440 specifier.
        build_requires: `[build-system] requires`, PEP 508 requirements.
        build_backend: an object reference (PEP 517); backend_path: directories of the source,
            relative to its root, that the backend is imported from.
        may_share: one wheel may serve several interpreters, for the source speaks of the stable
            ABI, or holds no file that would be compiled. A guess: the wheel itself decides.
    """

    name: str = ""
    version: str = ""
    requires_python: str = ""
    build_requires: tuple[str, ...] = LEGACY_REQUIRES
    build_backend: str = LEGACY_BACKEND
    backend_path: tuple[str, ...] = ()
    may_share: bool = False


def directory_metadata(root: Path) -> Metadata:
    """Read a project directory: pyproject.toml, then setup.cfg for what is not there.

    Raises:
        UsageError: there is no build metadata, or it cannot be read.
    """
    files = ("pyproject.toml", "setup.py", "setup.cfg")
    if not any((root / name).is_file() for name in files):
        raise UsageError(
            f"source without build metadata: {root.name or root}",
            found=f"none of {', '.join(files)}",
            hint="give the directory that holds the project's pyproject.toml or setup.py",
        )
    found = _with_setup_cfg(_pyproject(root / "pyproject.toml"), root / "setup.cfg")
    return replace(found, may_share=may_share(root))


def sdist_metadata(root: Path) -> Metadata:
    """Read an unpacked sdist: what its PKG-INFO says goes over what the directory says.

    Raises:
        UsageError: there is no build metadata, or it cannot be read.
    """
    metadata = directory_metadata(root)
    file = root / "PKG-INFO"
    if not file.is_file():
        return metadata
    info: RawMetadata = parse_email(file.read_bytes())[0]
    return replace(
        metadata,
        name=info.get("name", "") or metadata.name,
        version=info.get("version", "") or metadata.version,
        requires_python=info.get("requires_python", "") or metadata.requires_python,
    )


def _pyproject(file: Path) -> Metadata:
    if not file.is_file():
        return Metadata()
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise UsageError("the source's pyproject.toml is not valid", found=str(error)) from error
    project = _table(data, "project")
    return Metadata(
        name=_text(project, "name"),
        version=_text(project, "version"),
        requires_python=_text(project, "requires-python"),
        build_requires=_build_requires(data),
        build_backend=_text(_table(data, "build-system"), "build-backend") or LEGACY_BACKEND,
        backend_path=_backend_path(data),
    )


def _build_requires(data: Mapping[str, object]) -> tuple[str, ...]:
    """PEP 518: `requires` must be in the table when there is one."""
    if "build-system" not in data:
        return LEGACY_REQUIRES
    requires = _table(data, "build-system").get("requires")
    if not isinstance(requires, list) or not all(isinstance(item, str) for item in requires):
        raise UsageError(
            "[build-system] of the source's pyproject.toml must have a list of strings `requires`",
            found=shown(requires) if requires is not None else "no such key",
            hint="name the build backend's packages there (PEP 518)",
        )
    return tuple(requires)


def _backend_path(data: Mapping[str, object]) -> tuple[str, ...]:
    """PEP 517: relative directories inside the source tree."""
    paths = _table(data, "build-system").get("backend-path", [])
    if not isinstance(paths, list) or not all(isinstance(item, str) for item in paths):
        found, paths = shown(paths), None
    elif outside := [item for item in paths if _leaves_tree(item)]:
        found, paths = f"{outside[0]!r} leads out of the source", None
    if paths is None:
        raise UsageError(
            "[build-system] backend-path of the source's pyproject.toml must be a list of "
            "directories inside the source (PEP 517)",
            found=found,
        )
    return tuple(paths)


def _leaves_tree(text: str) -> bool:
    return text.startswith("/") or ".." in PurePosixPath(text).parts


def _table(data: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = data.get(name, {})
    if not isinstance(value, dict):
        raise UsageError(
            f"[{name}] of the source's pyproject.toml is not a table", found=shown(value)
        )
    return value


def _text(table: Mapping[str, object], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        what = f"`{key}` in the source's pyproject.toml must be a string (PEP 517, PEP 621)"
        raise UsageError(what, found=shown(value))
    return value.strip()


def _with_setup_cfg(metadata: Metadata, file: Path) -> Metadata:
    parser = configparser.RawConfigParser()
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        found = str(error).replace("\n", " ")
        raise UsageError("the source's setup.cfg is not valid", found=found) from error
    return replace(
        metadata,
        name=metadata.name or _static(parser, "metadata", "name"),
        version=metadata.version or _static(parser, "metadata", "version"),
        requires_python=metadata.requires_python or _static(parser, "options", "python_requires"),
    )


def _static(parser: configparser.RawConfigParser, section: str, key: str) -> str:
    """Read a plain value: `attr:` and `file:` are setuptools' business."""
    value = parser.get(section, key, fallback="").strip()
    return "" if value.startswith(("attr:", "file:")) else value
