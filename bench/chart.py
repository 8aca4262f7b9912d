"""The chart of results.md: seconds of each source and way, on a logarithmic scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.figures import Figures, seconds
from bench.model import Way

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.model import Results

_BARS = {
    Way.CIBUILDWHEEL: "#9a3324",
    Way.EMULATED: "#d98a6a",
    Way.ACCELERATED: "#1f6f5c",
    Way.GCC: "#8a94a6",
    Way.CLANG: "#c3c9d4",
}
#: The file is the same for the same figures: no date, no random ids.
_STYLE = {
    "svg.hashsalt": "aarch64-wheels",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_THICKNESS = 0.16


def draw(results: Results, path: Path) -> None:
    """Draw the medians of all sources that were measured to an SVG file."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    figures = Figures(measurements=results.measurements)
    names = [entry.partition(" ")[0] for entry in results.sources]
    with mpl.rc_context(_STYLE):
        figure, axes = plt.subplots(figsize=(9, 1.2 + 1.05 * len(names)), layout="constrained")
        _bars(axes, figures, names)
        _label(axes, names)
        figure.savefig(path, metadata={"Date": None, "Creator": None})
        plt.close(figure)


def _bars(axes: Any, figures: Figures, names: Sequence[str]) -> None:
    for number, (way, color) in enumerate(_BARS.items()):
        medians = [figures.median(name, way, seconds) for name in names]
        places = [row + (number - len(_BARS) / 2 + 0.5) * _THICKNESS for row in range(len(names))]
        shown = [(place, value) for place, value in zip(places, medians, strict=True) if value]
        if not shown:
            continue
        heights, widths = zip(*shown, strict=True)
        bars = axes.barh(heights, widths, height=_THICKNESS * 0.9, color=color, label=way.label)
        axes.bar_label(bars, labels=[f"{value:.3g} s" for value in widths], padding=3, fontsize=7)


def _label(axes: Any, names: Sequence[str]) -> None:
    axes.set_xscale("log")
    axes.margins(x=0.12, y=0.02)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("environment + build + repair, seconds (logarithmic scale), less is better")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid(visible=True, axis="x", color="#e5e5e5", linewidth=0.6)
    axes.set_axisbelow(True)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, ncols=len(_BARS), loc="lower center", bbox_to_anchor=(0.5, 1.0))
