"""What each statement about API keys reads of a table that is large enough to have a plan."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor

from app.auth import api_keys
from tests.support.plans import rows_visited

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
