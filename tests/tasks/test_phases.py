"""Phases of a task whose attempts have different ones: all are rows of the task."""

from __future__ import annotations

import pytest

from app.tasks import reports
from taskroom import runs
from taskroom.runs import FURTHER
from tests.tasks.helpers import Tasks
from tests.workers.kept import Kept
from workers.run import Run

LIMIT = 5


def attempt(tasks: Tasks, task_id: str, number: int, names: list[str]) -> None:
    """Reports these phases and ends in RETRY."""
    claim, kept = tasks.claim(task_id, number), Kept()
    assert claim
    run = Run(claim, kept)  # type: ignore[arg-type]
    for name in names:
        run.end(run.begin(name, None, ""))
    tasks.append(kept.drafts)
    tasks.end(task_id, "RETRY", attempt=number, retry_in=0)


def test_the_phases_of_all_attempts_of_a_task_are_limited(
    tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (reports, runs):
        monkeypatch.setattr(module, "PHASE_LIMIT", LIMIT)
    task_id = tasks.create()

    for number in (1, 2, 3):
        attempt(tasks, task_id, number, [f"{number}.{n}" for n in range(3)])
    attempt(tasks, task_id, 4, ["1.0", "4.0", "1.1", FURTHER])

    phases = tasks.state(task_id)["phases"]
    assert [phase["phase_id"] for phase in phases] == ["1.0", "1.1", "1.2", "2.0", "2.1", FURTHER]
    assert {phase["status"] for phase in phases} == {"completed"}
