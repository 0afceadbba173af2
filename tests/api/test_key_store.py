"""API keys in Postgres: what each statement reads of a large table, and what happens at once in several processes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor

from app.auth import api_keys
from app.errors import Conflict
from tests.support.plans import rows_visited
from tests.support.system import wait_for

pytestmark = pytest.mark.slow

# A hundred users in ten tenants with two hundred keys each; most were revoked.
FILL = """
WITH people AS (INSERT INTO users (email, tenant)
                SELECT 'user ' || n, 'tenant ' || n % 10 FROM generate_series(1, 100) AS n RETURNING id, tenant)
INSERT INTO api_keys (user_id, name, hash, prefix, scopes, tenant, created_at, revoked_at)
SELECT id, 'x', 'hash ' || row_number() OVER (), 'x', '{read}', tenant, now() - n * interval '1 s',
       CASE WHEN n % 4 > 0 THEN now() END
FROM people CROSS JOIN generate_series(1, 200) AS n"""


@pytest.fixture
def cur(database: str) -> Iterator[Cursor]:
    connection = psycopg2.connect(database)
    with connection, connection.cursor() as cur:
        cur.execute(FILL)
        cur.execute("ANALYZE users, api_keys")
        yield cur
    connection.close()


def visited(cur: Cursor, statement: Any, **values: Any) -> int:
    return rows_visited(cur, "api_keys", statement.text, statement.values(**values))


def test_each_statement_reads_what_it_returns(cur: Cursor) -> None:
    cur.execute("SELECT id::text, user_id::text, created_at::text FROM api_keys WHERE hash = 'hash 4'")
    ((id, user, created_at),) = cur.fetchall()

    assert visited(cur, api_keys._BY_HASH, hash="hash 4") == 1
    assert visited(cur, api_keys._BY_IDS, ids=[id]) == 1
    assert visited(cur, api_keys._ONE, key=id) == 1
    assert visited(cur, api_keys._COUNT, user=user) == 50
    assert visited(cur, api_keys._USED, ids=[id], interval=timedelta(minutes=1)) <= 2
    before = (created_at, id)
    for of, value in (("user_id", user), ("tenant", "tenant 1")):
        for older in (False, True):
            page = api_keys._page(of, older)
            assert visited(cur, page, value=value, before=before, limit=20) <= 21, (of, older)


def user_with_keys(database: str, number: int) -> str:
    with closing(psycopg2.connect(database)) as connection, connection, connection.cursor() as cur:
        cur.execute("INSERT INTO users (email) VALUES ('ann') RETURNING id::text")
        ((user_id,),) = cur.fetchall()
        cur.execute(
            """INSERT INTO api_keys (user_id, name, hash, prefix, scopes)
               SELECT %s, 'x', n::text, 'x', '{read}' FROM generate_series(1, %s) AS n""",
            (user_id, number),
        )
    return str(user_id)


def test_of_two_creations_at_once_the_second_counts_the_first(database: str) -> None:
    user_id = user_with_keys(database, 49)
    wanted = api_keys.NewKey("x", ["read"], None)
    first, second, looks = (psycopg2.connect(database) for _ in range(3))
    looks.autocommit = True

    def waits() -> bool:
        with looks.cursor() as cur:
            cur.execute(
                "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'",
                (second.info.backend_pid,),
            )
            return bool(cur.fetchall())

    with ThreadPoolExecutor(1) as pool:
        api_keys.create(first.cursor(), user_id, wanted)
        other = pool.submit(lambda: api_keys.create(second.cursor(), user_id, wanted))
        wait_for("the second", lambda: waits() or other.done())
        first.commit()
        with pytest.raises(Conflict):
            other.result(60)
    for connection in (first, second, looks):
        connection.close()


def test_a_use_is_written_once_a_minute_and_waits_for_nobody(database: str) -> None:
    user_with_keys(database, 1)
    minute = timedelta(minutes=1)
    with closing(psycopg2.connect(database)) as connection, closing(psycopg2.connect(database)) as other:
        cur, theirs = connection.cursor(), other.cursor()
        cur.execute("SELECT id::text FROM api_keys")
        ((id,),) = cur.fetchall()

        def uses(ago: str) -> bool:
            """Whether a use now is written, after one so long ago."""
            cur.execute("UPDATE api_keys SET last_used_at = now() - %s::interval", (ago,))
            api_keys.used(cur, [id], minute)
            cur.execute("SELECT last_used_at = now() FROM api_keys")
            return bool(cur.fetchall()[0][0])

        assert not uses("59 seconds")
        assert uses("61 seconds")
        connection.commit()
        theirs.execute("SELECT FROM api_keys FOR UPDATE")
        cur.execute("SET lock_timeout = '1s'")
        api_keys.used(cur, [id], timedelta())
