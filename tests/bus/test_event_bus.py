"""The bus by type: every user's events, once and in order, to whoever subscribed."""

from __future__ import annotations

import asyncio
import logging
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from app.bus import EventBus, EventService, subscriber
from app.stream.event import user_stream
from app.stream.hub import Hub
from tests.bus.conftest import Recorder, say
from tests.stream.helpers import in_threads, sql
from tests.support.system import wait_for


def test_what_is_awaited_is_told_with_its_place_in_the_stream(events: EventBus, user_id: str) -> None:
    recorder = Recorder()
    events.subscribe("artifact.completed", recorder.awaited)

    made = asyncio.run(
        events.publish(
            "artifact.completed",
            {"job_id": "test123", "user_id": user_id, "result": {"questions": []}, "timestamp": "2026"},
        )
    )

    (event,) = recorder.waits()
    assert event == made
    assert (event["job_id"], event["user_id"], event["result"]) == ("test123", user_id, {"questions": []})
    assert (event["stream"], event["sequence"]) == (f"user:{user_id}", 1)
    assert event["timestamp"] > "2026-", "when it was published, as of every event"


def test_the_loop_goes_on_while_postgres_commits(events: EventBus, user_id: str, database: str) -> None:
    """It is held at the lock of the stream, and this loop sees it there."""
    say(user_id)
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    async def main() -> list[str]:
        order: list[str] = []
        with closing(psycopg2.connect(database)) as holder, holder, holder.cursor() as cur:
            cur.execute("SELECT 1 FROM streams WHERE name = %s FOR UPDATE", (user_stream(user_id),))
            publishing = asyncio.create_task(events.publish("note.made", {"user_id": user_id}))
            publishing.add_done_callback(lambda _: order.append("published"))
            while not sql(database, waiting):
                assert not publishing.done(), "it did not wait"
                await asyncio.sleep(0.01)
            order.append("meanwhile")
        await publishing
        return order

    assert asyncio.run(main()) == ["meanwhile", "published"]


def test_one_handler_of_several_types_is_told_in_the_order_of_the_stream(
    events: EventBus, user_id: str
) -> None:
    recorder, types = Recorder(), ["artifact.started", "artifact.progress", "artifact.completed"]
    for type in types:
        events.subscribe(type, recorder)
    events.subscribe(types[0], recorder)

    for _ in range(20):
        for type in types:
            say(user_id, type, of=type)
    say(user_id, "artifact.cancelled")

    recorder.waits(60)
    assert recorder.sequences == list(range(1, 61))
    assert [event["of"] for event in recorder.received] == types * 20


def test_of_all_users_and_of_what_everybody_is_told(
    events: EventBus, service: EventService, user_id: str, other_id: str
) -> None:
    recorder = Recorder()
    events.subscribe("note.made", recorder)

    say(user_id), say(other_id)
    service.publish_broadcast("note.made", {"text": "to all"})

    recorder.waits(3)
    assert {event["stream"] for event in recorder.received} == {
        f"user:{user_id}",
        f"user:{other_id}",
        "broadcast",
    }


