"""QEMU: what is registered, what is missing, and who provides it."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.emulation import registration
from aarch64_wheels.emulation.binfmt import Entry, State, aarch64_entries, diagnose
from aarch64_wheels.emulation.probe import NOT_REGISTERED, WITHOUT_F, ProbeResult, judge, run_probe
from aarch64_wheels.emulation.probe_elf import image_archive, program
from aarch64_wheels.emulation.registration import (
    find_line,
    interpreter_of,
    is_static,
    register,
    with_flag_f,
)
from aarch64_wheels.engine.owner import Owner
from aarch64_wheels.engine.registry import ContainerRegistry
from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = "7f454c460201010000000000000000000200b700"
MASK = "ffffffffffffff00fffffffffffffffffeffffff"
LINE = (
    r":qemu-aarch64:M::\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00"
    r"\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:"
)


def entry_text(
    flags: str = "OPF",
    *,
    magic: str = MAGIC,
    state: str = "enabled",
    interpreter: str = "/usr/bin/qemu",
) -> str:
    return (
        f"{state}\ninterpreter {interpreter}\nflags: {flags}\n"
        f"offset 0\nmagic {magic}\nmask {MASK}\n"
    )


def binfmt(root: Path, *, status: str = "enabled", **entries: str) -> Path:
    (root / "status").write_text(status + "\n")
    (root / "register").touch()
    for name, text in entries.items():
        (root / name).write_text(text)
    return root


# The program and its image.


def test_the_program_is_a_static_aarch64_elf() -> None:
    elf = program()
    assert elf.startswith(b"\x7fELF\x02\x01\x01")
    assert struct.unpack_from("<HH", elf, 16) == (2, 183)  # ET_EXEC, EM_AARCH64
    assert len(elf) == 132
    (alignment,) = struct.unpack_from("<Q", elf, 64 + 48)
    assert alignment == 64 * 1024
    # mov x0, #42; mov x8, #93; svc #0, as `objdump -d` knows them
    assert elf[120:].hex() == "400580d2a80b80d2010000d4"


def test_the_image_is_for_arm64_and_always_the_same() -> None:
    assert image_archive() == image_archive()
    with tarfile.open(fileobj=io.BytesIO(image_archive())) as tar:
        content = {m.name: file.read() for m in tar if (file := tar.extractfile(m))}
    (manifest,) = json.loads(content["manifest.json"])
    config = json.loads(content[manifest["Config"]])
    assert (config["architecture"], config["variant"], config["os"]) == ("arm64", "v8", "linux")
    layer = hashlib.sha256(content["layer.tar"]).hexdigest()
    assert config["rootfs"]["diff_ids"] == [f"sha256:{layer}"]


JUDGED = {
    "works": (42, "", ProbeResult(ok=True)),
    "runc": (-1, "exec /probe: exec format error", ProbeResult(ok=False, reason=NOT_REGISTERED)),
    "crun": (-1, "Exec format error: unknown", ProbeResult(ok=False, reason=NOT_REGISTERED)),
    "without F": (-1, "no such file or directory", ProbeResult(ok=False, reason=WITHOUT_F)),
}


@pytest.mark.parametrize(("status", "words", "expected"), JUDGED.values(), ids=JUDGED.keys())
def test_judge(status: int, words: str, expected: ProbeResult) -> None:
    assert judge(status, words) == expected


def test_judge_quotes_what_it_does_not_know() -> None:
    assert judge(139, "Segmentation fault").reason.endswith("status 139: Segmentation fault")


class FakeApi:
    """Docker's API as the probe uses it; `error` is what the start ends with."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.api = self
        self.error = error
        self.labels: dict[str, str] = {}
        self.left: list[str] = []

    def create_host_config(self, **_options: Any) -> dict[str, Any]:
        return {}

    def create_container(
        self, _image: str, *, name: str, labels: dict[str, str], **_options: Any
    ) -> None:
        self.left.append(name)
        self.labels = labels

    def start(self, _name: str) -> None:
        if self.error:
            raise self.error

    def wait(self, _name: str, **_options: Any) -> dict[str, int]:
        return {"StatusCode": 42}

    def logs(self, _name: str, **_options: Any) -> bytes:
        return b""

    def remove_container(self, name: str, **_options: Any) -> None:
        self.left.remove(name)


@pytest.mark.parametrize("error", [None, KeyboardInterrupt()], ids=["well", "interrupted"])
def test_a_probe_is_labelled_and_leaves_no_container(error: BaseException | None) -> None:
    client = FakeApi(error)
    engine: Any = SimpleNamespace(client=client, containers=ContainerRegistry(client))
    with pytest.raises(type(error)) if error else nullcontext():
        assert run_probe(engine, "image") == ProbeResult(ok=True)
    assert Owner.from_labels(client.labels) == Owner.current()
    assert client.left == []


# What the kernel shows.


def test_an_entry_is_read() -> None:
    entry = Entry.parse("qemu-aarch64", entry_text("POF"))
    assert (entry.enabled, entry.flags, entry.interpreter) == (True, "POF", "/usr/bin/qemu")
    assert entry.matches_aarch64()


