"""Why a task waits for a worker."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.stream.event import draft, now, task_stream
from app.tasks import queued
from app.tasks.observed.fleet import WorkerEntry
from app.tasks.observed.own import report_own_worker
from app.tasks.queued import why_queued
from app.tasks.slots import Cap
from tests.stream.helpers import sql
from tests.support.plans import rows_visited
from tests.tasks.helpers import Tasks
from tests.tasks.reporting import Program
from tests.tasks.test_fair_claims import WORKER, message, waiting
from tests.tasks.test_fair_claims import worker as register
from tests.tasks.test_holds import hold

QUEUES = {"emit_load": "taskroom", "artifact": "taskroom", "outside": "elsewhere"}


def worker(tasks: Tasks, slots: int = 2, spare: int = 0, name: str = WORKER) -> None:
    register(tasks, slots, spare, name)
    with tasks.connect() as conn, conn.cursor() as cur:
        report_own_worker(cur, WorkerEntry(name=name, slots=slots, queues=["taskroom"]))


def why(tasks: Tasks, task_id: str) -> dict[str, Any] | None:
    with tasks.connect() as conn, conn.cursor() as cur:
        return why_queued(cur, task_id, QUEUES, "taskroom", ["taskroom", "quick"], Cap())


def test_without_a_worker_it_says_since_when(tasks: Tasks) -> None:
    task_id = tasks.create()
    assert why(tasks, task_id) == {"queue": "taskroom", "reason": "no_worker", "seen_at": None}
    worker(tasks)
    sql(tasks.database, "UPDATE worker_reports SET seen_at = '2026-11-30 10:00:00+00'")

    assert why(tasks, task_id) == {
        "queue": "taskroom",
        "reason": "no_worker",
        "seen_at": "2026-11-30T10:00:00.000000Z",
    }


def test_a_paused_queue_and_drained_workers_say_by_whom(tasks: Tasks) -> None:
    task_id = tasks.create()
    worker(tasks)
    hold(tasks, "worker", WORKER)
    drained = why(tasks, task_id)
    worker(tasks, name="celery@there")
    with_another = why(tasks, task_id)
    hold(tasks, "queue", "taskroom", by="bob@example.org")
    paused = why(tasks, task_id)

    assert drained and drained["reason"] == "drained" and drained["hold"].by == "ann@example.org"
    assert with_another and with_another["reason"] == "queued"
    assert paused and paused["reason"] == "paused" and paused["hold"].by == "bob@example.org"


def test_its_place_is_that_in_the_order_of_claims(tasks: Tasks) -> None:
    """Users take turns: the hundred tasks of one are not all before the first of another."""
    worker(tasks, slots=3)
    ann, bob, eve = tasks.user_id, tasks.add_user(), tasks.add_user()
    anns, bobs = waiting(tasks, ann, 60), waiting(tasks, bob, 4)
    (eves,) = waiting(tasks, eve, 1)
    everybody = [*anns, *bobs, eves]
    claimed = [message(tasks, anns[59]), message(tasks, anns[58])]  # one of two users now runs

    places = {task_id: (why(tasks, task_id) or {}).get("position") for task_id in everybody}

    assert set(claimed) == {anns[0], bobs[0]}
    assert [task_id for task_id, place in places.items() if place == 1] == [eves]
    for task_id in claimed:
        assert places[str(task_id)] is None, "it runs"
    for rest in (anns[1:], bobs[1:]):
        found = [places[task_id] for task_id in rest]
        assert None not in found and found == sorted(found) and len(set(found)) == len(found)  # type: ignore[type-var]
    assert places[anns[1]] == 2 and places[bobs[1]] == 3
    assert places[anns[59]] == 1 + 3 + 59, "all others come before it"


def test_busy_slots_are_told_and_a_user_at_the_cap(tasks: Tasks) -> None:
    worker(tasks, slots=3, spare=1)
    anns = waiting(tasks, tasks.user_id, 3)
    for task_id in anns[:2]:
        assert message(tasks, task_id)
    (bobs,) = waiting(tasks, tasks.add_user(), 1)

    assert why(tasks, anns[2]) == {"queue": "taskroom", "reason": "at_cap", "running": 2, "most": 2}
    assert why(tasks, bobs) == {
        "queue": "taskroom",
        "reason": "queued",
        "position": 1,
        "slots": 3,
        "busy": 2,
    }


def test_far_behind_no_place_is_told(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    worker(tasks)
    monkeypatch.setattr(queued, "MOST", 2)
    anns = waiting(tasks, tasks.user_id, 4)

    assert [(why(tasks, task_id) or {})["position"] for task_id in anns] == [1, 2, None, None]


def test_a_retry_says_when_it_is_due_and_a_queue_without_celery_workers_only_the_place(tasks: Tasks) -> None:
    task_id, outside = tasks.started(), tasks.create(job_type="outside")
    with tasks.transaction() as tx:
        retry = {"timestamp": now(), "status": "RETRY", "is_running": False, "retry_in_seconds": 600}
        tx.append([draft(task_stream(task_id), "task_status", retry)])

    later = why(tasks, task_id)

    assert later and later["reason"] == "later" and later["due_at"].endswith("Z")
    assert why(tasks, outside) == {"queue": "elsewhere", "reason": "queued", "position": 1}


def test_a_task_that_runs_ended_or_is_not_there_waits_for_nothing(tasks: Tasks) -> None:
    running, ended = tasks.started(), tasks.started()
    tasks.end(ended)

    assert [why(tasks, task_id) for task_id in (running, ended, str(uuid.uuid4()))] == [None, None, None]


def test_an_observed_task_has_what_is_reported_of_its_queue(tasks: Tasks) -> None:
    program, task_id = Program(tasks), str(uuid.uuid4())
    pending = {"type": "task_status", "status": "PENDING"}
    program.send({"task_id": task_id, "job_type": "shop.mail", "queue": "mails", "events": [pending]})
    unknown = why(tasks, task_id)
    program.send(queues=[{"name": "mails", "depth": 12}])
    nobody = why(tasks, task_id)
    program.send(workers=[{"name": "shop@one", "slots": 4, "queues": ["mails"]}])
    some = why(tasks, task_id)
    sql(tasks.database, "UPDATE worker_reports SET seen_at = '2026-11-30 10:00:00+00'")

    assert unknown is None
    assert nobody == {"queue": "mails", "depth": 12, "reason": "no_worker", "seen_at": None}
    assert some == {"queue": "mails", "depth": 12, "reason": "queued", "slots": 4, "busy": 0}
    gone = why(tasks, task_id)
    assert gone and (gone["reason"], gone["seen_at"]) == ("no_worker", "2026-11-30T10:00:00.000000Z")


def test_an_observed_task_that_a_worker_has_taken_says_so_also_when_that_worker_is_gone(tasks: Tasks) -> None:
    """Another worker is idle, but the broker gives the message out again only when its time has come."""
    program, task_id = Program(tasks), str(uuid.uuid4())
    pending = {"type": "task_status", "status": "PENDING"}
    program.send({"task_id": task_id, "job_type": "shop.mail", "queue": "mails", "events": [pending]})
    one = {"name": "shop@one", "slots": 2, "queues": ["mails"]}
    program.send(workers=[one | {"waiting": [task_id]}], queues=[{"name": "mails", "depth": 0}])
    held = why(tasks, task_id)
    sql(tasks.database, "UPDATE worker_reports SET seen_at = '2026-11-30 10:00:00+00'")
    program.send(workers=[{"name": "shop@two", "slots": 2, "queues": ["mails"]}])
    gone = why(tasks, task_id)
    program.send(workers=[{"name": "shop@two", "slots": 2, "queues": ["mails"], "waiting": [task_id]}])
    again = why(tasks, task_id)

    taken = {"queue": "mails", "depth": 1, "reason": "taken"}
    assert held and held.pop("seen_at") and held == taken | {"worker": "shop@one", "alive": True}
    seen_at = "2026-11-30T10:00:00.000000Z"
    assert gone == taken | {"worker": "shop@one", "alive": False, "seen_at": seen_at}
    assert again and (again["worker"], again["alive"]) == ("shop@two", True)


def test_among_thousands_few_are_read(tasks: Tasks) -> None:
    worker(tasks)
    first = tasks.create()
    sql(
        tasks.database,
        """WITH s AS (INSERT INTO streams (name) SELECT 'task:' || gen_random_uuid() FROM generate_series(1, 20000)
                      RETURNING id, name)
           INSERT INTO tasks (id, stream_id, user_id, job_type, title, intent, params, trigger, created_at, status)
           SELECT substr(name, 6)::uuid, s.id, user_id, 'emit_load', 'x', 'x', '{}', 'manual', now(), 'PENDING'
           FROM s, tasks WHERE tasks.id = %s RETURNING 1""",
        first,
    )
    sql(
        tasks.database,
        """INSERT INTO dispatches (task_id, number, due_at, next_send_at)
           SELECT id, 1, created_at, created_at FROM tasks
           WHERE NOT EXISTS (SELECT FROM dispatches WHERE task_id = id) RETURNING 1""",
    )
    sql(tasks.database, "ANALYZE dispatches")
    last = tasks.create()
    asked = Cap().values(
        queue="taskroom",
        task=last,
        user=tasks.user_id,
        types=["emit_load"],
        users=queued.USERS,
        counted=queued.MOST,
    )

    with tasks.connect() as conn, conn.cursor() as cur:
        read = rows_visited(cur, "dispatches", queued._PLACE, asked)

    assert read < 500
