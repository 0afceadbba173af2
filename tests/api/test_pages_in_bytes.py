"""A page has an end in bytes, whatever is in its rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from app.inbox import store as inbox
from app.tasks.logs import LogPage, logs_after, logs_before
from app.tasks.observed.fleet_list import list_queues, list_workers
from app.tasks.snapshot import snapshot
from app.webhooks import delivery_queue
from tests.stream.helpers import line
from tests.support.system import System, User
from tests.tasks.helpers import Tasks

FILL = """INSERT INTO notifications
    (id, user_id, sequence, notification_type, title, message, urgent, metadata, created_at)
SELECT gen_random_uuid(), %s, n, 'info', 'Title', repeat('x', 10000), false, '{}', now()
FROM generate_series(1, 201) AS n"""
TASKS = """WITH made AS (SELECT gen_random_uuid() AS id FROM generate_series(1, 200)),
kept AS (INSERT INTO streams (name, last_seq, closed) SELECT 'task:' || id, 1, true FROM made RETURNING id, name)
INSERT INTO tasks (id, stream_id, user_id, job_type, title, intent, params, trigger, created_at, status)
SELECT made.id, kept.id, %s::uuid, 'emit_load', repeat('x', 255), 'execute_command', %s, 'manual', now(), 'SUCCESS'
FROM made JOIN kept ON kept.name = 'task:' || made.id"""


def test_a_page_of_two_hundred_tasks_with_the_largest_parameters_is_less_than_a_megabyte(
    system: System, user: User
) -> None:
    params = {"text": "x" * (64 * 1024 - len('{"text":""}'))}
    system.sql(TASKS, user.id, Json(params))

    page = user.client.get("/api/v2/tasks?limit=200")

    assert len(orjson.dumps(params)) == 64 * 1024
    assert len(page.json()["tasks"]) == 200 and page.json()["next"] is None
    assert len(page.content) < 1_000_000


def test_two_hundred_tasks_with_the_longest_texts_come_in_pages_of_a_megabyte(
    system: System, user: User
) -> None:
    system.sql(TASKS, user.id, Json({}))
    system.sql(
        """UPDATE tasks SET title = repeat('ä', 255), current_phase = repeat('ä', 128),
           current_phase_message = repeat('€', 2000) WHERE user_id = %s""",
        user.id,
    )

    pages = [user.client.get("/api/v2/tasks?limit=200")]
    while cursor := pages[-1].json()["next"]:
        pages.append(user.client.get("/api/v2/tasks", params={"limit": 200, "cursor": cursor}))

    assert max(len(page.content) for page in pages) < 1_000_000 + 7_500, "with one task more"
    assert len({task["task_id"] for page in pages for task in page.json()["tasks"]}) == 200


def test_two_hundred_long_notifications_come_in_pages_of_a_megabyte(system: System, user: User) -> None:
    system.sql(FILL, user.id)

    first = user.client.get("/api/v2/notifications?limit=200")
    pages = [first.json()]
    while pages[-1]["next"]:
        pages.append(user.get("notifications", limit=200, cursor=pages[-1]["next"]))

    assert len(first.content) < 1_100_000
    assert [n["sequence"] for page in pages for n in page["notifications"]] == list(range(201, 0, -1))


def test_the_newest_lines_of_a_snapshot_are_a_megabyte_at_most(here: Tasks) -> None:
    task_id = here.started()
    for n in range(40):
        here.append([line(f"task:{task_id}", f"{n:02} " + "\u2028" * 16_000, attempt=1)])

    found = snapshot(here.connect, task_id)

    assert found is not None
    lines = [log["message"][:2] for log in found["recent_logs"]]
    assert lines == [f"{n:02}" for n in range(40 - len(lines), 40)]
    assert 5 <= len(lines) <= 11, "each takes 96,000 bytes"


class Weighing(Cursor):
    """Knows how much it was sent."""

    most: int

    def fetchall(self) -> list[tuple[Any, ...]]:
        rows = super().fetchall()
        self.most = max(self.most, sum(len(str(value)) for row in rows for value in row))
        return rows


@pytest.mark.parametrize("back", [False, True])
def test_of_a_log_of_long_lines_no_more_than_a_page_is_read_at_a_time(here: Tasks, back: bool) -> None:
    task_id = here.started()
    for n in range(60):
        here.append([line(f"task:{task_id}", f"{n:02} " + "\u2028" * 16_000, attempt=1)])
    read: Callable[..., LogPage] = logs_before if back else logs_after
    pages: list[LogPage] = []

    with here.connect() as connection, connection.cursor(cursor_factory=Weighing) as cur:
        cur.most = 0
        while not pages or pages[-1].has_more:
            last = pages[-1] if pages else LogPage([], 2**40, 0, True)
            pages.append(read(cur, task_id, last.before if back else last.after, 1_000))

    assert cur.most < 1_200_000, "each line takes 96,000 bytes, all of them six millions"
    in_order = pages[::-1] if back else pages
    assert [log["message"][:2] for page in in_order for log in page.logs] == [f"{n:02}" for n in range(60)]


WORKERS = """INSERT INTO worker_reports (id, user_id, name, queues, running, versions)
SELECT gen_random_uuid(), %(user)s, 'w' || lpad(n::text, 3, '0'),
    array(SELECT repeat('q', 200) FROM generate_series(1, 50)),
    array(SELECT gen_random_uuid() FROM generate_series(1, 500)),
    (SELECT json_object_agg(k, repeat('v', 200)) FROM generate_series(1, 50) AS k)
