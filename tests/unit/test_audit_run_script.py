"""The script that imports, with this Python: modules stand for extensions, their ends are real."""

from __future__ import annotations

import importlib.machinery
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.audit.run import import_extension
from aarch64_wheels.audit.run.import_extension import module_name
from aarch64_wheels.audit.run.outcome import Outcome

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]
Import = Callable[..., dict[str, Outcome]]


@pytest.fixture
def run_imports(tmp_path: Path) -> Import:
    """Import modules of these sources; gives the answers by module."""

    def run(sources: dict[str, str], seconds: float = 20, total: float = 60) -> dict[str, Outcome]:
        for name, text in sources.items():
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        asked = {
            "extensions": [[f"{name}{SUFFIX}"] for name in sources],
            "seconds": seconds,
            "total": total,
            "parallel": 2,
        }
        (tmp_path / "request.json").write_text(json.dumps(asked), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, import_extension.__file__, "request.json"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        rows = [row for line in done.stdout.splitlines() if (row := Outcome.parse(line))]
        return {row.name: row for row in rows}

    return run


def test_how_imports_end(run_imports: Import) -> None:
    found = run_imports(
        {
            "good": "print('not among the answers')",
            "absent": "import nowhere.at_all",
            "broken": "print('its words', flush=True)\nraise ImportError('no way')",
            "leaving": "raise SystemExit(0)",
            "ending": "import os\nos._exit(3)",
            "vanishing": "import os\nos._exit(0)",
            "crashing": "import os\nos.abort()",
            "last": "",
        }
    )
    assert {name: row.state for name, row in found.items()} == {
        "good": "ok",
        "absent": "error",
        "broken": "error",
        "leaving": "error",
        "ending": "ended",
        "vanishing": "ended",
        "crashing": "signal",
        "last": "ok",
    }
    assert (found["absent"].type, found["absent"].missing) == ("ModuleNotFoundError", "nowhere")
    assert (found["broken"].text, found["broken"].last_line) == ("no way", "its words")
    assert found["leaving"].type == "SystemExit"
    assert (found["ending"].status, found["vanishing"].status) == (3, 0)
    assert found["crashing"].signal == signal.SIGABRT


def test_sent_signals_have_no_place(run_imports: Import) -> None:
    found = run_imports({"sent": "import os, signal\nos.kill(os.getpid(), signal.SIGILL)"})
    assert (found["sent"].state, found["sent"].word) == ("illegal", "")


def test_an_illegal_instruction_has_a_place(run_imports: Import) -> None:
    """Of any machine: these bytes are no instruction, neither of x86 nor of AArch64."""
    code = "0f0b0f0b" if os.uname().machine == "x86_64" else "00000000"
    found = run_imports(
        {
            "illegal": f"""
import ctypes, mmap, tempfile
file = tempfile.TemporaryFile()
file.write(bytes(4096) + bytes.fromhex("{code}") + bytes(4092))
file.flush()
ways = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
memory = mmap.mmap(file.fileno(), 4096, mmap.MAP_PRIVATE, ways, offset=4096)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
ctypes.PYFUNCTYPE(None)(address)()
"""
        }
    )
    row = found["illegal"]
    assert (row.state, row.word, row.offset) == ("illegal", code, 4096)
    assert row.object.startswith("/")
    assert row.below == ""


def test_what_fails_beside_others_is_tried_alone(run_imports: Import) -> None:
    found = run_imports(
        {
            "first": "import sys\nsys.spoilt = True",
            "second": "import sys\nif hasattr(sys, 'spoilt'): raise ImportError",
            "third": "",
        }
    )
    assert {row.state for row in found.values()} == {"ok"}


def test_what_does_not_end_is_ended(run_imports: Import) -> None:
    started = time.monotonic()
    sources = {"busy": "while True: pass", "good": ""}
    found = run_imports(sources, seconds=1)
    assert {name: row.state for name, row in found.items()} == {"busy": "timeout", "good": "ok"}
    assert time.monotonic() - started < 20


def test_what_only_waits_has_its_time(run_imports: Import) -> None:
    """It is taken to be stuck, and does well when it is tried again."""
    found = run_imports({"waiting": "import time\ntime.sleep(7)"}, seconds=30)
    assert found["waiting"].state == "ok"


def test_time_runs_out(run_imports: Import) -> None:
    found = run_imports({"busy": "while True: pass", "more": "", "good": ""}, total=1)
    states = {name: row.state for name, row in found.items()}
    assert states == {"busy": "skipped", "more": "skipped", "good": "ok"}


def test_what_is_left_behind_is_no_obstacle(run_imports: Import) -> None:
    """A process that an import has started holds the pipes open."""
    started = time.monotonic()
    spawning = "import subprocess\nsubprocess.Popen(['sleep', '60'])"
    found = run_imports({"spawning": spawning})
    assert found["spawning"].state == "ok"
    assert time.monotonic() - started < 20


def test_forged_answers(run_imports: Import) -> None:
    """An import may write what it likes to its parent, which must neither fail nor grow."""
    forging = """
import json, os
for number in range(3, 20):
    for line in (b"no JSON", b"[]", b'{"kind": 1}', b"[" * 9999, b"x" * 200000,
                 b'{"kind": "done", "index": 7}',
                 b'{"kind": "error", "text": "' + b"y" * 9999 + b'"}'):
        try:
            os.write(number, line + b"\\n")
        except OSError:
            break
os._exit(1)
"""
    found = run_imports({"forging": forging, "good": ""})
    assert set(found) == {"forging", "good"}
    assert found["good"].state == "ok"
    assert len(found["forging"].text) <= 1000


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (["fast" + SUFFIX], "fast"),
        (["fast.so"], "fast"),
        (["a", "b", "fast" + SUFFIX], "a.b.fast"),
        (["a", "__init__" + SUFFIX], "a"),
        (["fast.cpython-31-of-another.so"], ""),
        (["a-b", "fast.so"], ""),
        (["fast.py"], ""),
        ([".so"], ""),
        ([""], ""),
    ],
)
def test_module_names(parts: list[str], name: str) -> None:
    assert module_name(parts) == name


def test_what_is_no_module_is_left_out(run_imports: Import, tmp_path: Path) -> None:
    assert run_imports({"a-b": "", "good": ""})["good"].state == "ok"
    asked: dict[str, Any] = json.loads((tmp_path / "request.json").read_text())
    assert asked["extensions"][0] == [f"a-b{SUFFIX}"]
