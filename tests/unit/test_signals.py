from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels import signals

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    old = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in old.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("number", "error"),
    [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, signals.Terminated)],
)
def test_each_signal_is_raised(number: signal.Signals, error: type[BaseException]) -> None:
    signals.install()
    with pytest.raises(KeyboardInterrupt) as caught:
        signal.raise_signal(number)
    assert caught.type is error


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_a_later_sigterm_does_not_cut_the_ending_short(first: signal.Signals) -> None:
    signals.install()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(first)
    signal.raise_signal(signal.SIGTERM)


def test_a_second_ctrl_c_does() -> None:
    signals.install()
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_an_ignored_sigint_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signals.install()
    signal.raise_signal(signal.SIGINT)
