"""What waits in the queues of those who report, and what a worker that is gone was running."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from app.tasks.observed import waiting
from app.tasks.observed.fleet_list import list_queues, list_workers
from tests.stream.helpers import sql
from tests.support.plans import rows_visited
from tests.tasks.helpers import Tasks
from tests.tasks.reporting import Program

PENDING = {"type": "task_status", "status": "PENDING"}
STARTED = {"type": "task_status", "status": "STARTED"}
DONE = {"type": "task_status", "status": "SUCCESS"}


def sent(program: Program, *events: dict[str, Any], queue: str = "mails") -> str:
    """A task of the queue. Without events it waits."""
    task_id = str(uuid.uuid4())
    part = {"task_id": task_id, "job_type": "shop.mail", "queue": queue, "events": list(events) or [PENDING]}
    program.send(part | ({"attempt": "one"} if events else {}))
    return task_id


def queues(tasks: Tasks) -> list[tuple[str, int, int, bool]]:
    with tasks.connect() as conn, conn.cursor() as cur:
        rows = list_queues(cur, {}, None, 10).rows
    return [
        (row["name"], row["depth"], row["known_waiting"], row["oldest_wait_seconds"] is None) for row in rows
    ]


def test_a_message_that_a_worker_has_taken_still_waits(tasks: Tasks) -> None:
    """The broker says that its queue is empty."""
    program = Program(tasks)
    sent(program), sent(program), sent(program, STARTED), sent(program, queue="other")
    sql(tasks.database, "UPDATE tasks SET created_at = now() - interval '90 s' WHERE status = 'PENDING'")

    program.send(queues=[{"name": "mails", "depth": 0}, {"name": "quiet", "depth": 0}])
    empty = queues(tasks)
    with tasks.connect() as conn, conn.cursor() as cur:
        oldest = list_queues(cur, {}, None, 10).rows[0]["oldest_wait_seconds"]
    program.send(queues=[{"name": "mails", "depth": 9, "oldest_wait_seconds": 1e6}])

    assert empty == [("mails", 2, 2, False), ("quiet", 0, 0, True)]
    assert oldest >= 90
    assert queues(tasks)[0] == ("mails", 9, 2, False), "others than the reported ones wait too"


def test_a_queue_whose_workers_are_gone_goes_on_to_grow(tasks: Tasks) -> None:
    program = Program(tasks)
    program.send(queues=[{"name": "mails", "depth": 5, "oldest_wait_seconds": 12.0}])
    sql(tasks.database, "UPDATE queue_reports SET seen_at = now() - interval '90 s'")
    before = queues(tasks)
    grown = [(sent(program), queues(tasks)[0][1:3])[1] for _ in range(6)]

    assert before == [("mails", 5, 0, False)], "what was said last"
    assert grown == [(n, n) for n in range(1, 7)]


def test_two_projects_of_a_tenant_have_each_its_own_queue_of_the_same_name(tasks: Tasks) -> None:
    one, two = Program(tasks, tenant="acme"), Program(tasks, tenant="acme")
    two.reporter = replace(two.reporter, key=str(uuid.uuid4()))
    for program, number in ((one, 1), (two, 2)):
        for _ in range(number):
            sent(program)
    one.send(queues=[{"name": "mails", "depth": 0}])
    alone = queues(tasks)
    two.send(queues=[{"name": "mails", "depth": 0}])

    assert alone == [("mails", 3, 3, False)], "tasks may be sent with another key than that of the worker"
    assert sorted(queues(tasks)) == [("mails", 1, 1, False), ("mails", 2, 2, False)]


def test_others_tasks_do_not_count_and_few_rows_are_read(tasks: Tasks) -> None:
    program = Program(tasks)
    first = sent(program)
    program.send(queues=[{"name": "mails", "depth": 0}])
    copy = """WITH s AS (INSERT INTO streams (name) SELECT 'task:' || gen_random_uuid() FROM generate_series(1, 3000)
                         RETURNING id, name)
              INSERT INTO tasks (id, stream_id, user_id, job_type, title, intent, params, trigger, created_at, status,
                  observed, queue, reporter)
              SELECT substr(name, 6)::uuid, s.id, %s, job_type, title, intent, params, trigger, created_at, status,
                  observed, queue, reporter FROM s, tasks WHERE tasks.id = %s RETURNING 1"""
    sql(tasks.database, copy, tasks.add_user(), first)
    foreign = queues(tasks)
    sql(tasks.database, copy, tasks.user_id, first)
    sql(tasks.database, "ANALYZE tasks")
    ((queue,),) = sql(tasks.database, "SELECT id::text FROM queue_reports")

    with tasks.connect() as conn, conn.cursor() as cur:
        read = rows_visited(cur, "tasks", waiting._WAITING, {"queues": [queue], "most": waiting.MOST})

    assert foreign == [("mails", 1, 1, False)]
    assert queues(tasks) == [("mails", 1_000, 1_000, False)]
    assert read <= 1_000


def test_a_worker_that_is_gone_was_running_what_has_not_ended(tasks: Tasks) -> None:
    program = Program(tasks)
    ended, lost, open_ = (sent(program, PENDING, STARTED) for _ in range(3))
    program.send(workers=[{"name": "shop@one", "running": [ended, lost, open_]}])

    def row() -> tuple[bool, int, list[str], list[str]]:
        with tasks.connect() as conn, conn.cursor() as cur:
            (row,) = list_workers(cur, {}, None, 10).rows
        return row["alive"], row["busy"], row["running"], [task["task_id"] for task in row["tasks"]]

    all_three = row()
    program.send({"task_id": ended, "attempt": "one", "events": [DONE]})
    two = [lost, open_]
    alive = row()
    sql(tasks.database, "UPDATE worker_reports SET seen_at = now() - interval '90 s'")
    sql(
        tasks.database,
        "INSERT INTO lost_attempts (task_id, attempt, worker_id) SELECT %s, 1, id FROM worker_reports RETURNING 1",
        lost,
    )

    assert (all_three[1], set(all_three[2])) == (3, {ended, *two})
    assert (alive[:2], set(alive[2]), set(alive[3])) == ((True, 2), set(two), set(two))
    assert row() == (False, 1, [open_], [open_])
