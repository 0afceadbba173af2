"""Replays the recorded runs of ``eta.json`` and compares the estimates with what came.

``python -m tests.vectors.replay_eta`` writes the table of docs/eta.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from app.tasks.fold import RETRY, State, empty, fold
from app.tasks.history import EarlierRun, Span, earlier_run
from app.tasks.plan import Forecast, forecast
from app.tasks.progress_estimate import ProgressEstimate
from app.tasks.reported_drafts import EventClock
from tests.vectors.record_eta import FILE, SHAPES

KNOWN = 3  # the earlier runs of each shape
CLOSE = 0.3  # of what was left
MOMENTS = (0.1, 0.25, 0.5, 0.75)  # shares of the time that the run took
DOC = Path(__file__).parents[2] / "docs" / "eta.md"
BEGIN, END = "<!-- made by tests/vectors/replay_eta.py -->\n", "<!-- end of the table -->"


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is said at a moment of a run: the seconds that are left, and those that were."""

    shape: str
    moment: float
    said: float | None
    left: float

    @property
    def error(self) -> float:
        """The share of what was left by which the estimate is wrong; 1 without an estimate."""
        return 1.0 if self.said is None else abs(self.said - self.left) / self.left

    @property
    def close(self) -> bool:
        return self.error <= CLOSE


def estimates() -> list[Estimate]:
    runs = json.loads(FILE.read_text())
    return [found for shape in SHAPES for found in _of_shape(shape, [r for r in runs if r["shape"] == shape])]


def table(found: Sequence[Estimate]) -> str:
    heads = " | ".join(f"after {moment:.0%}" for moment in MOMENTS)
    rows = [
        f"| shape | {heads} | median error after {MOMENTS[0]:.0%} |",
        "|---|" + "---|" * (len(MOMENTS) + 1),
    ]
    for shape in (*SHAPES, "all"):
        of_shape = [each for each in found if shape in (each.shape, "all")]
        cells = []
        for moment in MOMENTS:
            at = [each for each in of_shape if each.moment == moment]
            cells.append(f"{sum(each.close for each in at)} of {len(at)}")
        wrong = median(each.error for each in of_shape if each.moment == MOMENTS[0])
        rows.append(f"| {shape.replace('_', ' ')} | {' | '.join(cells)} | {wrong:.0%} |")
    return "\n".join(rows) + "\n"


def _of_shape(shape: str, runs: Sequence[Mapping[str, Any]]) -> Iterator[Estimate]:
    earlier = [_earlier(run["events"]) for run in runs[:KNOWN]]
    expected = forecast({}, earlier)
    for run in runs[KNOWN:]:
        yield from _of_run(shape, run["events"], expected)


def _of_run(shape: str, events: Sequence[Mapping[str, Any]], expected: Forecast) -> Iterator[Estimate]:
    said = list(_said(events, expected))
    begin, end = said[0][0], _seconds(events[-1]["timestamp"])
    for moment in MOMENTS:
        now = begin + moment * (end - begin)
        at, eta = [pair for pair in said if pair[0] <= now][-1]
        left = None if eta is None or eta <= now - at else eta - (now - at)
        yield Estimate(shape, moment, left, end - now)


def _said(events: Sequence[Mapping[str, Any]], expected: Forecast) -> Iterator[tuple[float, float | None]]:
    """Returns when something is said of the remaining time, as the events of a run come, and what."""
    clock = EventClock(events[0]["timestamp"])
    estimate, retries = ProgressEstimate(expected.plan, expected.usual, clock=clock), 0
    for event in events:
        clock.advance(event["timestamp"])
        if event["type"] != "task_status":
            estimate.apply(event["phase_id"], event)
        elif event.get("attempt"):
            estimate = ProgressEstimate(expected.plan, expected.usual, retries, clock)
        elif event["status"] == RETRY:
            retries += 1
            yield clock(), None
            continue
        yield clock(), estimate.eta


def _earlier(events: Sequence[Mapping[str, Any]]) -> EarlierRun:
    state: State = empty()
    begins = [_seconds(event["timestamp"]) for event in events if event.get("attempt")]
    for number, event in enumerate(events):
        state = fold(state, event["type"], {**event, "sequence": number})
    spans = [
        Span(
            p["phase_id"],
            n,
            _seconds(p["started_at"]),
            _seconds(p["updated_at"]),
            p["total_count"],
            p["half_seconds"],
        )
        for n, p in enumerate(state["phases"])
    ]
    run = earlier_run(spans, begins[0], _seconds(events[-1]["timestamp"]), len(begins) - 1, begins[-1])
    assert run is not None
    return run


def _seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()


def main() -> None:
    found = table(estimates())
    before, _, rest = DOC.read_text().partition(BEGIN)
    DOC.write_text(before + BEGIN + found + END + rest.partition(END)[2])
    print(found)


if __name__ == "__main__":
    main()
