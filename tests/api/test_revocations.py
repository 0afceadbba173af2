from __future__ import annotations

import threading

import psycopg2
import pytest

from app.auth import revocations
from app.auth.revocations import Revocations
from tests.support.clock import Clock
from tests.support.system import wait_for


def test_they_are_trusted_while_fresh_and_forgotten_when_no_token_can_live(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
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

    clock = Clock()
    monkeypatch.setattr(revocations, "time", clock)
    ended: list[str] = []
    kept = Revocations(database, 900, ended.append)
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
    kept.read()
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


def test_what_was_signed_out_in_a_long_outage_is_read_after_it(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(revocations, "time", clock)
    ended: list[str] = []
    kept = Revocations(database, 900, ended.append)
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


class Soon(threading.Event):
    """Notes for how long it would have been waited for, and waits until it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        return super().wait(60)


def test_the_thread_reads_every_second_and_at_once_when_it_is_told_to(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[None] = []
    read = Revocations.read
    monkeypatch.setattr(Revocations, "read", lambda self: read(self) or reads.append(None))
    kept = Revocations(database, 900, lambda session_id: None)
    kept._soon = soon = Soon()
    kept.start()
    wait_for("the first reading", lambda: len(reads) == len(soon.waits) == 1)
    kept.read_soon()
    wait_for("the second", lambda: len(reads) == len(soon.waits) == 2)
    kept.stop()

    assert soon.waits[:2] == [1.0, 1.0]
