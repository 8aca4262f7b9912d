"""A real aarch64 program of 132 bytes, and a container image that holds nothing else."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
from typing import Any

#: What the program ends with: no shell or engine gives this status of its own accord.
STATUS = 42
#: e_machine of the ELF header.
MACHINE_AARCH64 = 183
TAG = "aarch64-wheels/probe:1"

_BASE = 0x400000
_HEADERS = 64 + 56
#: 64 KiB: the largest page an aarch64 kernel may use.
_ALIGN = 0x10000
_EXIT_SYSCALL = 93


def program(machine: int = MACHINE_AARCH64) -> bytes:
    """Make an ELF64 executable for aarch64 Linux: `exit(STATUS)`."""
    code = struct.pack("<3I", _movz(0, STATUS), _movz(8, _EXIT_SYSCALL), 0xD4000001)  # svc #0
    size = _HEADERS + len(code)
    ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)  # 64 bits, little endian, version 1
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        *(ident, 2, machine, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0),
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, _ALIGN)  # load, r-x
    return header + segment + code


def image_archive(
    elf: bytes | None = None, tag: str = TAG, *, architecture: str = "arm64"
) -> bytes:
    """Make the image as `docker load` takes it; always the same bytes.

    `docker import --platform` would be simpler, but Docker 20.10 ignores its platform.
    """
    layer = _tar({"probe": elf or program()}, mode=0o755)
    config = _json(_config(layer, architecture))
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = _json([{"Config": name, "RepoTags": [tag], "Layers": ["layer.tar"]}])
    return _tar({name: config, "layer.tar": layer, "manifest.json": manifest}, mode=0o644)


def _movz(register: int, value: int) -> int:
    """`mov xN, #value`."""
    return 0xD2800000 | value << 5 | register


def _config(layer: bytes, architecture: str) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    return {
        "architecture": architecture,
        **({"variant": "v8"} if architecture == "arm64" else {}),
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {"Entrypoint": ["/probe"]},
        "rootfs": {"type": "layers", "diff_ids": [digest]},
    }


def _json(data: Any) -> bytes:
    return json.dumps(data, sort_keys=True).encode()


def _tar(files: dict[str, bytes], *, mode: int) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), mode
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()
