"""Batches of a worker over REST: each is stored once, whole or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from tests.api.answers import problem
from tests.api.external import DONE, STARTED, Worker, accepted, line
from tests.support.system import System, User


def test_a_repeat_stores_nothing_twice_and_is_answered_the_same(user: User, worker: Worker) -> None:
    first = accepted(worker.send(line("once"), line("twice")))
    head = user.status(worker.task_id)["sequence"]

    again = accepted(worker.again(line("once"), line("twice")))
    ended = accepted(worker.send(DONE))
    after_the_end = accepted(worker.again(DONE))

    assert again == first
    assert first["sequences"] == [head - 1, head]
    assert after_the_end == ended
    assert [e["type"] for e in user.events(worker.task_id)].count("agent_completed") == 1


def test_the_same_claim_again_is_answered_the_same(user: User, service: User, waiting: str) -> None:
    worker = Worker(service, waiting)

    first, again = accepted(worker.send(STARTED)), accepted(worker.again(STARTED))

    assert again == first and "claim" in first
    assert [e["type"] for e in user.events(waiting)].count("agent_started") == 1


def test_of_repeats_at_once_one_is_stored_and_all_are_answered_the_same(user: User, worker: Worker) -> None:
    for n in range(5):
        worker.batch += 1
        events = [line(f"{n}.{k}") for k in range(20)]
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _, e=events: accepted(worker.again(*e)), range(6)))  # type: ignore[misc]
        assert all(answer == answers[0] for answer in answers)

    stored = [e["data"]["message"] for e in user.events(worker.task_id) if e["type"] == "log"]
    assert stored == [f"{n}.{k}" for n in range(5) for k in range(20)]


def test_a_number_that_is_neither_the_next_nor_the_last_is_refused(user: User, worker: Worker) -> None:
    worker.send(line("two"))
    head = user.status(worker.task_id)["sequence"]

    next_batch = worker.batch + 1
    late = problem(worker.again(line("x"), batch=worker.batch + 2), 409)
    early = problem(worker.again(line("x"), batch=worker.batch - 1), 409)
    unknown = problem(worker.again(line("x"), writer="unknown", batch=7), 409)
    other = problem(worker.again(line("something else")), 409)

    assert "other content" in other["detail"]
    assert [p["next_batch"] for p in (late, early, unknown, other)] == [next_batch, next_batch, 1, next_batch]
    assert user.status(worker.task_id)["sequence"] == head


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (line("x", level="LOUD"), "level"),
        (line("x", sequence=7), "sequence"),
        ({"type": "log", "message": 7}, "message"),
        ({"type": "agent_started"}, "type"),
        ({"type": ["log"]}, "type"),
        ({}, "type"),
        ({"type": "phase_update", "phase_id": "a\nb", "status": "active"}, "phase_id"),
        ({"type": "phase_update", "phase_id": "a", "status": "begun"}, "status"),
        ({"type": "phase_complete", "phase_id": "a", "processed_count": -1}, "processed_count"),
        ({"type": "phase_complete", "phase_id": "a", "total_count": 10**30}, "total_count"),
        ({"type": "task_status", "status": "WAITING"}, "status"),
        ({"type": "task_status", "status": "STARTED", "progress": 101}, "progress"),
        ({"type": "task_status", "status": "FAILURE", "error": {"type": "x"}}, "error.message"),
        (line("x", timestamp="yesterday"), "timestamp"),
    ],
)
def test_what_is_malformed_is_refused_whole_by_its_name(
    user: User, worker: Worker, event: dict[str, Any], field: str
) -> None:
    head = user.status(worker.task_id)["sequence"]

    body = problem(worker.send(line("good"), line("good"), line("good"), event), 422, f"events.3.{field}")

    assert set(body["errors"]) == {f"events.3.{field}"}
    assert user.status(worker.task_id)["sequence"] == head


def test_a_batch_has_limits(worker: Worker) -> None:
    problem(worker.send(*[line("x")] * 1001), 422, "events")
    problem(worker.again(*[line("x" * 10_000)] * 110), 422, "events")
    problem(worker.again(DONE, line("after the end")), 422, "events.0.status")
    phases = [{"type": "phase_update", "phase_id": f"p{n}", "status": "active"} for n in range(501)]
    problem(worker.again(*phases), 422, "events.500.phase_id")
    for name, value in (("batch", 0), ("attempt", "1"), ("writer", ""), ("events", [7]), ("more", 1)):
        problem(worker.again(**{name: value}), 422)

    assert len(accepted(worker.again(*[line("x")] * 1000))["sequences"]) == 1000


def test_nobody_counts_with_the_writer_of_another(system: System, user: User, worker: Worker) -> None:
    with closing(system.user("worker").client) as client:
        body = {"writer": worker.writer, "batch": 2, "attempt": 1, "events": [line("x")]}
        problem(client.post(f"/api/v2/tasks/{worker.task_id}/events", json=body), 409)

    assert accepted(worker.send(line("mine")))["sequences"]
