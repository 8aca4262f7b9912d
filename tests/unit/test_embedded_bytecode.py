"""Bytecode, made by interpreters of this host with a loader of their own."""

from __future__ import annotations

import importlib.util
import marshal
import sys
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.embedded.bytecode import compile_trees
from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.embedded.host_programs import HostPrograms
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.processes import Processes

if TYPE_CHECKING:
    from pathlib import Path
    from types import CodeType

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


def _natives(tmp_path: Path, loader: str) -> HostPrograms:
    """Interpreters whose "loader" is a script: `--library-path DIRECTORIES PYTHON ...`."""
    write_script(tmp_path / "host/usr/lib64/ld-linux-x86-64.so.2", f"#!/bin/sh\n{loader}\n")
    return HostPrograms(root=tmp_path / "host")


def _code(path: Path) -> tuple[int, CodeType]:
    compiled = path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
    data = compiled.read_bytes()
    assert data[:4] == importlib.util.MAGIC_NUMBER
    return int.from_bytes(data[4:8], "little"), marshal.loads(data[16:])  # noqa: S302


def test_interpreters_run_with_their_own_loader_and_libraries(tmp_path: Path) -> None:
    loader, option, libraries, python = _natives(tmp_path, "").argv("python3.13")
    assert loader == f"{tmp_path}/host/usr/lib64/ld-linux-x86-64.so.2"
    assert option == "--library-path"
    assert all(part.startswith(f"{tmp_path}/host/usr/lib") for part in libraries.split(":"))
    assert python == f"{tmp_path}/host/usr/bin/python3.13"


def test_bytecode_names_paths_of_the_image(tmp_path: Path) -> None:
    natives = _natives(tmp_path, f'shift 3; exec "{sys.executable}" "$@"')
    library = tmp_path / "root/usr/lib/python"
    (library / "test").mkdir(parents=True)
    for name in ("os.py", "test/suite.py"):
        (library / name).write_text("def f(): return 1\n")
    compile_trees(natives, VERSION, tmp_path / "root", ["/usr/lib/python"], Processes())
    flags, code = _code(library / "os.py")
    assert flags == 0b01  # PEP 552: by hash, and the source is never looked at
    assert code.co_filename == "/usr/lib/python/os.py"
    assert not (library / "test/__pycache__").exists()


def test_a_module_that_does_not_compile_is_named(tmp_path: Path) -> None:
    natives = _natives(tmp_path, f'shift 3; exec "{sys.executable}" "$@"')
    library = tmp_path / "root/usr/lib/python"
    library.mkdir(parents=True)
    (library / "broken.py").write_text("def f(:\n")
    with pytest.raises(UnfitError, match=r"\(status 1\)") as caught:
        compile_trees(natives, VERSION, tmp_path / "root", ["/usr/lib/python"], Processes())
    assert "broken.py" in caught.value.found
    assert "SyntaxError" in caught.value.found


def test_an_interpreter_that_does_not_run_says_why(tmp_path: Path) -> None:
    natives = _natives(tmp_path, "echo 'FATAL: kernel too old' >&2; exit 127")
    with pytest.raises(UnfitError, match=r"bytecode of CPython 3\.13") as caught:
        compile_trees(natives, "3.13", tmp_path / "root", ["/usr/lib/python3.13"], Processes())
    assert caught.value.found == "FATAL: kernel too old"


def test_a_tree_without_a_loader_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnfitError, match="no dynamic loader") as caught:
        HostPrograms(root=tmp_path).argv("python3.13")
    assert "--no-cache" in caught.value.hint


def test_the_order_of_sets_is_the_same_for_every_assembly(tmp_path: Path) -> None:
    natives = _natives(tmp_path, f"env > {tmp_path}/environment")
    compile_trees(natives, "3.13", tmp_path / "root", [], Processes())
    assert "PYTHONHASHSEED=0" in (tmp_path / "environment").read_text().splitlines()
