"""What of a wheel is imported: found in the archive, without unpacking it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.audit.run import extensions
from aarch64_wheels.audit.run.extensions import read_importable
from tests.unit.audit_samples import EXTENSION, elf, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

ELF = elf()


@pytest.mark.parametrize(
    ("member", "parts"),
    [
        (EXTENSION, (EXTENSION,)),
        ("fast.so", ("fast.so",)),
        ("a/b/fast.abi3.so", ("a", "b", "fast.abi3.so")),
        ("fast-1.0.data/platlib/a/fast.so", ("a", "fast.so")),
        ("fast-1.0.data/purelib/fast.so", ("fast.so",)),
        ("fast/__init__.so", ("fast", "__init__.so")),
        # Named as an extension, so what it lacks is for the interpreter to say.
        ("other.cpython-313-aarch64-linux-gnu.so", ("other.cpython-313-aarch64-linux-gnu.so",)),
        ("fast/tests/data.data/platlib/fast.abi3.so", None),
        ("other.so", None),
        ("fast.libs/fast.so", None),
        ("a-b/fast.abi3.so", None),
        ("fast-1.0.data/scripts/fast.so", None),
        ("fast-1.0.data/data/lib/fast.so", None),
        ("lib/libfast.so.1", None),
        ("fast.py", None),
        ("/fast.so", None),
        ("../fast.abi3.so", None),
    ],
)
def test_extensions(tmp_path: Path, member: str, parts: tuple[str, ...] | None) -> None:
    wheel = read_importable(write_wheel(tmp_path, files={member: ELF}))
    assert [row.parts for row in wheel.extensions] == ([] if parts is None else [parts])
    assert [row.member for row in wheel.extensions] == ([] if parts is None else [member])


def test_an_init_function_has_a_name_for_letters_beyond_ascii(tmp_path: Path) -> None:
    """PEP 489: `PyInitU_` and the name in punycode, with `_` for `-`."""
    content = elf(symbol="PyInitU_lanzarote_sfb")
    wheel = write_wheel(tmp_path, files={"länzarote.so": ELF})
    assert read_importable(wheel).extensions == ()
    own = "länzarote".encode("punycode").replace(b"-", b"_").decode()
    content = elf(symbol=f"PyInitU_{own}")
    wheel = write_wheel(tmp_path, files={"länzarote.so": content})
    assert [row.parts for row in read_importable(wheel).extensions] == [("länzarote.so",)]


@pytest.mark.parametrize(
    "content",
    [b"", b"no ELF file", ELF[:10], ELF[:80], b"\x7fELF\x01\x02\x01" + ELF[7:]],
    ids=["empty", "text", "cut off", "without tables", "32 bits"],
)
def test_a_plain_file_that_is_no_extension(tmp_path: Path, content: bytes) -> None:
    wheel = read_importable(write_wheel(tmp_path, files={"fast.so": content}))
    assert wheel.extensions == ()


def test_where_members_are_installed(tmp_path: Path) -> None:
    inner = "a/tests/data.data/platlib/d.py"
    files = {"a/__init__.py": b"", "fast-1.0.data/platlib/b/c.py": b"", EXTENSION: ELF, inner: b""}
    wheel = read_importable(write_wheel(tmp_path, files=files))
    assert wheel.installed["b/c.py"] == "fast-1.0.data/platlib/b/c.py"
    assert wheel.installed[inner] == inner
    assert wheel.top_level >= {"a", "b", "fast"}


def test_an_object_is_opened(tmp_path: Path) -> None:
    wheel = read_importable(write_wheel(tmp_path, files={EXTENSION: ELF, "text.so": b"text"}))
    with wheel.image(EXTENSION) as image:
        assert [row.name for row in image.symbols] == ["", "PyInit_fast"]
    for member in ("text.so", "nowhere.so"):
        with pytest.raises(ValueError, match=r"."), wheel.image(member):
            pytest.fail("it is open")


def test_a_wheel_with_too_many_extensions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "MOST", 2)
    files = {f"m{number}.abi3.so": b"" for number in range(5)}
    wheel = read_importable(write_wheel(tmp_path, files=files))
    assert [row.member for row in wheel.extensions] == ["m0.abi3.so", "m1.abi3.so"]


def test_wheels_that_cannot_be_read(tmp_path: Path) -> None:
    text = tmp_path / "fast-1.0-py3-none-any.whl"
    text.write_bytes(b"no archive")
    bomb = write_wheel(tmp_path, files={"zeros": bytes(80 << 20)})
    misnamed = tmp_path / "fast.whl"
    for path in (text, bomb, misnamed, tmp_path / "nowhere-1.0-py3-none-any.whl"):
        with pytest.raises(ValueError, match=r"."):
            read_importable(path)
