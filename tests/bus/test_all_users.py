"""All users' streams at once: nothing is lost, nothing told twice, and the rows of others are not looked at."""

from __future__ import annotations

import logging

import pytest

from app.bus import EventBus, all_users
from app.bus.all_users import _HEADS, AllUsersSubscription
from app.bus.receivers import Receivers
from app.bus.source import Source
from app.db.persistent import PersistentConnection
from app.stream.event import user_stream
from app.stream.hub import Hub
from app.stream.store import Store
from tests.bus.conftest import Recorder, say, unpublished
from tests.stream.helpers import new_stream, sql
from tests.tasks.helpers import Tasks


def watcher(events: EventBus) -> AllUsersSubscription:
    assert events._all_users is not None
    return events._all_users


def test_what_redis_never_said_is_found_and_what_comes_twice_is_told_once(
    events: EventBus, user_id: str, other_id: str, database: str, hub: Hub
) -> None:
    recorder = Recorder()
    say(user_id, "before")
    events.subscribe("note.made", recorder)
    all_users = watcher(events)

    unpublished(database, user_id, 2)
    say(user_id)  # a jump: the two before it are read
    recorder.waits(3)
    unpublished(database, other_id, 2)  # nothing follows it, and its stream is new
    all_users.check()
    recorder.waits(5)
    all_users.kind_received(f"user:{user_id}", hub._store.after(user_stream(user_id), 2, 1))
    say(user_id)
    recorder.waits(6)

    arrived = [(e["stream"], e["sequence"]) for e in recorder.received]
    assert sorted(arrived) == sorted(
        [(f"user:{user_id}", n) for n in (2, 3, 4, 5)] + [(f"user:{other_id}", n) for n in (1, 2)]
    )


def test_a_stream_that_went_back_is_heard_from_there_on(
    events: EventBus, user_id: str, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """After a restore that lost commits: what comes then has numbers that handlers were told before."""
    recorder = Recorder()
    events.subscribe("note.made", recorder)
    for _ in range(5):
        say(user_id)
    recorder.waits(5)
    sql(database, "DELETE FROM events WHERE seq > 2")
    sql(database, "UPDATE streams SET last_seq = 2 WHERE name = %s", f"user:{user_id}")

    watcher(events).check()
    say(user_id)

    recorder.waits(6)
    assert recorder.sequences == [1, 2, 3, 4, 5, 3]
    assert any("went back from 5 to 2" in message for message in caplog.messages)


def test_what_was_pruned_before_a_handler_came_to_it_is_said_and_passed_over(
    events: EventBus, user_id: str, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder()
    events.subscribe("note.made", recorder)
    all_users = watcher(events)
    with caplog.at_level(logging.WARNING, "taskroom.bus"), all_users._lock:
        unpublished(database, user_id, 5)
        sql(database, "DELETE FROM events WHERE seq <= 3")
        sql(database, "UPDATE streams SET pruned_to = 3 WHERE name = %s", f"user:{user_id}")

    all_users.check()

    recorder.waits(2)
    assert recorder.sequences == [4, 5]
    assert any("pruned from 1 to 3" in message for message in caplog.messages)


def test_streams_are_known_by_pages_and_found_by_an_index(
    database: str, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_users, "PAGE_STREAMS", 2)
    user_ids = [Tasks(database).user_id for _ in range(5)]
    for user_id in user_ids:
        say(user_id)
    new_stream(database), new_stream(database, "broadcast")

    known = AllUsersSubscription(
        Source(hub, Store(PersistentConnection(database))), Receivers(), lambda *_: None
    )

    assert [row for page in known._pages() for row in page] == [(f"user:{id}", 1) for id in user_ids]
    # Of a small table Postgres reads all.
    sql(database, "INSERT INTO streams (name) SELECT 'task:' || n FROM generate_series(1, 20000) n")
    sql(database, "ANALYZE streams")
    assert "streams_of_users" in str(sql(database, f"EXPLAIN {_HEADS}", 0, 2_000))
