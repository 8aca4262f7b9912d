"""How long the commands of a stage may take, and how long one of them may say nothing.

No thread watches: each wait for output has a time limit of its own (see `exec.execute`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Self

from aarch64_wheels.errors import TimedOutError

#: Users count in minutes.
MINUTE = 60.0
_HOUR_MINUTES = 60
#: A command that was silent for less than this was talking.
_PAUSE_SECONDS = 1.0

#: Gives seconds that never go back.
Clock = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds that the commands of a stage may take in all, and that one may be silent; 0: any."""

    time: float = 0.0
    silence: float = 0.0

    @classmethod
    def of_minutes(cls, *, time: int, silence: int) -> Self:
        """Make them of what users set."""
        return cls(time=time * MINUTE, silence=silence * MINUTE)


@dataclass(frozen=True, kw_only=True)
class Overrun:
    """What went past a limit.

    Attributes:
        stage: whose commands, empty before the first stage.
        setting: `time-limit` or `silence-limit`; limit: how many seconds it allows.
        ran: seconds that the commands of the stage have taken; silent: those without output.
    """

    stage: str
    setting: str
    limit: float
    ran: float
    silent: float

    @property
    def is_silence(self) -> bool:
        """The command went on, but said nothing."""
        return self.setting == "silence-limit"


class Overran(Exception):  # noqa: N818 - told to nobody as it is (see `timed_out`)
    """A limit is reached: nothing more is read of the command's output."""

    def __init__(self, overrun: Overrun) -> None:
        super().__init__(overrun.setting)
        self.overrun = overrun


@dataclass(kw_only=True)
class Patience:
    """What is left of the limits for one command that runs.

    Attributes:
        limits: to be kept. stage: whose command it is.
        before: seconds that earlier commands of the stage have taken.
        clock: tells the time.
    """

    limits: Limits
    stage: str
    before: float
    clock: Clock
    _began: float = field(init=False)
    _heard: float = field(init=False)
    _nearest: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self._began = self._heard = self.clock()

    @property
    def spent(self) -> float:
        """Seconds since the command began."""
        return self.clock() - self._began

    def left(self) -> float | None:
        """Give the seconds for which the next sign of life can be waited for, None for ever.

        Raises:
            Overran: there are none left.
        """
        self._heard = self.clock()
        waits = {"silence-limit": self.limits.silence} if self.limits.silence else {}
        if self.limits.time:
            waits["time-limit"] = self.limits.time - self.before - self.spent
        self._nearest = min(waits, key=lambda setting: waits[setting], default="")
        if waits and waits[self._nearest] <= 0:
            raise self.overran()
        return waits.get(self._nearest)

    def overran(self) -> Overran:
        """Make the exception for a wait in vain, of as long as `left` has said."""
        is_time = self._nearest == "time-limit"
        return Overran(
            Overrun(
                stage=self.stage,
                setting=self._nearest,
                limit=self.limits.time if is_time else self.limits.silence,
                ran=self.before + self.spent,
                silent=self.clock() - self._heard,
            )
        )


class Watch:
    """Adds up what the commands of a stage take."""

    def __init__(self, limits: Limits, clock: Clock = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._stage = ""
        self._spent = 0.0

    def begin(self, stage: str) -> None:
        """Count anew, for the commands of this stage."""
        self._stage, self._spent = stage, 0.0

    @contextmanager
    def command(self) -> Iterator[Patience]:
        """Count the time of a command, which is begun now and ends with the block.

        Before the first stage only silence is limited: what is made ready there serves all
        targets, and is no part of a stage that a user has set a time for.
        """
        limits = self._limits if self._stage else replace(self._limits, time=0.0)
        patience = Patience(limits=limits, stage=self._stage, before=self._spent, clock=self._clock)
        try:
            yield patience
        finally:
            self._spent += patience.spent


def timed_out(overrun: Overrun, running: Sequence[str], tail: Sequence[str]) -> TimedOutError:
    """Make the error for a stage that was ended.

    Args:
        overrun: why.
        running: a line for each process that ran then.
        tail: the last lines of the command's output.
    """
    whose = f"the stage {overrun.stage}" if overrun.stage else "the preparation of the container"
    why = f"said nothing for {span(overrun.limit)}" if overrun.is_silence else ""
    return TimedOutError(
        f"{whose} was ended: it {why or f'took longer than {span(overrun.limit)}'}",
        found="\n".join(
            [
                _spent(overrun),
                *_block("running then, the deepest and busiest first:", running),
                *_block("the last lines of its output:", tail),
            ]
        ),
        hint=f"if that is too little time for it, raise --{overrun.setting} (minutes, 0: no limit)",
    )


def _spent(overrun: Overrun) -> str:
    ran = f"its commands ran for {span(overrun.ran)}"
    if overrun.silent < _PAUSE_SECONDS:
        return f"{ran}, with output to the end"
    return f"{ran}, the last {span(overrun.silent)} without output"


def _block(title: str, lines: Sequence[str]) -> list[str]:
    return [title, *(f"  {line}" for line in lines)] if lines else []


def span(seconds: float) -> str:
    """Write a time: `12 s`, `3 min 05 s`, `1 h 20 min`; full minutes and hours without the rest."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, _HOUR_MINUTES)
    if hours:
        return f"{hours} h {minutes:02d} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"
    return f"{rest} s"
