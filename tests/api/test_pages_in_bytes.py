"""A page has an end in bytes, whatever is in its rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from app.http.base import page_of
from app.tasks.logs import LogPage, logs_after, logs_before
from app.tasks.snapshot import snapshot
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


@pytest.mark.parametrize(
    ("sizes", "limit", "expected"),
    [
        ([9] * 3, 3, (3, False)),
        ([9] * 4, 3, (3, True)),
        ([400_000] * 4, 3, (2, True)),
        ([2_000_000, 9], 3, (1, True)),
    ],
    ids=["fits", "one more", "too large", "one at least"],
)
def test_a_page_ends_with_its_limit_or_after_a_megabyte(
    sizes: list[int], limit: int, expected: tuple[int, bool]
) -> None:
    page, more = page_of([{"text": "x" * size} for size in sizes], limit)

    assert (len(page), more) == expected


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
        self.most = max(self.most, sum(len(value) for row in rows for value in row if isinstance(value, str)))
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
