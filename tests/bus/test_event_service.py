"""The bus by user."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from app.bus import EventService
from app.stream import tailcheck
from app.stream.hub import Hub
from app.stream.store import DatabaseUnavailable
from tests.bus.conftest import Recorder, unpublished
from tests.stream.helpers import in_threads
from tests.support.system import wait_for


def test_there_is_one_in_a_process() -> None:
    assert EventService() is EventService()


def test_a_subscriber_gets_id_type_data_and_timestamp(service: EventService, user_id: str) -> None:
    service.publish(user_id, "task_created", {"task_id": "before"})
    recorder = Recorder()
    service.subscribe(user_id, recorder)

    made = service.publish(user_id, "task_created", {"task_id": "uuid", "status": "pending"})

    (event,) = recorder.waits()
    assert made is not None
    assert event == {"id": 2, "type": "task_created", "data": made, "timestamp": made["timestamp"]}
    assert made["task_id"] == "uuid" and made["stream"] == f"user:{user_id}"


def test_everybody_hears_their_own_and_what_is_for_all(
    service: EventService, user_id: str, other_id: str
) -> None:
    mine, theirs = Recorder(), Recorder()
    service.subscribe(user_id, mine)
    service.subscribe(other_id, theirs.awaited)

    service.publish(user_id, "note", {"to": "me"})
    service.publish(other_id, "note", {"to": "them"})
    service.publish_broadcast("note", {"to": "all"})

    mine.waits(2), theirs.waits(2)
    assert sorted(e["data"]["to"] for e in mine.received) == ["all", "me"]
    assert sorted(e["data"]["to"] for e in theirs.received) == ["all", "them"]


def test_subscribers_are_counted_by_user(
    service: EventService, user_id: str, other_id: str, hub: Hub
) -> None:
    first, second = Recorder(), Recorder()

    service.subscribe(user_id, first)
    service.subscribe(user_id.upper(), first)
    service.subscribe(user_id, second)

    assert (service.get_subscriber_count(user_id), service.get_subscriber_count(other_id)) == (2, 0)
    service.unsubscribe(user_id, first)
    service.unsubscribe(other_id, second)
    service.publish(user_id, "note", {})
    second.waits()
    assert service.get_subscriber_count(user_id) == 1 and first.received == []
    service.unsubscribe(user_id, second)
    assert service.get_subscriber_count(user_id) == 0 and hub.viewers() == []


def test_a_subscription_that_a_fault_ended_begins_again_when_it_is_asked_for(
    service: EventService, user_id: str, hub: Hub
) -> None:
    recorder = Recorder()
    service.subscribe(user_id, recorder)
    for viewer in hub.viewers():
        viewer.close("unavailable")
    service.publish(user_id, "note", {"is": "missed"})

    service.subscribe(user_id, recorder)
    service.publish(user_id, "note", {"is": "received"})
    service.publish_broadcast("note", {"is": "received"})

    assert [event["data"]["is"] for event in recorder.waits(2)] == ["received", "received"]
    assert service.get_subscriber_count(user_id) == 1


def test_one_who_is_slow_delays_no_other_and_loses_nothing(
    service: EventService, user_id: str, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.bus.subscriber.KEPT_BYTES", 1_000)
    slow, quick = Recorder(), Recorder()
    slow.hold.clear()
    service.subscribe(user_id, slow)
    service.subscribe(user_id, quick)

    for _ in range(50):
        service.publish(user_id, "note", {})

    quick.waits(50)
    assert slow.sequences == [1] and len(hub.viewers()) == 2
    slow.hold.set()
    slow.waits(50)
    assert slow.sequences == quick.sequences == list(range(1, 51))


def test_what_redis_never_said_is_found(
    service: EventService, user_id: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tailcheck, "TAIL_SECONDS", 0.1)
    recorder = Recorder()
    service.subscribe(user_id, recorder)

    unpublished(database, user_id, 3)

    recorder.waits(3)
    assert recorder.sequences == [1, 2, 3]


def test_many_threads_at_once(service: EventService, user_id: str) -> None:
    recorder = Recorder()
    service.subscribe(user_id, recorder)

    def churn() -> None:
        for _ in range(10):
            brief = Recorder()
            service.subscribe(user_id, brief)
            service.unsubscribe(user_id, brief)

    def publish() -> None:
        for _ in range(10):
            service.publish(user_id, "note", {})

    in_threads([churn] * 4 + [publish] * 4)

    recorder.waits(40)
    assert recorder.sequences == list(range(1, 41)) and service.get_subscriber_count(user_id) == 1


def test_nobody_can_be_subscribed_to(service: EventService, hub: Hub) -> None:
    nobody = str(uuid.uuid4())

    with pytest.raises(LookupError, match=nobody):
        service.subscribe(nobody, Recorder())
    with pytest.raises(ValueError, match="user_id:"):
        service.subscribe("testuser", Recorder())

    assert service.get_subscriber_count(nobody) == 0 and hub.viewers() == []


def test_who_subscribes_while_postgres_is_away_is_told_and_may_try_again(
    service: EventService, user_id: str, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(streams: Any) -> Any:
        raise DatabaseUnavailable("as asked")

    recorder = Recorder()
    with monkeypatch.context() as patch:
        patch.setattr(hub._store, "heads", away)
        with pytest.raises(DatabaseUnavailable):
            service.subscribe(user_id, recorder)
    assert service.get_subscriber_count(user_id) == 0

    service.subscribe(user_id, recorder)
    service.publish(user_id, "note", {})

    recorder.waits()


def test_each_handler_has_a_payload_of_its_own_to_change(service: EventService, user_id: str) -> None:
    seen: list[Any] = []

    def careless(event: dict[str, Any]) -> None:
        seen.append(event["data"].pop("text"))

    async def also(event: dict[str, Any]) -> None:
        await asyncio.sleep(0.01)
        seen.append(event["data"].pop("text"))

    service.subscribe(user_id, careless)
    service.subscribe(user_id, also)
    service.publish(user_id, "note", {"text": "x"})

    wait_for("both", lambda: seen == ["x", "x"])
