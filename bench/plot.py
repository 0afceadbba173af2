"""Draws the figures of the compared servers: bench/results/side-by-side.svg."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")  # no screen is needed

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from bench.figures import OURS, RESULTS, Figure, Results

SHOWN = (
    "CPU per delivery",
    "commit to receipt, p99",
    "delivered once and in order",
    "memory per idle viewer",
)
SHARED = ("quiet-sse", "quiet-socketio", "busy-sse", "busy-socketio", "memory")


def write_plot(results: Results) -> None:
    """Draws one panel a figure. A logarithmic scale keeps the best times distinguishable; the dotted line is the
    target."""
    panels = [f for f in results.figures if f.scenario in SHARED and f.name.startswith(SHOWN) and f.values]
    if not panels:
        return
    columns = 3
    rows = -(-len(panels) // columns)
    plt.rcParams |= {"svg.hashsalt": "taskroom", "svg.fonttype": "none", "font.size": 9}
    figure, axes = plt.subplots(rows, columns, figsize=(4.6 * columns, 1.9 * rows), squeeze=False)
    places = list(axes.flat)
    for place, panel in zip(places, panels, strict=False):
        _panel(place, panel)
    for place in places[len(panels) :]:
        place.axis("off")
    figure.tight_layout()
    # No date, so that the same figures produce the same file.
    figure.savefig(RESULTS / "side-by-side.svg", metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)


def _panel(axes: Axes, figure: Figure) -> None:
    servers = list(figure.values)[::-1]
    values = [figure.values[name] for name in servers]
    colours = ["#1f6feb" if name == OURS else "#8c959f" for name in servers]
    if figure.unit == "ms":  # points, because a bar has no start on a logarithmic scale
        axes.scatter(values, servers, color=colours, zorder=2)
        axes.set_xscale("log")
        axes.set_xlim(min(values) / 3, max(values) * 10)
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.grid(axis="x", color="#d0d7de", zorder=0)
        axes.margins(y=0.3)
    else:
        axes.barh(servers, values, color=colours, height=0.6)
        axes.set_xlim(0, max(values) * 1.3)
    for name, value in zip(servers, values, strict=True):
        text = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
        axes.annotate(text, (value, name), xytext=(6, 0), textcoords="offset points", va="center")
    if figure.target is not None and not figure.at_least:
        axes.axvline(figure.target, color="#d1242f", linewidth=1, linestyle=":", zorder=1)
    title = figure.name if figure.scenario == "memory" else f"{figure.scenario}: {figure.name}"
    axes.set_title(f"{title}, {figure.unit}", fontsize=9, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
