"""Runs inside the container: imports a wheel's extensions, and tells how each import ended.

Usage: import_extension.py REQUEST, a JSON file: `extensions` (for each one the parts of its path
below site-packages), `seconds` for one import, `total` seconds for all, `parallel` processes. It
uses nothing but the standard library, for it runs under the target's own interpreter (3.9 is the
oldest), beside the wheel and what that depends on.

Imports run in forked processes: to start an interpreter under emulation takes longer than most
imports. A process goes on as long as all is well, for packages such as pandas take seconds to
import and have dozens of extensions. Whatever fails in one that has imported others, or crashes,
is tried a second time in a process of its own, and that counts.

Standard output gets a JSON object in a line for each extension; what extensions print does not
get there.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import json
import os
import resource
import selectors
import signal
import sys
import sysconfig
import time
from collections import deque

with contextlib.suppress(ImportError):  # some builds lack it
    import ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: The most that is told of a process: characters of one text, bytes of what it printed.
_MOST_TEXT = 1000
_MOST_OUTPUT = 2000
#: Bytes of a line that it may send, and how often it is read from after its end.
_MOST_LINE = 65536
_MOST_READS = 64
#: Seconds between two looks at processes that say nothing.
_PAUSE = 0.1
#: A process that works less than this share of so many seconds is taken to be stuck, and its
#: import is tried again: with all of its time, as it may only wait for something.
_IDLE_SECONDS = 5.0
_IDLE_SHARE = 0.1
#: In a siginfo_t on 64-bit Linux: `si_code`, and `si_addr` after it and padding.
_CODE_AT, _ADDRESS_AT = 8, 16
_SA_SIGINFO = 4


def main(request: str) -> None:
    """Import what the request names."""
    with open(request, encoding="utf-8") as file:  # noqa: PTH123 - the start stays quick
        asked = json.load(file)
    names = [module_name(parts) for parts in asked["extensions"]]
    for index, name in enumerate(names):
        if not name:
            _say({"index": index, "state": "left-out"})
    wanted = [index for index, name in enumerate(names) if name]
    # Neighbours are of one package, which is imported with its first extension.
    share = max(1, -(-len(wanted) // asked["parallel"]))
    parts = [wanted[start : start + share] for start in range(0, len(wanted), share)]
    _run([Lane(names, part, asked["seconds"]) for part in parts], asked["total"])


def module_name(parts: Sequence[str]) -> str:
    """Name the module that this interpreter imports from a file; empty if it is none.

    Args:
        parts: of the file's path below a directory of `sys.path`.
    """
    *packages, file = parts
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        stem = file[: -len(suffix)]
        if file.endswith(suffix) and all(part.isidentifier() for part in [*packages, stem]):
            return ".".join(packages if stem == "__init__" else [*packages, stem])
    return ""


class Attempt:
    """One process that imports modules, as its parent sees it.

    Args:
        queue: index and name of each module. seconds: for one of them.
        plain: without a handler for illegal instructions.
    """

    def __init__(self, queue: Sequence[tuple[int, str]], seconds: float, *, plain: bool) -> None:
        self._seconds, self._plain, self._most = seconds, plain, len(queue)
        self._deadline = time.monotonic() + seconds
        self._looked = (time.monotonic(), 0.0)
        self._buffer = b""
        self._told: Mapping[str, Any] | None = None
        self.output = b""
        #: How many it has begun with, and the indices of those that went well.
        self.begun = 0
        self.done: list[int] = []
        self.pid, self.ends = _start(queue, plain=plain)

    def read(self, end: int) -> bool:
        """Take what has come; False at the end."""
        try:
            data = os.read(end, _MOST_LINE)
        except BlockingIOError:
            return True
        if end == self.ends[1]:
            self.output = (self.output + data)[-_MOST_OUTPUT:]
            return bool(data)
        *lines, rest = (self._buffer + data).split(b"\n")
        self._buffer = rest[-_MOST_LINE:]
        for line in lines:
            self._take(line)
        return bool(data)

    def _take(self, line: bytes) -> None:
        """Take a line of the importing process, which may be forged: it runs foreign code."""
        try:
            row = json.loads(line.decode("utf-8", "replace"))
            kind, index = str(row.pop("kind")), int(row.pop("index", -1))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
            return
        if kind == "begin":
            self.begun += 1
            if self.begun <= self._most:
                self._deadline = time.monotonic() + self._seconds
        elif kind == "done":
            self.done = [*self.done, index][: self._most]
        else:
            self._told = {**_bounded(row), "state": kind[:_MOST_TEXT]}

    def poll(self) -> Mapping[str, Any] | None:
        """Say how it has ended, None if it has not; what is too slow is ended."""
        late = time.monotonic() > self._deadline or self._is_stuck()
        if late:
            self.kill()
        pid, status = os.waitpid(self.pid, 0 if late else os.WNOHANG)
        if pid == 0:
            return None
        for end in self.ends:
            self._drain(end)
            os.close(end)
        _kill_group(self.pid)  # what it has started may go on
        return {"state": "timeout"} if late else self._told or _ending(status)

    def _is_stuck(self) -> bool:
        """Tell whether it waits without end, maybe in the handler (see `_handle_illegal`)."""
        now = time.monotonic()
        if self._plain or now - self._looked[0] < _IDLE_SECONDS:
            return False
        work = _work_of(self.pid)
        spent, self._looked = work - self._looked[1], (now, work)
        return spent < _IDLE_SHARE * _IDLE_SECONDS

    def kill(self) -> None:
        """End the process, which may have left its group."""
        _kill_group(self.pid)
        os.kill(self.pid, signal.SIGKILL)

    def _drain(self, end: int) -> None:
        for _ in range(_MOST_READS):
            if not (_is_ready(end) and self.read(end)):
                return


class Lane:
    """Extensions that are imported one after another, in as few processes as will do.

    Args:
        names: of all modules. pending: those of this lane, by index. seconds: for one import.
    """

    def __init__(self, names: Sequence[str], pending: Sequence[int], seconds: float) -> None:
        self._names, self._seconds = names, seconds
        self._pending = deque(pending)
        self._attempt: Attempt | None = None
        #: The next one is tried a second time; without a handler, if it has not ended.
        self._again = self._plain = False

    def attempt(self) -> Attempt | None:
        """Give the process that imports what is left, None if nothing is."""
        if self._attempt is None and self._pending:
            chosen = [self._pending[0]] if self._again else list(self._pending)
            queue = [(index, self._names[index]) for index in chosen]
            self._attempt = Attempt(queue, self._seconds, plain=self._plain)
        return self._attempt

    def has_ended(self) -> bool:
        """Tell whether the process has ended, and say what came of its imports."""
        if self._attempt is None or (how := self._attempt.poll()) is None:
            return False
        ended, self._attempt = self._attempt, None
        before = len(self._pending)
        for index in ended.done:
            if self._pending and index == self._pending[0]:
                self._settle({"state": "ok"})
        settled = before - len(self._pending)
        # One that ends between two imports has said all: the next is another process's.
        if self._pending and (ended.begun > settled or not settled):
            self._fail(how, ended)
        return True

    def _fail(self, how: Mapping[str, Any], ended: Attempt) -> None:
        is_doubtful = ended.begun > 1 or how["state"] in ("signal", "timeout")
        if is_doubtful and not self._again:
            self._again, self._plain = True, how["state"] == "timeout"
        else:
            self._settle({**how, "output": ended.output.decode("utf-8", "replace")})

    def _settle(self, how: Mapping[str, Any]) -> None:
        index = self._pending.popleft()
        self._again = self._plain = False
        _say({**how, "index": index, "name": self._names[index]})

    def give_up(self) -> None:
        """End the process, and tell what was not tried."""
        if self._attempt is not None:
            self._attempt.kill()
            os.waitpid(self._attempt.pid, 0)
        while self._pending:
            self._settle({"state": "skipped"})


def _run(lanes: Sequence[Lane], total: float) -> None:
    end = time.monotonic() + total
    running = list(lanes)
    while running and time.monotonic() < end:
        with selectors.DefaultSelector() as selector:
            for lane in running:
                attempt = lane.attempt()
                for number in attempt.ends if attempt else ():
                    selector.register(number, selectors.EVENT_READ, attempt)
            _watch(selector, running, end)
        running = [lane for lane in running if lane.attempt()]
    for lane in running:
        lane.give_up()


def _watch(selector: selectors.BaseSelector, running: Sequence[Lane], end: float) -> None:
    """Read what processes say, until one of them has ended."""
    while time.monotonic() < end:
        if not selector.get_map():
            time.sleep(_PAUSE)
        for key, _ in selector.select(_PAUSE) if selector.get_map() else ():
            if not key.data.read(key.fd):
                selector.unregister(key.fd)
        if any([lane.has_ended() for lane in running]):  # noqa: C419 - each is to be asked
            return


def _start(queue: Sequence[tuple[int, str]], *, plain: bool) -> tuple[int, tuple[int, int]]:
    """Fork a process; gives its number, and what its answers and its output are read from."""
    answers, output = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _import_all(queue, answers[1], output[1], plain=plain)
        finally:
            os._exit(1)
    for mine, its in (answers, output):
        os.close(its)
        os.set_blocking(mine, False)
    return pid, (answers[0], output[0])


def _work_of(pid: int) -> float:
    """Give the seconds of a processor that a process has had so far (proc(5), `stat`)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            # The name before it is in parentheses, and may have some of its own.
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _is_ready(end: int) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(end, selectors.EVENT_READ)
        return bool(selector.select(0))