OTHERS = {
    "riscv64": entry_text(magic=MAGIC.replace("b7", "f3")),
    "32 bits": entry_text(magic=MAGIC.replace("7f454c4602", "7f454c4601")),
    "by extension": "enabled\ninterpreter /usr/bin/java\nflags: \nextension .jar\n",
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS.keys())
def test_entries_of_others_do_not_match(text: str) -> None:
    assert not Entry.parse("other", text).matches_aarch64()


STATES = {
    "good": ({"a": entry_text("POF")}, State.OK),
    "none": ({"riscv": OTHERS["riscv64"]}, State.NONE),
    "without F": ({"a": entry_text("PO", interpreter="/bin/sh")}, State.WITHOUT_F),
    "gone": ({"a": entry_text("PO", interpreter="/no/qemu")}, State.NO_INTERPRETER),
    "gone, but held open": ({"a": entry_text("F", interpreter="/no/qemu")}, State.OK),
    "switched off": ({"a": entry_text(state="disabled")}, State.DISABLED),
    "a good one beside a bad one": ({"a": entry_text("P"), "b": entry_text("F")}, State.OK),
}


@pytest.mark.parametrize(("entries", "expected"), STATES.values(), ids=STATES.keys())
def test_diagnosis(tmp_path: Path, entries: dict[str, str], expected: State) -> None:
    assert diagnose(binfmt(tmp_path, **entries)).state is expected


def test_diagnosis_of_all_switched_off(tmp_path: Path) -> None:
    root = binfmt(tmp_path, status="disabled", a=entry_text("F"))
    assert diagnose(root).state is State.DISABLED


def test_diagnosis_without_the_file_system(tmp_path: Path) -> None:
    assert diagnose(tmp_path).state is State.NOT_MOUNTED
    assert diagnose(tmp_path / "missing").state is State.NOT_MOUNTED


def test_a_diagnosis_names_entry_and_flags(tmp_path: Path) -> None:
    root = binfmt(tmp_path, qemu=entry_text("OP", interpreter="/bin/sh"))
    assert str(diagnose(root)).endswith("(qemu: /bin/sh, flags OP)")


# Registering.

FLAGS = {
    "has it": (LINE + "/usr/bin/qemu:OPF", LINE + "/usr/bin/qemu:OPF"),
    "lacks it": (LINE + "/usr/bin/qemu:OP\n", LINE + "/usr/bin/qemu:OPF"),
    "no flags": (LINE + "/usr/bin/qemu:", LINE + "/usr/bin/qemu:F"),
}


@pytest.mark.parametrize(("line", "expected"), FLAGS.values(), ids=FLAGS.keys())
def test_flag_f_is_made_sure_of(line: str, expected: str) -> None:
    assert with_flag_f(line) == expected
    assert interpreter_of(line) == "/usr/bin/qemu"


def test_static_and_dynamic_programs(tmp_path: Path) -> None:
    static, dynamic, text = (tmp_path / name for name in ("static", "dynamic", "text"))
    static.write_bytes(program())
    elf = bytearray(program())
    struct.pack_into("<I", elf, 64, 3)  # PT_INTERP
    dynamic.write_bytes(elf)
    text.write_text("#!/bin/sh\n")
    assert [is_static(p) for p in (static, dynamic, text, tmp_path / "none")] == [
        True,
        *[False] * 3,
    ]


def test_the_distributions_line_is_taken_first(tmp_path: Path) -> None:
    qemu, conf = tmp_path / "qemu", tmp_path / "qemu.conf"
    qemu.write_bytes(program())
    conf.write_text(f"# comment\n{LINE}{qemu}:OP\n")
    assert find_line([conf], [qemu]) == f"{LINE}{qemu}:OPF"
    assert find_line([tmp_path / "none"], [tmp_path / "none", qemu]) == f"{LINE}{qemu}:PF"
    assert find_line([tmp_path / "none"], [tmp_path / "none"]) is None


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes]]:
    """What is written to the kernel's files, in order."""
    writes: list[tuple[str, bytes]] = []
    monkeypatch.setattr(
        registration, "write_as_root", lambda path, content: writes.append((path.name, content))
    )
    return writes


def test_an_entry_without_f_is_replaced(tmp_path: Path, written: list[tuple[str, bytes]]) -> None:
    root = binfmt(tmp_path, old=entry_text("OP"), other=OTHERS["riscv64"])
    said: list[str] = []
    register(LINE + "/usr/bin/qemu:F", said.append, root=root)
    assert written == [("old", b"-1"), ("register", f"{LINE}/usr/bin/qemu:F".encode())]
    assert said == [
        "removing the registration old (flags OP)",
        "registering /usr/bin/qemu for aarch64 programs",
    ]


def test_a_good_entry_is_left_alone(tmp_path: Path, written: list[tuple[str, bytes]]) -> None:
    root = binfmt(tmp_path, good=entry_text("F"))
    register(LINE + "/usr/bin/qemu:F", print, root=root)
    assert written == []
    assert len(aarch64_entries(root)) == 1


def test_a_kernel_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path, _content: bytes) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(registration, "write_as_root", refuse)
    with pytest.raises(UnfitError, match="Operation not permitted") as caught:
        register(LINE + "/usr/bin/qemu:F", print, root=binfmt(tmp_path))
    assert "as root" in caught.value.hint
