"""Strategies that property tests share: what a project may write, in all forms it may take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from aarch64_wheels.settings.cibuildwheel import read_cibuildwheel
from aarch64_wheels.settings.layers import Layers, collect
from aarch64_wheels.settings.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The same examples every time, as they come (to shrink one can take minutes), and no deadline:
#: a loaded machine is no fault.
thorough = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=150,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
#: For those that start a process each time.
slow = settings(thorough, max_examples=40)

IDENTIFIERS = tuple(
    f"{tag}-{libc}_aarch64"
    for tag in ("cp39", "cp311", "cp313", "cp314t", "pp311")
    for libc in ("manylinux", "musllinux")
)

_PIECES = (
    *("cp", "pp", "3", "39", "31", "313", "314", "t", "-", "*", "?", "[0-9]", "[!3]", "[", "]"),
    *("{13,14}", "{39,31{0..2}}", "{", "}", ",", "manylinux", "musllinux", "linux_", "_aarch64"),
)
#: Globs as projects have them, and any that are put together of their pieces.
globs = st.one_of(
    st.sampled_from(("*", "cp3*", "cp313-*", "*-musllinux_*", "cp3{9,10,14t}-*", "pp*", "*t-*")),
    st.lists(st.sampled_from(_PIECES), min_size=1, max_size=6).map("".join),
)


def lists_or_text(items: st.SearchStrategy[str]) -> st.SearchStrategy[str | list[str]]:
    """Give words as a list, or as one text."""
    lists = st.lists(items, max_size=3)
    return st.one_of(lists, lists.map(" ".join))


def project_layers(
    table: Mapping[str, Any],
    environ: Mapping[str, str] | None = None,
    own: Mapping[str, Any] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Layers:
    """Give the layers of a project that is set up for cibuildwheel."""
    above = collect(flags or {}, environ or {}, Tables(ours=own or {}), Path("cache"))
    theirs = read_cibuildwheel(table, "pyproject.toml", environ or {})
    return replace(above, rows=(*theirs.layers, *above.rows), for_cibuildwheel=True)