def _ending(status: int) -> Mapping[str, Any]:
    if os.WIFSIGNALED(status):
        return {"state": "signal", "signal": os.WTERMSIG(status)}
    return {"state": "ended", "status": os.WEXITSTATUS(status)}


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _bounded(row: Mapping[str, object]) -> Mapping[str, object]:
    names = ("type", "text", "missing", "word", "object", "below")
    found = {name: str(row[name])[:_MOST_TEXT] for name in names if name in row}
    offset = row.get("offset")
    return {**found, "offset": offset} if isinstance(offset, int) else found


def _say(row: Mapping[str, object]) -> None:
    os.write(1, json.dumps(row).encode() + b"\n")


def _import_all(
    queue: Sequence[tuple[int, str]], answers: int, output: int, *, plain: bool
) -> None:
    """Import modules until one fails; runs in a process of its own, and ends it."""
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, aim in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(number, aim)
    handler = None if plain else _handle_illegal(answers)
    for index, name in queue:
        _tell(answers, {"kind": "begin", "index": index})
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001 - SystemExit is as bad
            _tell(answers, {"kind": "error", **_about(error)})
            break
        _tell(answers, {"kind": "done", "index": index})
    del handler
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)


def _tell(answers: int, row: Mapping[str, object]) -> None:
    os.write(answers, json.dumps(row).encode() + b"\n")


