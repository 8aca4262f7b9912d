"""What the exit status of a command tells of its end: signals, and crashes under QEMU."""

from __future__ import annotations

#: Linux's numbers of the signals that end programs (signal(7); x86 and ARM agree): containers
#: have these whatever this host runs. Shells and engines report the status 128 + N, Python -N.
_NUMBERS = {
    1: "HUP",
    2: "INT",
    3: "QUIT",
    4: "ILL",
    5: "TRAP",
    6: "ABRT",
    7: "BUS",
    8: "FPE",
    9: "KILL",
    10: "USR1",
    11: "SEGV",
    12: "USR2",
    13: "PIPE",
    14: "ALRM",
    15: "TERM",
    24: "XCPU",
    25: "XFSZ",
    31: "SYS",
}
_SHELL_BASE = 128

#: These end a program that has gone wrong by itself. QEMU ends by the signal of the program
#: that it emulates, and by these same ones where it goes wrong.
CRASHES = frozenset({"SIGILL", "SIGABRT", "SIGBUS", "SIGFPE", "SIGSEGV"})
KILLED = "SIGKILL"


def signal_of(status: int) -> str:
    """Name the signal that a command ended by, empty if it was none.

    Args:
        status: 128 + N, as a shell has it for its own last command too, or -N.
    """
    name = _NUMBERS.get(-status if status < 0 else status - _SHELL_BASE)
    return f"SIG{name}" if name else ""


def describe_ending(status: int, *, emulated: bool) -> tuple[str, str]:
    """Say how a command ended, and what to do next where that is known (else empty).

    Only signals that nobody sends by mistake are told as such: programs have statuses above
    128 of their own (`git` ends with 129 for bad usage).
    """
    signal = signal_of(status)
    if signal == KILLED:
        return f"was killed ({signal})", _MEMORY_HINT
    if signal not in CRASHES:
        return f"ended with status {status}", ""
    if emulated:
        return f"crashed under emulation ({signal})", _EMULATION_HINT
    return f"crashed ({signal})", ""


_MEMORY_HINT = "memory may have run out: use fewer --jobs, or a machine with more of it"
_EMULATION_HINT = "QEMU may be at fault: try again, with another version of it, or on an arm64 host"
