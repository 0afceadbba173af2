"""Who takes from queues of one name: those of two projects of a tenant, and our own."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest

from app.tasks.observed.fleet import QueueEntry, WorkerEntry, report_queues
from app.tasks.observed.fleet_list import list_queues
from app.tasks.observed.own import OWN, report_own_worker
from app.tasks.queued import why_queued
from app.tasks.slots import Cap
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks
from tests.tasks.reporting import Program

LONG_AGO = "2026-11-30T10:00:00.000000Z"


@pytest.fixture
def projects(tasks: Tasks) -> tuple[Program, Program]:
    """Two of a tenant, each with its own key."""
    mill, shop = (Program(tasks, tenant="acme") for _ in range(2))
    for program in (mill, shop):
        program.reporter = replace(program.reporter, key=str(uuid.uuid4()))
    return mill, shop


def waits(program: Program) -> str:
    task_id = str(uuid.uuid4())
    pending = {"type": "task_status", "status": "PENDING"}
    program.send({"task_id": task_id, "job_type": "tick", "queue": "celery", "events": [pending]})
    return task_id


def reports(program: Program, name: str, slots: int) -> None:
    worker = {"name": name, "slots": slots, "queues": ["celery"]}
    program.send(workers=[worker], queues=[{"name": "celery", "depth": 0}])


def silent(tasks: Tasks, *names: str) -> None:
    """Each worker was killed; nobody reports its queue either."""
    for name in names:
        sql(
            tasks.database,
            f"UPDATE worker_reports SET seen_at = '{LONG_AGO}' WHERE name = %s RETURNING 1",
            name,
        )


def queues(tasks: Tasks) -> list[tuple[int, int, list[str], str | None]]:
    with tasks.connect() as conn, conn.cursor() as cur:
        rows = list_queues(cur, {}, None, 10).rows
    found = [
        (row["consumers"], row["slots"], list(row["workers"]), row["no_worker_since"])
        for row in rows
        if row["name"] == "celery"
    ]
    return sorted(found, key=lambda row: row[1])


def why(tasks: Tasks, task_id: str) -> dict[str, Any] | None:
    with tasks.connect() as conn, conn.cursor() as cur:
        return why_queued(cur, task_id, {"outside": "celery"}, "taskroom", ["celery"], Cap())


def test_workers_of_another_project_do_not_take_from_its_queue(
    tasks: Tasks, projects: tuple[Program, Program]
) -> None:
    mill, shop = projects
    reports(mill, "mill1", 1)
    reports(shop, "shop1", 2)
    of_mill, of_shop = waits(mill), waits(shop)
    both = queues(tasks)
    silent(tasks, "shop1")
    sql(tasks.database, "UPDATE queue_reports SET seen_at = now() - interval '90 s'")

    assert both == [(1, 1, ["mill1"], None), (1, 2, ["shop1"], None)]
    assert queues(tasks) == [(0, 0, [], LONG_AGO), (1, 1, ["mill1"], None)]
    waiting = {"queue": "celery", "depth": 1}
    assert why(tasks, of_shop) == waiting | {"reason": "no_worker", "seen_at": LONG_AGO}
    assert why(tasks, of_mill) == waiting | {"reason": "queued", "slots": 1, "busy": 0}


def test_a_queue_that_another_program_of_the_project_reports_has_its_workers(
    tasks: Tasks, projects: tuple[Program, Program]
) -> None:
    """Its key reports no worker, and that of the workers no queue."""
    monitor, shop = projects
    monitor.send(queues=[{"name": "celery", "depth": 4}])
    shop.send(workers=[{"name": "shop1", "slots": 2, "queues": ["celery"]}])

    assert queues(tasks) == [(1, 2, ["shop1"], None)]
    silent(tasks, "shop1")
    assert queues(tasks) == [(0, 0, [], LONG_AGO)]


def test_tasks_of_a_queue_that_nobody_reports_wait_for_workers_of_their_own_key(
    tasks: Tasks, projects: tuple[Program, Program]
) -> None:
    """Not every broker says how long its queues are."""
    mill, shop = projects
    for program, name in ((mill, "mill1"), (shop, "shop1")):
        program.send(workers=[{"name": name, "slots": 2, "queues": ["celery"]}])
    of_mill, of_shop = waits(mill), waits(shop)
    silent(tasks, "shop1")

    waiting = {"queue": "celery", "depth": None}
    assert why(tasks, of_shop) == waiting | {"reason": "no_worker", "seen_at": LONG_AGO}
    assert why(tasks, of_mill) == waiting | {"reason": "queued", "slots": 2, "busy": 0}


def test_our_own_queue_has_our_own_workers_and_says_since_when_none_is_left(
    tasks: Tasks, projects: tuple[Program, Program]
) -> None:
    _, shop = projects
    shop.send(workers=[{"name": "shop1", "slots": 8, "queues": ["celery"]}])
    with tasks.connect() as conn, conn.cursor() as cur:
        report_queues(cur, OWN, [QueueEntry(name="celery", depth=1)])
        report_own_worker(cur, WorkerEntry(name="ours", slots=4, queues=["celery"]))
    served = queues(tasks)
    silent(tasks, "ours")

    assert served == [(1, 4, ["ours"], None)]
    assert queues(tasks) == [(0, 0, [], LONG_AGO)]
    task_id = tasks.create(job_type="outside")
    assert why(tasks, task_id) == {"queue": "celery", "reason": "no_worker", "seen_at": LONG_AGO}
