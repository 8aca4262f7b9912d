from __future__ import annotations

import hashlib
import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import ExitCode, UsageError
from aarch64_wheels.hostindex import IndexSettings
from aarch64_wheels.source import Source, SourceKind, open_source

if TYPE_CHECKING:
    from pathlib import Path


def _open(text: str, workdir: Path) -> Source:
    return open_source(
        text, workdir, index=IndexSettings(), cache_dir=workdir / "cache", no_cache=False
    )


def _sdist(path: Path) -> Path:
    files = {
        "PKG-INFO": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
        "setup.py": b"",
    }
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"demo-1.0/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def test_a_directory_is_used_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "pyproject.toml").write_text('[project]\nname = "demo"\nversion = "2"\n')
    monkeypatch.chdir(tmp_path)
    for text in ("demo", "./demo", str(tmp_path / "demo")):
        source = _open(text, tmp_path / "work")
        assert (source.kind, source.origin, source.sha256) == (SourceKind.DIRECTORY, text, "")
        assert source.root == tmp_path / "demo"
        assert (source.metadata.name, source.metadata.version) == ("demo", "2")


def test_an_sdist_file_is_unpacked_and_hashed(tmp_path: Path) -> None:
    file = _sdist(tmp_path / "demo-1.0.tar.gz")
    source = _open(str(file), tmp_path / "work")
    assert (source.kind, source.origin) == (SourceKind.SDIST, str(file))
    assert source.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (source.root / "setup.py").is_file()
    assert (source.metadata.name, source.metadata.version) == ("demo", "1.0")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("./nowhere", ["./nowhere does not exist", "kiwisolver==1.4.7"], id="path"),
        pytest.param("some/where", ["some/where does not exist"], id="slash"),
        pytest.param("gone-1.0.tar.gz", ["gone-1.0.tar.gz does not exist"], id="archive-name"),
        pytest.param("gone-1.0-py3-none-any.whl", ["is a wheel", "`audit`"], id="wheel-name"),
        pytest.param("", ["is not a source"], id="empty"),
        pytest.param("two words", ["`two words` is not a source"], id="words"),
        pytest.param("demo==", ["`demo==` is not a source"], id="half"),
        pytest.param("demo; python_version < '3'", ["environment marker"], id="marker"),
        pytest.param("user:secret@h.example/x", ["h.example/x does not exist"], id="no-scheme"),
        pytest.param("user:secret@h.example", ["`h.example` is not a source"], id="no-path"),
        pytest.param("demo @ opaque:thing", ["a direct URL"], id="opaque-url"),
        pytest.param("./a@b", ["./a@b does not exist"], id="path-with-at"),
        pytest.param("git@h.example:o/x.git", ["h.example:o/x.git", "git+ssh://"], id="scp"),
    ],
)
def test_what_is_not_a_source(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        _open(text, tmp_path)
    assert caught.value.exit_code == ExitCode.USAGE
    assert [word for word in words if word not in str(caught.value)] == []
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [("demo-1.0-py3-none-any.whl", "is a wheel"), ("notes.txt", "is not an sdist")],
)
def test_files_that_are_no_sdists(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / name).write_text("")
    with pytest.raises(UsageError, match=words):
        _open(str(tmp_path / name), tmp_path / "work")


def test_a_directory_without_build_metadata(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    with pytest.raises(UsageError, match="source without build metadata: docs"):
        _open(str(tmp_path / "docs"), tmp_path / "work")
