"""Appending to streams: without gaps, fenced, without deadlock, and once, on a real Postgres."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor

from app.db.persistent import PersistentConnection
from app.stream.claims import UnknownWriter, claim_batch, claim_event_id, register_writer
from app.stream.event import Draft, draft, now
from app.stream.store import Head, Store, append
from tests.stream.helpers import (
    appended,
    in_threads,
    line,
    messages,
    new_stream,
    no_projection,
    patient_single,
    sql,
)


def test_sequences_are_dense_across_streams_and_batches(database: str):
    connect, a, b = PersistentConnection(database), new_stream(database), new_stream(database)

    first = appended(connect, [line(a, "1"), line(b, "1"), line(a, "2")])
    second = appended(connect, [line(b, "2"), line(a, "3")])

    assert [(e.stream, e.sequence) for e in first.events + second.events] == [
        (a, 1),
        (b, 1),
        (a, 2),
        (b, 2),
        (a, 3),
    ]
    assert first.by_stream()[a] == [first.events[0], first.events[2]]
    assert messages(database, a) == ["1", "2", "3"]


ODD = [
    "quote ' \" '' { } , \\ \\\\ NULL %s %% \t \n \r",
    "",
    "NULL",
    "\u2028",
    "\\'",
    "\u8868\\",
    "'; DROP TABLE events; --",
]


@pytest.mark.parametrize("encoding", ["UTF8", "SJIS"])  # in SJIS the second byte of U+8868 is a backslash
def test_stored_and_returned_are_the_same_bytes(database: str, encoding: str):
    connect, stream = PersistentConnection(database), new_stream(database)
    texts = [text for text in ODD if encoding == "UTF8" or "\u2028" not in text]
    with connect() as connection, connection.cursor() as cur:
        connection.set_client_encoding(encoding)
        done = append(cur, [noted(stream, text) for text in texts], no_projection)

    stored = Store(PersistentConnection(database)).after(stream, 0)

    assert [(e.sequence, e.type, e.payload, e.level, e.phase) for e in stored] == [
        (e.sequence, e.type, e.payload, e.level, e.phase) for e in done.events
    ]
    assert [(e.decoded()["message"], e.phase) for e in stored] == [(text, text or None) for text in texts]


def noted(stream: str, text: str) -> Draft:
    """Returns an event with the text in each field that may have it, and a type that is a word of SQL."""
    return draft(stream, "null", {"timestamp": now(), "message": text, "phase": text}, projected=False)


class Counted:
    """A cursor that counts round trips."""

    def __init__(self, cur: Cursor) -> None:
        self.cur, self.trips = cur, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cur, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.cur)

    def execute(self, *statement: Any) -> None:
        self.trips += 1
        self.cur.execute(*statement)


def test_a_batch_is_two_round_trips_however_many_events_and_streams_it_has(database: str):
    connect, streams = PersistentConnection(database), [new_stream(database) for _ in range(3)]
    with connect() as connection, connection.cursor() as cur:
        counted = Counted(cur)
        append(counted, [line(s, str(n)) for n in range(300) for s in streams], no_projection)

    assert counted.trips == 2
    assert all(len(messages(database, s)) == 300 for s in streams)


def test_a_rolled_back_batch_leaves_no_gap(database: str):
    connect, stream = PersistentConnection(database), new_stream(database)

    with pytest.raises(RuntimeError), connect() as connection, connection.cursor() as cur:
        append(cur, [line(stream, "lost")], no_projection)
        raise RuntimeError
    appended(connect, [line(stream, "kept")])

    assert messages(database, stream) == ["kept"]


def test_a_closed_stream_refuses_the_rest_of_the_batch_and_all_later(database: str):
    connect, stream, other = PersistentConnection(database), new_stream(database), new_stream(database)

    done = appended(
        connect, [line(stream, "1"), line(stream, "last", closes=True), line(stream, "late"), line(other)]
    )
    again = appended(connect, [line(stream, "later")])

    assert done.closed == done.refused == again.refused == {stream} and again.events == []
    assert messages(database, stream) == ["1", "last"] and messages(database, other) == ["line"]


def test_events_of_another_attempt_are_refused(database: str):
    connect, stream = PersistentConnection(database), new_stream(database)
    sql(database, "UPDATE streams SET attempt = 2 WHERE name = %s", stream)

    done = appended(
        connect,
        [line(stream, "old", 1), line(stream, "now", 2), line(stream, "early", 3), line(stream, "web")],
    )

    assert done.refused == {stream}
    assert messages(database, stream) == ["now", "web"]


def test_an_unknown_stream_refuses(database: str):
    assert appended(PersistentConnection(database), [line("task:nowhere")]).refused == {"task:nowhere"}


def test_an_append_returns_that_a_cancel_was_requested(database: str):
    connect, stream, other = PersistentConnection(database), new_stream(database), new_stream(database)
    sql(database, "UPDATE streams SET cancel_requested = true WHERE name = %s", stream)

    assert appended(connect, [line(stream), line(other)]).cancel_requested == {stream}


def test_opposite_orders_never_deadlock(database: str):
    a, b = new_stream(database), new_stream(database)
    start = threading.Barrier(2)

    def writes(first: str, second: str) -> None:
        connect = patient_single(database)
        start.wait(60)
        for _ in range(100):
            appended(connect, [line(first), line(second)])
        connect.close()

    in_threads([lambda: writes(a, b), lambda: writes(b, a)])

    assert len(messages(database, a)) == len(messages(database, b)) == 200


@pytest.mark.slow
def test_a_hundred_writers_of_one_task_leave_dense_sequences(database: str):
    """Each writer has random delays inside and outside the lock, and every fifth transaction is rolled back."""
    stream, connections = new_stream(database), threading.Semaphore(40)  # the server has room for 100
    kept: list[str] = []

    def writes(number: int) -> None:
        chance = random.Random(number)
        idle = threading.Event()
        with connections:
            connect = patient_single(database)
            for n in range(3):
                idle.wait(chance.random() * 0.02)
                try:
                    with connect() as connection, connection.cursor() as cur:
                        append(cur, [line(stream, f"{number}.{n}")], no_projection)
                        idle.wait(chance.random() * 0.004)
                        if chance.random() < 0.2:
                            raise RuntimeError("rolled back")
                    kept.append(f"{number}.{n}")
                except RuntimeError:
                    pass  # the rollback asked for above
            connect.close()

    in_threads([lambda number=number: writes(number) for number in range(100)], 120)

    assert 180 < len(kept) < 300
    assert sorted(messages(database, stream)) == sorted(kept)


def test_a_batch_whose_commit_was_unclear_is_stored_once(database: str):
    """The answer to the COMMIT is lost, and the same batch is tried again."""
    connect, stream, writer = PersistentConnection(database), new_stream(database), str(uuid.uuid4())
    for _ in range(2):
        with connect() as connection, connection.cursor() as cur:
            register_writer(cur, writer)
            if claim_batch(cur, writer, 1):
                append(cur, [line(stream)], no_projection)

    assert messages(database, stream) == ["line"]


@pytest.mark.parametrize("commits", [True, False])
def test_the_second_try_waits_for_a_commit_that_still_runs(database: str, commits: bool):
    first, second = psycopg2.connect(database), psycopg2.connect(database)
    writer, waiting, answers = str(uuid.uuid4()), threading.Event(), []
    with first, first.cursor() as cur:
        register_writer(cur, writer)
    cur = first.cursor()
    assert claim_batch(cur, writer, 1)

    def again() -> None:
        with second, second.cursor() as cur:
            waiting.set()
            answers.append(claim_batch(cur, writer, 1))

    def ends_first() -> None:
        waiting.wait(60)
        while not sql(
            database, "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'", pid
        ):
            assert not answers, "the second try did not wait"
        first.commit() if commits else first.rollback()

    pid = second.info.backend_pid
    in_threads([again, ends_first])
    first.close()
    second.close()

    assert answers == [not commits]


@pytest.mark.parametrize("batch", [2, 5])
def test_a_batch_out_of_order_is_an_error(database: str, batch: int):
    connect, writer = PersistentConnection(database), str(uuid.uuid4())
    with connect() as connection, connection.cursor() as cur:
        register_writer(cur, writer)

    with pytest.raises(UnknownWriter), connect() as connection, connection.cursor() as cur:
        claim_batch(cur, writer, batch)


def test_after_is_contiguous_limited_and_cut_at_a_gap(database: str):
    connect, stream = PersistentConnection(database), new_stream(database)
    store = Store(connect)
    appended(connect, [line(stream, str(n)) for n in range(1, 11)])

    assert [e.sequence for e in store.after(stream, 3, 4)] == [4, 5, 6, 7]
    assert store.after(stream, 10) == store.after(stream, 99) == store.after("task:nowhere", 0) == []

    sql(database, "DELETE FROM events WHERE seq = 5")
    assert [e.sequence for e in store.after(stream, 3)] == [4]
    assert store.after(stream, 4) == []
    assert [e.sequence for e in store.after(stream, 8)] == [9, 10]


def test_heads_of_many_streams_in_one_query(database: str):
    connect, a, b = PersistentConnection(database), new_stream(database), new_stream(database)
    appended(connect, [line(a), line(a), line(b, closes=True)])
    sql(database, "UPDATE streams SET pruned_to = 1 WHERE name = %s", a)

    assert Store(connect).heads([a, b, "task:nowhere"]) == {a: Head(2, 1, False), b: Head(1, 0, True)}


def test_an_event_id_is_claimed_once_for_each_stream(database: str):
    connect = PersistentConnection(database)

    with connect() as conn, conn.cursor() as cur:
        first = [
            claim_event_id(cur, "user:a", "x"),
            claim_event_id(cur, "user:b", "x"),
            claim_event_id(cur, "user:a", "y"),
        ]

    with connect() as conn, conn.cursor() as cur:
        assert first == [True, True, True]
        assert not claim_event_id(cur, "user:a", "x")


def test_a_missing_shared_stream_is_created_by_a_read_of_its_head(database: str):
    connect, name = PersistentConnection(database), f"user:{uuid.uuid4()}"
    store = Store(connect)

    assert store.head_or_create(name) == Head(0, 0, False)
    appended(connect, [line(name, "first")])
    assert store.head_or_create(name) == store.heads([name])[name] == Head(1, 0, False)

    assert store.head_or_create(f"task:{uuid.uuid4()}") is None
    with connect() as conn, conn.cursor() as cur:
        cur.execute("SHOW synchronous_commit")
        assert (cur.fetchone(), conn.notices) == (("on",), []), "the setting ended with its transaction"
