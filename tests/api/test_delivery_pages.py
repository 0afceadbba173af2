from __future__ import annotations

from app.webhooks import delivery_queue
from tests.stream.helpers import sql
from tests.support.hooks import Hook
from tests.tasks.helpers import Tasks

FILL = """INSERT INTO deliveries (webhook_id, event_type, payload, stream, sequence, status, created_at)
SELECT %s, 'notification', '{}', 'user:x', n, 'delivered', timestamptz '2020-01-01 00:00Z' - n / 2 * interval '1 s'
FROM generate_series(1, 10000) AS n"""


def test_a_page_deep_in_the_past_is_read_from_an_index_and_not_sorted(here: Tasks) -> None:
    """Of so many, counted by ANALYZE: of a few Postgres is free to read all."""
    hook = Hook(here)
    sql(here.database, FILL, hook.id)
    sql(here.database, "ANALYZE deliveries")

    with here.connect() as connection, connection.cursor() as cur:
        page, _ = delivery_queue.page(cur, hook.id, ("2019-12-31T23:00:00Z", hook.id), 3)
        cur.execute(b"EXPLAIN " + cur.query)
        plan = "\n".join(line for (line,) in cur.fetchall())

    assert len(page) == 3
    assert "deliveries_by_webhook" in plan and "Sort" not in plan, plan
