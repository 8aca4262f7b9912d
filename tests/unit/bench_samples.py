"""Measurements as a run makes them."""

from __future__ import annotations

from bench.model import Measurement, Results, Stages, Way
from bench.sources import Source

KIWI = Source(name="kiwi", version="1.0", about="C++", main=True, slow_rounds=1)
CHERRY = Source(name="cherry", version="2.1", about="C", slow_rounds=2)


def measured(
    seconds: float,
    *,
    source: str = "kiwi",
    way: Way = Way.ACCELERATED,
    number: int = 1,
    cold: bool = False,
    error: str = "",
) -> Measurement:
    """A tenth of it in the environment, a tenth in the repair; the command takes a second more."""
    stages = Stages(environment=seconds / 10, build=seconds * 0.8, repair=seconds / 10)
    return Measurement(
        source=source,
        round=number,
        way=way,
        stages=Stages() if error else stages,
        cold=cold,
        wall=0.0 if error else seconds + 1.0,
        wheel="" if error else f"{source}-1.0-cp313-cp313-linux_aarch64.whl",
        error=error,
    )


def results(*measurements: Measurement, heavy: str = "") -> Results:
    return Results(
        started="2026-01-02T03:04:05+00:00",
        machine={"CPU": "a fast one", "cores": "2"},
        sources=("kiwi 1.0", "cherry 2.1"),
        rounds=2,
        python="cp313",
        heavy=heavy,
        measurements=measurements,
        complete=True,
    )
