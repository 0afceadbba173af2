"""A batch of a thousand events is made ready and folded in pieces, between which others run."""

from __future__ import annotations

import itertools
import uuid
from types import SimpleNamespace

import pytest

from app.stream import background
from app.stream.event import draft, now, task_stream
from app.tasks import external_batches
from app.tasks.reported import Line, ReportedEvent, Status
from tests.tasks.helpers import Tasks

EVENTS, PHASES = 1_000, 500


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr(background, "time", SimpleNamespace(sleep=pauses.append, monotonic=lambda: 0.0))
    return pauses


def test_others_run_while_the_events_of_many_phases_are_folded(tasks: Tasks, pauses: list[float]) -> None:
    task_id = tasks.started()
    fields = {"timestamp": now(), "status": "active", "message": "m"}

    tasks.append(
        [
            draft(task_stream(task_id), "phase_update", fields | {"phase_id": f"p{n % PHASES}"}, attempt=1)
            for n in range(EVENTS)
        ]
    )

    assert len(pauses) == EVENTS // 100 + 2 * PHASES // 100, (
        "and while the rows of phases and sections are made"
    )
    assert len(tasks.state(task_id)["phases"]) == PHASES


def test_others_run_while_a_worker_s_batch_is_made_ready(tasks: Tasks, pauses: list[float]) -> None:
    """A plan of a hundred phases, all of which each event looks at, made the loop wait for 130 ms."""
    task_id, writer, numbers = tasks.create(), str(uuid.uuid4()), itertools.count(1)

    def store(*events: ReportedEvent) -> external_batches.Answer:
        batch = external_batches.ExternalBatch(task_id, 1, writer, next(numbers), "w", "digest", events)
        with tasks.transaction() as tx:
            return external_batches.store_batch(tx, batch, lambda job_type: {}, lambda job_type: None)

    store(Status(status="STARTED"))
    pauses.clear()
    answer = store(*[Line(message="x")] * EVENTS)

    assert len(answer["sequences"]) == EVENTS
    assert len(pauses) == EVENTS // 50