def test_a_handler_that_fails_harms_nobody(
    events: EventBus, user_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    recorder, calls = Recorder(), list[str]()

    def raises(event: dict[str, Any]) -> None:
        calls.append("sync")
        raise ValueError("as asked")

    async def raises_later(event: dict[str, Any]) -> None:
        calls.append("async")
        raise KeyError("as asked")

    def leaves(event: dict[str, Any]) -> None:
        calls.append("exit")
        raise SystemExit

    async def leaves_later(event: dict[str, Any]) -> None:
        calls.append("exit later")
        raise SystemExit

    def gives_up(event: dict[str, Any]) -> None:
        calls.append("given up")
        raise asyncio.CancelledError

    for handler in (leaves_later, gives_up, raises, raises_later, leaves, recorder):
        events.subscribe("note.made", handler)

    with caplog.at_level(logging.ERROR, "taskroom.bus"):
        say(user_id), say(user_id)
        recorder.waits(2)
        all_of_them = sorted(2 * ["async", "exit", "exit later", "given up", "sync"])
        wait_for("all of them, twice", lambda: sorted(calls) == all_of_them, 60)
        wait_for("ten lines", lambda: len(caplog.messages) == 10, 60)

    assert recorder.sequences == [1, 2]
    assert all(f"user:{user_id}" in message for message in caplog.messages)
    assert any("raises_later" in message for message in caplog.messages)


@pytest.mark.slow
def test_a_slow_handler_falls_behind_alone_and_is_told_all_in_the_end(
    events: EventBus, user_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriber, "KEPT_BYTES", 2_000)
    slow, quick = Recorder(), Recorder()
    slow.hold.clear()
    events.subscribe("note.made", slow)
    events.subscribe("note.made", quick)

    for _ in range(30):
        say(user_id, "note.made")
        say(user_id, "another")
    quick.waits(30)

    assert slow.sequences == [1]
    (slow_one,) = [t for handler, t in events._subscribers.items() if handler is slow]
    assert slow_one._bytes <= subscriber.KEPT_BYTES
    assert [backlog.events for backlog in slow_one._waiting.values()] == [None], "they are in Postgres anyway"
    slow.hold.set()
    slow.waits(30)
    assert slow.sequences == quick.sequences == list(range(1, 60, 2))


def test_who_has_unsubscribed_is_told_nothing_more(events: EventBus, user_id: str, hub: Hub) -> None:
    gone, recorder = Recorder(), Recorder()
    gone.hold.clear()
    for type in ("note.made", "note.read"):
        events.subscribe(type, gone)
    events.subscribe("note.made", recorder)
    say(user_id), say(user_id)
    gone.waits(1)

    events.unsubscribe("note.made", gone)
    events.unsubscribe("note.made", gone)
    events.unsubscribe("no.such", gone)
    gone.hold.set()
    say(user_id), say(user_id, "note.read")

    recorder.waits(3), gone.waits(2)
    assert gone.sequences == [1, 4]
    events.unsubscribe("note.read", gone)
    events.unsubscribe("note.made", recorder)
    assert hub.viewers() == [] and not hub.subscription.channels.kinds, "nobody here wants to hear anything"


@pytest.mark.slow
def test_many_threads_subscribe_publish_and_unsubscribe_at_once(
    events: EventBus, user_id: str, other_id: str
) -> None:
    recorder = Recorder()
    events.subscribe("note.made", recorder)

    def churn() -> None:
        for _ in range(20):
            brief = Recorder()
            events.subscribe("note.made", brief)
            events.subscribe("other", brief)
            events.unsubscribe("note.made", brief)
            events.unsubscribe("other", brief)

    def publish(user_id: str) -> None:
        for _ in range(20):
            say(user_id)

    in_threads([churn] * 4 + [lambda: publish(user_id), lambda: publish(other_id)] * 2)

    recorder.waits(80)
    for stream in (f"user:{user_id}", f"user:{other_id}"):
        assert [e["sequence"] for e in recorder.received if e["stream"] == stream] == list(range(1, 41))
    assert list(events._subscribers) == [recorder]


def test_a_handler_may_publish_and_subscribe(events: EventBus, user_id: str) -> None:
    recorder = Recorder()

    async def first(event: dict[str, Any]) -> None:
        events.subscribe("second", recorder)
        await events.publish("second", {**event, "after": event["sequence"]})

    events.subscribe("first", first)
    say(user_id, "first")

    (event,) = recorder.waits()
    assert (event["after"], event["sequence"]) == (1, 2)


@pytest.mark.parametrize("type", ["", "No", "a b", "x" * 65])
def test_what_is_no_type_cannot_be_subscribed_to(events: EventBus, type: str) -> None:
    with pytest.raises(ValueError, match="event_type:"):
        events.subscribe(type, Recorder())


def test_what_the_printed_documents_look_forward_to(events: EventBus, user_id: str) -> None:
    """Keeping events, a voice that says what is ready, and further types of events."""
    saved, spoken, seen = list[dict[str, Any]](), list[str](), Recorder()

    def save_to_db_handler(event_data: dict[str, Any]) -> None:
        saved.append(event_data)

    async def voice_notification_handler(event_data: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        spoken.append(f"Your {event_data['artifact_type']} is ready")

    events.subscribe("artifact.completed", save_to_db_handler)
    events.subscribe("artifact.completed", voice_notification_handler)
    for type in ("artifact.started", "artifact.progress", "artifact.cancelled"):
        events.subscribe(type, seen)

    async def publish() -> None:
        await events.publish("artifact.started", {"user_id": user_id})
        await events.publish("artifact.progress", {"user_id": user_id, "job_id": "1", "progress": 60})
        await events.publish("artifact.completed", {"user_id": user_id, "artifact_type": "quiz"})
        await events.publish("artifact.cancelled", {"user_id": user_id})

    asyncio.run(publish())

    seen.waits(3)
    wait_for("the voice", lambda: spoken == ["Your quiz is ready"])
    wait_for("what was kept", lambda: [event["sequence"] for event in saved] == [3])
    assert seen.sequences == [1, 2, 4] and seen.received[1]["progress"] == 60