def _about(error: BaseException) -> Mapping[str, object]:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - `__str__` is foreign code, too
        text = ""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    return _bounded({"type": type(error).__name__, "text": text, "missing": missing or ""})


def _handle_illegal(answers: int) -> object:
    """Have an illegal instruction tell its place; the handler is to be kept as long as it counts.

    Without ctypes there is none: the signal alone tells what it was.

    The signal comes in the thread that imports and so holds the interpreter's lock. In another
    thread the handler would wait for that lock, and the process is stuck: the second try is plain.
    """
    if "ctypes" not in sys.modules:
        return None

    class Action(ctypes.Structure):
        """`struct sigaction` of glibc and musl on 64-bit Linux."""

        _fields_ = (
            ("handler", ctypes.c_void_p),
            ("mask", ctypes.c_ubyte * 128),
            ("flags", ctypes.c_int),
            ("restorer", ctypes.c_void_p),
        )

    def handle(_number: int, info: int, _context: int) -> None:
        try:
            address = ctypes.c_uint64.from_address(info + _ADDRESS_AT).value
            # Nothing above 0 is of the processor, but of a process that has sent it (sigaction(2)).
            is_sent = ctypes.c_int.from_address(info + _CODE_AT).value <= 0
            place = {} if is_sent else _place(address)
            _tell(answers, {"kind": "illegal", **place})
        finally:
            os._exit(128 + signal.SIGILL)

    handler = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(handle)
    action = Action(handler=ctypes.cast(handler, ctypes.c_void_p).value, flags=_SA_SIGINFO)
    ctypes.CDLL(None).sigaction(int(signal.SIGILL), ctypes.byref(action), None)
    return handler


def _place(address: int) -> Mapping[str, object]:
    """Find what is mapped at an address: a file, and where in it."""
    place = {"word": ctypes.string_at(address, 4).hex()}
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:  # noqa: PTH123
        for line in maps:
            span, _, offset, _, _, *path = line.rstrip("\n").split(None, 5)
            start, end = (int(number, 16) for number in span.split("-"))
            if start <= address < end and path:
                found = {"object": path[0], "below": _below_site(path[0])}
                return {**place, **found, "offset": address - start + int(offset, 16)}
    return place


def _below_site(path: str) -> str:
    """Give a file's path below site-packages, empty if it is not there."""
    for name in ("platlib", "purelib"):
        site = os.path.realpath(sysconfig.get_path(name))
        if path.startswith(site + os.sep):
            return path[len(site) + 1 :]
    return ""


if __name__ == "__main__":
    main(sys.argv[1])
