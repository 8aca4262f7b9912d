"""Spoils wheels by chance, as archives, by their texts and by their objects."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tests.unit.audit_samples import row
from tests.unit.fuzz_elf import Elfs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

#: Fields of a member's local header, of its entry in the directory, and of the directory's end.
_LOCAL = ((4, 2), (6, 2), (8, 2), (10, 4), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2))
_CENTRAL = (
    *((4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2)),
    *((32, 2), (34, 2), (36, 2), (38, 4), (42, 4)),
)
_END = ((4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2))
_PARTS = ((b"PK\x03\x04", _LOCAL), (b"PK\x01\x02", _CENTRAL), (b"PK\x05\x06", _END))
_NAMES = (
    *("", "/", "//", ".", "..", "../x", "/etc/x", "a/../../x", "a\\b", "C:\\x", "\0", "a\0b", "\n"),
    *("a/", "fast.dist-info/RECORD", "fast-1.0.dist-info", "fast-2.0.dist-info/RECORD", "x" * 5000),
    *("a/" * 600 + "x", "\x1b[31mred", "::error::x", "é", "\u202e", "x.so", "x.libs/libx.so.1"),
    *("x-1.0.data/scripts/y", "fast/_fast.abi3.so", "fast-1.0.dist-info/sboms/x.cdx.json", "##[x]"),
    *("fast-1.0.dist-info/METADATA/x", "fast-1.0.dist-info/licenses/" + "y/" * 90, "fast/\udcff"),
)
_PIECES = (
    *(
        "",
        "\0",
        "\r\n",
        "\n\n",
        ",",
        '"',
        ",,,",
        "sha256=",
        "Tag: a-b-c",
        "x" * 4000,
        "\ufeff",
        "=",
    ),
    *(
        "Tag: " + ".".join(["a"] * 40) + "-b-c",
        "../x",
        "\x1b[31m",
        "::error::x",
        "\u2028",
        "é",
        ":",
    ),
    *("Metadata-Version: 9.9", "Name: ", "Version: !", "Requires-Dist: [", "=" * 50, "`" * 40, "|"),
    *(".. include:: /etc/passwd", ".. raw:: html", "* " * 60, "[[" * 100, "{" * 3000, "9" * 5000),
    *(
        '{"components":[{"purl":1}]}',
        "null",
        "[]",
        "<x>",
        "-",
        ".. figure:: x",
        "_" * 30,
        "+-" * 99,
    ),
)
_MODES = (0, 0o120777, 0o40755, 0o20666, 0xFFFF)
_FILENAMES = (
    *("fast-1.0-py3-none-any.whl", "fast-1.0-cp311-abi3-manylinux_2_17_aarch64.whl"),
    *(
        "fast-1.0-cp313-cp313-musllinux_1_2_aarch64.whl",
        "fast-1.0.whl",
        "slow-1.0-py3-none-any.whl",
    ),
    *("fast-1.0-cp313-cp313-manylinux_2_99_aarch64.whl", "fast-1.0-cp313-cp313-win_amd64.whl"),
    *("fast-1!1.0+x-1-pp311-pypy311_pp73-linux_aarch64.whl", "fast-1.0-a.b.c-d.e.f-g.h.i.whl"),
    *("fast-1.0-cp313-cp313-manylinux_2_17_aarch64.musllinux_1_1_aarch64.whl", "fast-x-y-z-q.whl"),
)


@dataclass(frozen=True, kw_only=True)
class Seed:
    """A good wheel: its file name, and its members in their order."""

    filename: str
    members: dict[str, bytes]

    @classmethod
    def read(cls, path: Path) -> Seed:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            return cls(filename=path.name, members={name: archive.read(name) for name in names})

    @cached_property
    def info(self) -> str:
        return next(name for name in self.members if name.endswith("/RECORD")).rpartition("/")[0]

    @cached_property
    def objects(self) -> list[str]:
        return [name for name, data in self.members.items() if data.startswith(b"\x7fELF")]

    @cached_property
    def texts(self) -> list[str]:
        return [name for name in self.members if name.startswith(f"{self.info}/")]


@dataclass(frozen=True, kw_only=True)
class Wheels:
    """Makes spoiled wheels.

    Attributes:
        rng: decides. seeds: what it begins with.
    """

    rng: Random
    seeds: Sequence[Seed]

    def case(self) -> tuple[str, bytes]:
        """Give the name and the bytes of a wheel."""
        seed = self.rng.choice(self.seeds)
        ways = (*[self._elf] * 3, self._texts, self._names, self._zip)
        way = self.rng.choice(ways)
        name = self.rng.choice(_FILENAMES) if self.rng.random() < 0.1 else seed.filename
        return name, way(seed)

    def _elf(self, seed: Seed) -> bytes:
        """Spoil objects, in an archive that is right: it is read to the last byte."""
        elfs = Elfs(rng=self.rng)
        members = dict(seed.members)
        for name in self.rng.sample(seed.objects, self.rng.randint(1, len(seed.objects))):
            members[name] = elfs.spoiled(members[name])
        return self._packed(seed, members)

    def _texts(self, seed: Seed) -> bytes:
        members = dict(seed.members)
        name = self.rng.choice(seed.texts)
        for _ in range(self.rng.choice((1, 1, 2, 5))):
            members[name] = self._spoiled(members[name])
        return self._packed(seed, members, keep=name.endswith("/RECORD"))

    def _names(self, seed: Seed) -> bytes:
        """Rename members, add some, and give some what is in others."""
        members = dict(seed.members)
        for _ in range(self.rng.choice((1, 1, 2, 4))):
            old, new = self.rng.choice(list(members)), self.rng.choice(_NAMES)
            data = self.rng.choice(list(members.values()))
            if self.rng.random() < 0.5:
                data = members.pop(old)
            members[new] = data
        return self._packed(seed, members)

    def _zip(self, seed: Seed) -> bytes:
        out = bytearray(self._packed(seed, seed.members))
        for _ in range(self.rng.choice((1, 1, 2, 6))):
            if self.rng.random() < 0.6:
                self._field(out)
            elif len(out) > 1:
                self._damage(out)
        return bytes(out)

    def _field(self, out: bytearray) -> None:
        """Change a field of a header."""
        mark, fields = self.rng.choice(_PARTS)
        places = [at for at in _places(out, mark) if at + 46 <= len(out)]
        if places:
            at, width = self.rng.choice(fields)
            at += self.rng.choice(places)
            old = int.from_bytes(out[at : at + width], "little")
            value = Elfs(rng=self.rng).number(old, len(out), width)
            out[at : at + width] = value.to_bytes(width, "little")

    def _damage(self, out: bytearray) -> None:
        rng = self.rng
        at, length = rng.randrange(len(out)), rng.choice((1, 1, 4, 100))
        twice = bytes(out[at : at + length]) * 2
        piece = rng.choice((b"", rng.randbytes(length), twice, b"PK\x05\x06"))
        end = len(out) if rng.random() < 0.1 else at + length
        out[at:end] = piece

    def _spoiled(self, data: bytes) -> bytes:
        rng = self.rng
        at, length = rng.randrange(len(data) + 1), rng.choice((0, 0, 1, 9, 200))
        piece = rng.choice(_PIECES).encode(rng.choice(("utf-8", "utf-16")), "surrogatepass")
        return data[:at] + piece * rng.choice((1, 1, 1, 50)) + data[at + length :]

    def _packed(self, seed: Seed, members: dict[str, bytes], *, keep: bool = False) -> bytes:
        """Write an archive with a RECORD that fits, or with the one that is there."""
        record = f"{seed.info}/RECORD"
        if record in members and not keep:
            lines = [row(name, data) for name, data in members.items() if name != record]
            text = "".join([*lines, f"{record},,\n"])
            members = {**members, record: text.encode("utf-8", "surrogateescape")}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, data in members.items():
                entry = zipfile.ZipInfo("x")
                entry.filename = entry.orig_filename = name.encode("utf-8", "replace").decode()
                entry.compress_type = self.rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
                mode = 0o100644 if self.rng.random() < 0.99 else self.rng.choice(_MODES)
                entry.external_attr = mode << 16
                archive.writestr(entry, data)
        return buffer.getvalue()


def _places(data: bytearray, mark: bytes) -> list[int]:
    found, at = [], data.find(mark)
    while at >= 0:
        found.append(at)
        at = data.find(mark, at + 1)
    return found
