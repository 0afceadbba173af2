"""Writes the table to bench/results/side-by-side.md and to the terminal."""

from __future__ import annotations

import inspect
import os
import platform
from itertools import groupby
from pathlib import Path

from bench.figures import LIMIT, OURS, RESULTS, Figure, Results
from bench.scenarios import SCENARIOS


def write_table(results: Results) -> None:
    lines = ["# Side by side", "", machine(), ""]
    lines += [
        "Method and limits: [bench/README.md](../README.md).",
        "",
        "![The shared runs](side-by-side.svg)",
    ]
    notes: list[str] = []
    for scenario, group in groupby(results.figures, key=lambda figure: figure.scenario):
        figures = list(group)
        lines += ["", f"## {scenario}", "", f"{_about(scenario)} Run {figures[0].at}.", ""]
        lines += [
            "| figure | target | Taskroom | reached | best peer | Taskroom / peer | Taskroom / limit |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [_row(figure, notes) for figure in figures]
        servers = list(dict.fromkeys(name for figure in figures for name in figure.values))
        if len(servers) > 1:
            lines += ["", f"| | {' | '.join(servers)} |", f"|---|{'---|' * len(servers)}"]
            lines += [f"| {_name(f)} | {' | '.join(_cell(f, s, notes) for s in servers)} |" for f in figures]
    if notes:
        lines += ["", "## Read with", "", *(f"{n}. {note}" for n, note in enumerate(notes, 1))]
    if results.absent:
        lines += [
            "",
            "Left out: " + "; ".join(f"{name} ({why})" for name, why in results.absent.items()) + ".",
        ]
    text = "\n".join(lines)
    print(text)
    (RESULTS / "side-by-side.md").write_text(text + "\n")


def machine() -> str:
    names = [x.partition(":")[2] for x in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in x]
    return (
        f"{os.cpu_count()} cores ({names[0].strip() if names else platform.machine()}), "
        f"Linux {platform.release().split('-')[0]}, Python {platform.python_version()}; "
        "server, publisher, load client, Postgres and Redis share them."
    )


def _about(scenario: str) -> str:
    return " ".join((inspect.getdoc(SCENARIOS[scenario]) or "").split())


def _row(figure: Figure, notes: list[str]) -> str:
    peer, ours = figure.best_peer, _cell(figure, OURS, notes)
    reached = {None: "", True: "yes", False: "**no**"}[figure.reached]
    best = f"{_cell(figure, peer, notes)} ({peer})" if peer else ""
    ratios = f"{_ratio(figure, peer)} | {_ratio(figure, LIMIT)}"
    return f"| {_name(figure)} | {_target(figure)} | {ours} | {reached} | {best} | {ratios} |"


def _ratio(figure: Figure, other: str | None) -> str:
    """Returns Taskroom's value divided by the other's."""
    if OURS not in figure.values or other is None or not figure.values.get(other):
        return ""
    return f"{figure.values[OURS] / figure.values[other]:.2f}"


def _name(figure: Figure) -> str:
    return f"{figure.name}, {figure.unit}" if figure.unit else figure.name


def _target(figure: Figure) -> str:
    if figure.target is None:
        return ""
    return f"{'≥' if figure.at_least else '≤'} {_number(figure.target)}"


def _cell(figure: Figure, server: str, notes: list[str]) -> str:
    if server not in figure.values:
        return "–"
    text = _number(figure.values[server])
    if server in figure.doubts:
        note = f"{figure.scenario}, {server}: {figure.doubts[server]}"
        if note not in notes:
            notes.append(note)
        text += f" [{notes.index(note) + 1}]"
    return text


def _number(value: float) -> str:
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
