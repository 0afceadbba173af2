"""What the bar of the whole run says of its time."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress

from taskroom.cli import bars
from taskroom.cli.fold import State
from tests.support.clock import Clock


def of(**task: Any) -> State:
    fields = {
        "title": "Books",
        "status": "STARTED",
        "progress": 40.0,
        "progress_known": True,
        "eta_seconds": None,
        "started_at": "2026-01-02T03:04:00Z",
        "updated_at": "2026-01-02T03:04:25Z",
        "usual": {"runs": 3, "seconds": 24.0, "p95_seconds": 41.0},
    }
    return State({"task": fields | task, "phases": [], "sequence": 1})


def said(state: State) -> str:
    progress = Progress(bars.Message(), console=Console())
    progress.add_task(**bars.whole(state))
    return bars.Message().render(progress.tasks[0]).plain


def test_what_is_left_passes_between_events(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(bars, "time", clock)
    progress = Progress(bars.Message(), console=Console())
    progress.add_task(**bars.whole(of(eta_seconds=15.0)))
    seen = []

    for _ in range(3):
        seen.append(bars.Message().render(progress.tasks[0]).plain)
        clock.now += 10

    assert seen == ["15s left", "5.0s left", ""]


def test_without_an_estimate_a_run_is_longer_than_usual_after_the_median() -> None:
    assert said(of()) == "longer than usual"
    assert said(of(updated_at="2026-01-02T03:04:24Z")) == ""
    assert said(of(attempt_started_at="2026-01-02T03:04:10Z")) == ""
    assert said(of(usual={"runs": 2, "seconds": 1.0, "p95_seconds": 1.0})) == said(of(usual=None)) == ""
    assert said(of(status="SUCCESS")) == ""
