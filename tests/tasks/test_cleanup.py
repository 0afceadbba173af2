"""Expired rows are deleted, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from app.db.persistent import PersistentConnection
from app.tasks.cleanup import delete_expired
from tests.stream.helpers import patient_single, sql
from tests.tasks.helpers import Tasks


@pytest.fixture
def connect(database: str) -> Any:
    connect = patient_single(database)
    yield connect
    connect.close()


def test_cleanup_rows_are_deleted_and_the_rest_stays(
    tasks: Tasks, connect: PersistentConnection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.tasks.cleanup.BATCH_ROWS", 2)
    for days in (-1, -1, -1, 1):
        at = f"now() + interval '{days} days'"
        session = sql(
            tasks.database,
            f"INSERT INTO sessions (user_id, expires_at) VALUES (%s, {at}) RETURNING id",
            tasks.user_id,
        )[0][0]
        sql(tasks.database, f"INSERT INTO tickets VALUES (gen_random_uuid()::text, %s, {at})", session)
        sql(tasks.database, f"INSERT INTO writers (id, seen_at) VALUES (gen_random_uuid(), {at})")
        sql(
            tasks.database,
            f"INSERT INTO event_ids VALUES ('user:a', gen_random_uuid()::text, now() + {days} * interval '8 days')",
        )
        sql(
            tasks.database,
            f"""INSERT INTO idempotency_keys (user_id, key, body_hash, task_id, created_at)
                VALUES (%s, gen_random_uuid()::text, '', %s, now() + {days} * interval '2 days')""",
            *(tasks.user_id, tasks.create()),
        )
        for column in ("expires_at", "revoked_at"):
            sql(
                tasks.database,
                f"""INSERT INTO api_keys (user_id, name, hash, prefix, scopes, {column}) VALUES
                    (%s, '', gen_random_uuid()::text, '', '{{}}', now() + {days} * interval '8 days')""",
                tasks.user_id,
            )
        for times in ("%s * interval '2 days', NULL", "interval '9 days', now() + %s * interval '2 days'"):
            sql(
                tasks.database,
                f"""INSERT INTO shares (task_id, user_id, hash, expires_at, revoked_at)
                    VALUES (%s, %s, gen_random_uuid()::text, now() + {times})""",
                *(tasks.create(), tasks.user_id, days),
            )
    sql(
        tasks.database,
        "INSERT INTO api_keys (user_id, name, hash, prefix, scopes) VALUES (%s, '', '', '', '{}')",
        tasks.user_id,
    )
    sql(tasks.database, "UPDATE writers SET seen_at = seen_at - interval '7 days' WHERE seen_at < now()")

    assert delete_expired(connect) == 27

    for table in ("tickets", "sessions", "writers", "event_ids", "idempotency_keys"):
        assert sql(tasks.database, f"SELECT count(*) FROM {table}") == [(1,)]
    assert sql(tasks.database, "SELECT count(*) FROM shares") == [(2,)]
    assert sql(tasks.database, "SELECT count(*) FROM api_keys") == [(3,)], "one that does not expire stays"
