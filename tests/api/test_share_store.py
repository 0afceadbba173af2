"""Shares in Postgres: what each statement reads of a large table, and what happens at once in several processes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor

from app.auth import shares
from app.auth.principal import Principal
from app.errors import Conflict
from tests.stream.helpers import sql
from tests.support.plans import rows_visited
from tests.support.system import wait_for
from tests.tasks.helpers import Tasks

pytestmark = pytest.mark.slow

# Fifty shares of each of a hundred runs, by one of ten users; most have ended.
FILL = """
WITH people AS (INSERT INTO users (email) SELECT 'user ' || n FROM generate_series(1, 10) AS n RETURNING id),
     makers AS (SELECT id, row_number() OVER () AS number FROM people),
     runs AS (SELECT id, row_number() OVER () AS number FROM tasks)
INSERT INTO shares (task_id, user_id, hash, created_at, expires_at)
SELECT runs.id, makers.id, 'hash ' || row_number() OVER (), now() - n * interval '1 s',
       now() + CASE WHEN n % 5 = 0 THEN 1 ELSE -1 END * interval '1 hour'
FROM runs JOIN makers ON makers.number = 1 + runs.number % 10 CROSS JOIN generate_series(1, 50) AS n"""


@pytest.fixture
def cur(database: str) -> Iterator[Cursor]:
    tasks = Tasks(database)
    for _ in range(100):
        tasks.create()
    with closing(psycopg2.connect(database)) as connection, connection, connection.cursor() as cur:
        cur.execute(FILL)
        cur.execute("ANALYZE users, tasks, shares, api_keys")
        yield cur
    tasks.connect.close()


def visited(cur: Cursor, statement: Any, **values: Any) -> int:
    return rows_visited(cur, "shares", statement.text, statement.values(**values))


def test_each_statement_reads_what_it_returns(cur: Cursor) -> None:
    cur.execute("SELECT id::text, task_id::text, user_id::text FROM shares WHERE hash = 'hash 5'")
    ((id, task, user),) = cur.fetchall()

    assert visited(cur, shares._BY_HASH, hash="hash 5") == 1
    assert visited(cur, shares._BY_IDS, ids=[id]) == 1
    assert visited(cur, shares._ONE, share=id) == 1
    assert visited(cur, shares._COUNT_OF_TASK, task=task) <= 50
    assert visited(cur, shares._COUNT_OF_USER, user=user) <= 500
    assert visited(cur, shares._OF_TASK, task=task, user=user, all=True) <= 50
    assert visited(cur, shares._REVOKE, share=id, task=task, user=user, all=False) == 1


WAITING = """SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
             WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"""


def test_of_two_users_at_once_one_counts_after_the_other(database: str) -> None:
    tasks = Tasks(database)
    task_id, hour = tasks.create(), timedelta(hours=1)
    first, second = (
        Principal(user_id, "", "operator", None, "a session", float("inf"))
        for user_id in (tasks.user_id, tasks.add_user())
    )
    sql(
        database,
        """INSERT INTO shares (task_id, user_id, hash, expires_at)
           SELECT %s, %s, gen_random_uuid()::text, now() + interval '1 hour' FROM generate_series(1, 19)""",
        *(task_id, tasks.user_id),
    )
    with (
        closing(psycopg2.connect(database)) as one,
        closing(psycopg2.connect(database)) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        shares.create(one.cursor(), first, task_id, hour)
        late = pool.submit(shares.create, other.cursor(), second, task_id, hour)
        wait_for("the lock", lambda: late.done() or sql(database, WAITING) == [(1,)])
        one.commit()
        with pytest.raises(Conflict, match="A run has at most 20 live shares"):
            late.result(60)
    tasks.connect.close()
