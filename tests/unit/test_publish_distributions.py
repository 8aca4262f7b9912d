"""Which files are published: found, named, hashed, and of one release."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from packaging.version import Version

from aarch64_wheels.errors import UsageError
from aarch64_wheels.publish.distributions import Distribution, find_distributions
from tests.standins.samples import make_wheel
from tests.unit.publish_samples import SDIST, WHEEL, make_sdist, named


def _touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(name.encode())


def _names(*paths: Path) -> list[str]:
    return [one.filename for one in find_distributions(paths)]


def test_a_file_is_read(tmp_path: Path) -> None:
    path = make_wheel(tmp_path)
    one = Distribution.read(path)
    assert (one.filename, one.project, one.version) == (WHEEL, "demo", Version("1.0"))
    content = path.read_bytes()
    assert (one.sha256, one.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert one.is_wheel
    assert not Distribution.read(make_sdist(tmp_path)).is_wheel


def test_a_directory_gives_its_distributions_alone(tmp_path: Path) -> None:
    """Wheels go first: `-` sorts before `.`."""
    beside = [f"{WHEEL}.publish.attestation", f"{SDIST}.asc", "report.json", "logs.txt", "x.zip"]
    _touch(tmp_path, SDIST, WHEEL, *beside)
    (tmp_path / "logs").mkdir()
    _touch(tmp_path / "logs", "demo-2.0.tar.gz")
    assert _names(tmp_path) == [WHEEL, SDIST]


def test_a_file_named_twice_counts_once(tmp_path: Path) -> None:
    _touch(tmp_path, WHEEL, SDIST)
    (tmp_path / "sub").mkdir()
    assert _names(tmp_path / WHEEL, tmp_path, tmp_path / "sub" / ".." / SDIST) == [WHEEL, SDIST]


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        _touch(tmp_path / name, WHEEL)
    with pytest.raises(UsageError, match=f"two files have the name {WHEEL}") as caught:
        find_distributions([tmp_path / "one", tmp_path / "two"])
    assert str(tmp_path / "two" / WHEEL) in caught.value.found


RELEASES = {
    "spelling": (["Demo_Pkg-1.0.tar.gz", "demo_pkg-1.0-py3-none-any.whl"], True),
    "equal-versions": (["demo-1.0.tar.gz", "demo-1.0.0-py3-none-any.whl"], True),
    "post-release": (["demo-1.0.tar.gz", "demo-1.0.post1.tar.gz"], False),
    "epoch": (["demo-1.0.tar.gz", "demo-1!1.0.tar.gz"], False),
    "local": (["demo-1.0.tar.gz", "demo-1.0+gpu-py3-none-any.whl"], False),
    "candidate": (["demo-1.0.tar.gz", "demo-1.0rc1.tar.gz"], False),
    "projects": (["demo-1.0.tar.gz", "demo_extra-1.0.tar.gz"], False),
}


@pytest.mark.parametrize(("names", "same"), RELEASES.values(), ids=RELEASES.keys())
def test_files_are_of_one_release(tmp_path: Path, names: list[str], same: bool) -> None:  # noqa: FBT001 - a table's column
    _touch(tmp_path, *names)
    if same:
        assert _names(tmp_path) == sorted(names)
        return
    with pytest.raises(UsageError, match="of several releases") as caught:
        find_distributions([tmp_path])
    assert len(caught.value.found.split(", ")) == 2


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("demo-1!2.0-py3-none-any.whl", "1!2"),
        ("demo-1.0+cuda.12-cp313-cp313-linux_aarch64.whl", "1.0+cuda.12"),
        ("demo-1.0-7build-py3-none-any.whl", "1.0"),
        ("demo-1.2.0rc1.tar.gz", "1.2rc1"),
        ("my-demo-1.0.tar.gz", "1.0"),
    ],
)
def test_versions_of_every_kind(tmp_path: Path, name: str, version: str) -> None:
    _touch(tmp_path, name)
    assert [one.version for one in find_distributions([tmp_path])] == [Version(version)]


PLATFORMS = {
    SDIST: ([], False),
    WHEEL: (["any"], False),
    "demo-1.0-cp313-cp313-manylinux2014_x86_64.whl": (["manylinux2014_x86_64"], False),
    "demo-1.0-cp313-cp313-musllinux_1_2_aarch64.whl": (["musllinux_1_2_aarch64"], True),
    "demo-1.0-7-cp313-abi3-Linux_AArch64.win32.whl": (["linux_aarch64", "win32"], True),
}


@pytest.mark.parametrize(("name", "expected"), PLATFORMS.items())
def test_a_wheel_says_what_it_is_for(name: str, expected: tuple[list[str], bool]) -> None:
    one = named(name)
    assert (sorted(one.platforms), one.is_aarch64) == expected


BAD_NAMES = {
    "no-tags": ("demo-1.0.whl", "Invalid wheel filename"),
    "no-version": ("demo.tar.gz", "Invalid sdist filename"),
    "bad-version": ("demo-one-py3-none-any.whl", "demo-one"),
    "zip": ("demo-1.0.zip", "does not end with"),
    "report": ("report.json", "does not end with"),
    "line-break": ("demo-1.0-py3-none-any\n::error::x.whl", "characters"),
    "escape": ("demo-1.0-py3-none-any\x1b[2J.whl", "characters"),
    "blank": ("demo-1.0-py3-none-a b.whl", "characters"),
    "not-ascii": ("demö-1.0-py3-none-any.whl", "characters"),
    "markup": ("demo-1.0-py3-none-any`<b>.whl", "characters"),
    "option": ("--demo-1.0.tar.gz", "characters"),
    "not-unicode": ("demo-1.0-py3-none-any\udcff.whl", "characters"),
}


@pytest.mark.parametrize(("name", "found"), BAD_NAMES.values(), ids=BAD_NAMES.keys())
def test_other_names_are_refused(tmp_path: Path, name: str, found: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(UsageError, match="neither a wheel nor an sdist") as caught:
        find_distributions([tmp_path / name])
    assert found in caught.value.found
    assert all(line.isprintable() for line in str(caught.value).splitlines())


BESIDE = [f"{WHEEL}.publish.attestation", f"{WHEEL}.attestation", f"{SDIST}.asc"]


@pytest.mark.parametrize("name", BESIDE)
def test_what_belongs_to_a_file_is_left_alone_when_named(tmp_path: Path, name: str) -> None:
    """A shell's `dist/*` names it."""
    _touch(tmp_path, WHEEL, name)
    notes: list[str] = []
    rows = find_distributions([tmp_path / WHEEL, tmp_path / name], notes.append)
    assert [one.filename for one in rows] == [WHEEL]
    (note,) = notes
    assert note.startswith(f"{tmp_path / name} is left alone")
    assert _names(tmp_path / name, tmp_path / WHEEL) == [WHEEL]


