from __future__ import annotations

import psycopg2
import pytest

from app.auth.revocations import Revocations
from tests.support.clock import Clock
from tests.support.soon import Soon
from tests.support.system import wait_for


def test_they_are_trusted_while_fresh_and_forgotten_when_no_token_can_live(database: str) -> None:
    connection = psycopg2.connect(database)
    connection.autocommit = True
    sql = connection.cursor()

    def revoked(seconds_ago: int) -> str:
        sql.execute(
            """WITH who AS (INSERT INTO users (email, password_hash) VALUES (gen_random_uuid(), '') RETURNING id)
               INSERT INTO sessions (user_id, expires_at, revoked_at)
               SELECT id, now() + '1 day', now() - make_interval(secs => %s) FROM who RETURNING id::text""",
            (seconds_ago,),
        )
        return str(sql.fetchall()[0][0])

    clock, ended = Clock(), list[str]()
    kept = Revocations(database, 900, ended.append, clock.monotonic)
    recent, old = revoked(800), revoked(2000)
    assert not kept.known

    kept.read()
    assert kept.known
    assert recent in kept and old not in kept
    kept.add("heard of")
    late = revoked(15)  # dated before the last reading, seen after it
    kept.read()
    assert late in kept
    assert ended == [recent, late], "each once, and not what was known already"

    clock.now += 5
    assert not kept.known
    clock.now += 1000
    assert len(kept) == 0
    connection.close()


def test_one_that_cannot_be_ended_keeps_no_other_from_its_end(database: str) -> None:
    ended: list[str] = []

    def end(session_id: str) -> None:
        ended.append(session_id)
        if len(ended) == 1:
            raise SystemError("as asked")

    connection = psycopg2.connect(database)
    with connection, connection.cursor() as sql:
        sql.execute(
            """WITH who AS (INSERT INTO users (email, password_hash) VALUES ('ann@example.org', '') RETURNING id)
               INSERT INTO sessions (user_id, expires_at, revoked_at)
               SELECT id, now() + '1 day', now() FROM who, generate_series(1, 3)"""
        )
    connection.close()

    Revocations(database, 900, end).read()

    assert len(ended) == 3


def test_what_was_signed_out_in_a_long_outage_is_read_after_it(database: str) -> None:
    clock, ended = Clock(), list[str]()
    kept = Revocations(database, 900, ended.append, clock.monotonic)
    kept.read()
    clock.now += 3600
    connection = psycopg2.connect(database)
    with connection, connection.cursor() as sql:
        sql.execute(
            """WITH who AS (INSERT INTO users (email, password_hash) VALUES ('ann@example.org', '') RETURNING id)
               INSERT INTO sessions (user_id, expires_at, revoked_at)
               SELECT id, now() + '1 day', now() - interval '50 minutes' FROM who RETURNING id::text"""
        )
        (session_id,) = sql.fetchone() or ("",)
    connection.close()

    kept.read()

    assert ended == [session_id], "a stream that was opened with a ticket may still be open"


def test_the_thread_reads_every_second_and_at_once_when_it_is_woken(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[None] = []
    read = Revocations.read
    monkeypatch.setattr(Revocations, "read", lambda self: read(self) or reads.append(None))
    kept = Revocations(database, 900, lambda session_id: None)
    kept.thread._soon = soon = Soon()

    kept.thread.start()
    wait_for("the first reading", lambda: len(reads) == 1 and len(soon.waits) == 2)
    kept.thread.wake()
    wait_for("the second", lambda: len(reads) == 2 and len(soon.waits) == 3)
    kept.thread.stop()

    assert soon.waits[:3] == [0.0, 1.0, 1.0]