FROM generate_series(1, 201) AS n"""
QUEUES = """INSERT INTO queue_reports (id, user_id, name, depth)
SELECT gen_random_uuid(), %(user)s, 'q' || lpad(n::text, 3, '0'), n FROM generate_series(1, 201) AS n"""
HOOKS = """INSERT INTO webhooks (id, user_id, url, event_types, secret)
VALUES (%(hook)s, %(user)s, 'https://example.org', '{}', 'x')"""
DELIVERIES = """INSERT INTO deliveries (webhook_id, event_type, payload, status, created_at, due_at, log)
SELECT %(hook)s, 'notification', '{}', 'failed', now() - n * interval '1 s', NULL,
    (SELECT json_agg(json_build_object('number', k, 'response', repeat('x', 1000))) FROM generate_series(1, 10) AS k)
FROM generate_series(1, 201) AS n"""
HOOK = "00000000-0000-0000-0000-00000000000a"


def test_of_a_list_of_long_rows_no_more_than_a_page_is_read_at_a_time(here: Tasks) -> None:
    values = {"user": here.user_id, "hook": HOOK}
    with here.connect() as connection, connection.cursor() as cur:
        for statement in (WORKERS, QUEUES, HOOKS, DELIVERIES):
            cur.execute(statement, values)
        cur.execute(FILL, [here.user_id])
    whose = {"user_id": here.user_id}

    def fleet(read: Any) -> Callable[..., tuple[list[Any], Any]]:
        return lambda cur, before: read(cur, whose, before, 200)

    def deliveries(cur: Cursor, before: Any) -> tuple[list[Any], Any]:
        rows, more = delivery_queue.page(cur, HOOK, before, 200)
        return rows, (rows[-1]["created_at"], rows[-1]["id"]) if more else None

    def notifications(cur: Cursor, before: Any) -> tuple[list[Any], Any]:
        rows, more = inbox.page(cur, here.user_id, before, None, 200)
        return rows, rows[-1]["sequence"] if more else None

    found = {
        "workers": list_of(here, fleet(list_workers)),
        "queues": list_of(here, fleet(list_queues)),
        "deliveries": list_of(here, deliveries),
        "notifications": list_of(here, notifications),
    }

    assert {name: (rows, pages) for name, (rows, pages, _) in found.items()} == {
        "workers": (201, 8),
        "queues": (201, 2),
        "deliveries": (201, 3),
        "notifications": (201, 3),
    }
    assert max(most for _, _, most in found.values()) < 1_300_000


def list_of(here: Tasks, read: Callable[..., tuple[list[Any], Any]]) -> tuple[int, int, int]:
    """Returns how many rows a list has, in how many pages, and the characters that were read for the largest."""
    rows, pages, before = 0, 0, None
    with here.connect() as connection, connection.cursor(cursor_factory=Weighing) as cur:
        cur.most = 0
        while pages == 0 or before is not None:
            page, before = read(cur, before)
            rows, pages = rows + len(page), pages + 1
    return rows, pages, cur.most