def test_what_belongs_to_files_alone_is_nothing_to_publish(tmp_path: Path) -> None:
    _touch(tmp_path, *BESIDE)
    with pytest.raises(UsageError, match="there is nothing to publish in") as caught:
        find_distributions([tmp_path / name for name in BESIDE])
    assert caught.value.found == "no .whl and no .tar.gz file"


def test_a_directory_may_be_called_as_a_signature(tmp_path: Path) -> None:
    (tmp_path / "dist.asc").mkdir()
    _touch(tmp_path / "dist.asc", WHEEL)
    assert [one.filename for one in find_distributions([tmp_path / "dist.asc"], pytest.fail)] == [
        WHEEL
    ]


@pytest.mark.parametrize("as_directory", [True, False], ids=["inside", "named"])
def test_a_link_is_refused(tmp_path: Path, *, as_directory: bool) -> None:
    """A source may bring a directory with links of its own: to another project's wheel, say."""
    (tmp_path / "elsewhere").mkdir()
    make_wheel(tmp_path / "elsewhere")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / WHEEL).symlink_to(tmp_path / "elsewhere" / WHEEL)
    with pytest.raises(UsageError, match="cannot be published") as caught:
        find_distributions([tmp_path / "out" if as_directory else tmp_path / "out" / WHEEL])
    assert caught.value.found == "it is a link"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / WHEEL).mkdir()
    os.mkfifo(tmp_path / SDIST)
    for path in (tmp_path, tmp_path / SDIST):
        with pytest.raises(UsageError, match="cannot be published") as caught:
            find_distributions([path])
        assert caught.value.found == "it is not a file"


@pytest.mark.parametrize("name", ["", "out", WHEEL])
def test_where_nothing_is_the_next_step_is_to_build(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_distributions([tmp_path / name])
    assert "aarch64-wheels build" in caught.value.hint


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied", "out"), OSError("?")])
def test_a_directory_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def refuse(_path: Path) -> None:
        raise error

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(UsageError, match="cannot look for files") as caught:
        find_distributions([tmp_path])
    assert caught.value.what.endswith(f" {error.filename or tmp_path}")


def test_a_name_too_long_is_no_internal_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot look for files"):
        find_distributions([tmp_path / f"{'x' * 300}.whl"])


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_wheel(tmp_path)

    def refuse(_path: Path, _mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UsageError, match="cannot read") as caught:
        Distribution.read(path)
    assert caught.value.found == "Permission denied"
