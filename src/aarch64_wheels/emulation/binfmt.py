"""The kernel's binfmt_misc: what is registered for aarch64 programs, and registering QEMU."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

from aarch64_wheels.emulation.probe_elf import program

BINFMT = Path("/proc/sys/fs/binfmt_misc")
_NOT_ENTRIES = ("register", "status")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One registration (Linux: Documentation/admin-guide/binfmt-misc.rst)."""

    name: str
    enabled: bool
    interpreter: str
    flags: str
    offset: int = 0
    magic: bytes = b""
    mask: bytes = b""

    @classmethod
    def parse(cls, name: str, text: str) -> Entry:
        """Read what the kernel shows of an entry."""
        first, _, rest = text.partition("\n")
        fields = dict(line.partition(" ")[::2] for line in rest.splitlines())
        return cls(
            name=name,
            enabled=first.strip() == "enabled",
            interpreter=fields.get("interpreter", ""),
            flags=fields.get("flags:", "").strip(),
            offset=int(fields.get("offset", "0")),
            magic=bytes.fromhex(fields.get("magic", "")),
            mask=bytes.fromhex(fields.get("mask", "")),
        )

    def matches_aarch64(self) -> bool:
        """Tell whether the kernel would hand an aarch64 program to this entry."""
        if not self.magic:
            return False
        head = program()[self.offset : self.offset + len(self.magic)]
        mask = self.mask or b"\xff" * len(self.magic)
        pairs = zip(head, self.magic, mask, strict=True)
        return all(found & bits == wanted & bits for found, wanted, bits in pairs)


class State(enum.StrEnum):
    """How things stand for aarch64 programs on this host."""

    OK = "registered"
    NOT_MOUNTED = "binfmt_misc is not mounted"
    NONE = "no QEMU is registered for aarch64"
    DISABLED = "binfmt_misc, or its entry for aarch64, is switched off"
    WITHOUT_F = "QEMU is registered without the flag F, so containers do not find it"
    NO_INTERPRETER = "QEMU is registered, but its program is missing"


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """The state, with the entry it is about where there is one."""

    state: State
    entry: Entry | None = None

    def __str__(self) -> str:
        if self.entry is None:
            return self.state.value
        about = f"{self.entry.name}: {self.entry.interpreter}, flags {self.entry.flags or 'none'}"
        return f"{self.state.value} ({about})"


def aarch64_entries(root: Path = BINFMT) -> tuple[Entry, ...]:
    """List the registrations that match aarch64 programs."""
    if not root.is_dir():
        return ()
    paths = [path for path in sorted(root.iterdir()) if path.name not in _NOT_ENTRIES]
    entries = [Entry.parse(path.name, path.read_text()) for path in paths]
    return tuple(entry for entry in entries if entry.matches_aarch64())


def diagnose(root: Path = BINFMT) -> Diagnosis:
    """Say what keeps containers from running aarch64 programs, as far as this host's kernel shows.

    An engine in a virtual machine or on another host has a kernel of its own: `probe_engine`
    knows better.
    """
    status = root / "status"
    if not status.exists():
        return Diagnosis(state=State.NOT_MOUNTED)
    if status.read_text().strip() != "enabled":
        return Diagnosis(state=State.DISABLED)
    entries = aarch64_entries(root)
    ranked = [Diagnosis(state=_state(entry), entry=entry) for entry in entries]
    ranked.sort(key=lambda diagnosis: list(State).index(diagnosis.state))
    return ranked[0] if ranked else Diagnosis(state=State.NONE)


def _state(entry: Entry) -> State:
    if not entry.enabled:
        return State.DISABLED
    # With F the kernel holds the program open: it works even if the file has gone since.
    if "F" in entry.flags:
        return State.OK
    return State.WITHOUT_F if Path(entry.interpreter).exists() else State.NO_INTERPRETER
