"""What may be published, and that it is an event like any other."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.bus import EventService
from app.bus.publishing import CONTROL, PUBLISHED_BYTES
from app.stream.event import BROADCAST, user_stream
from app.stream.store import Store
from app.webhooks import subscriptions
from tests.stream.helpers import in_threads, sql
from tests.support.system import SECRET
from tests.tasks.helpers import Tasks


@pytest.fixture
def stored(database: str) -> Any:
    def stored(stream: str) -> list[dict[str, Any]]:
        return [{"type": e.type, **e.decoded()} for e in Store(Tasks(database).connect).after(stream, 0)]

    return stored


def test_it_is_durable_and_numbered(service: EventService, user_id: str, stored: Any) -> None:
    first = service.publish(user_id.upper(), "note.made", {"text": "é\u2028\0"})
    second = service.publish_broadcast("maintenance", {"at": "noon"})

    assert stored(user_stream(user_id)) == [{"type": "note.made", **(first or {})}]
    assert stored(BROADCAST) == [{"type": "maintenance", **(second or {})}]
    assert (first or {})["text"] == "é\u2028\ufffd"


def test_of_what_is_said_twice_one_is_kept(service: EventService, user_id: str, stored: Any) -> None:
    answers: list[Any] = []

    in_threads([lambda: answers.append(service.publish(user_id, "note", {"n": 1}, "order-1"))] * 4)
    again = service.publish_broadcast("note", {}, "order-1")
    service.publish(user_id, "note", {"n": 2}, "order-2")

    assert len([answer for answer in answers if answer is not None]) == 1
    assert [event["n"] for event in stored(user_stream(user_id))] == [1, 2]
    assert again is not None, "an id is one of its stream"


def test_webhooks_hear_of_it_too(service: EventService, user_id: str, database: str) -> None:
    with Tasks(database).connect() as connection, connection.cursor() as cur:
        subscriptions.create(cur, user_id, "https://hooks.example.org/", ["artifact.completed"], None, SECRET)

    service.publish(user_id, "artifact.completed", {"job_id": "test123"})

    delivered = sql(database, "SELECT event_type, stream, sequence FROM deliveries")
    assert delivered == [("artifact.completed", user_stream(user_id), 1)]


def test_what_is_passed_on_has_a_place_of_its_own(service: EventService, user_id: str) -> None:
    first = service.publish(user_id, "one", {"text": "x"})

    second = service.publish(user_id, "two", first or {})

    assert second is not None and first is not None
    assert (second["text"], second["sequence"]) == ("x", 2) and second["timestamp"] >= first["timestamp"]


WRONG: list[tuple[dict[str, Any], str]] = [
    *(({"event_type": type}, "event_type") for type in sorted(CONTROL)),
    ({"event_type": "notification"}, "event_type.*create_notification"),
    ({"event_type": "notifications_read"}, "event_type.*create_notification"),
    ({"event_type": "No such"}, "no event type"),
    ({"event_type": "a\nb"}, "no event type"),
    ({"event_type": "a\n"}, "no event type"),
    ({"data": {"text": "x" * PUBLISHED_BYTES}}, "data"),
    ({"data": {"level": "loud"}}, "level"),
    ({"data": {"user_id": "00000000-0000-0000-0000-000000000000"}}, "user_id"),
    ({"user_id": "testuser"}, "user_id"),
    ({"event_id": ""}, "event_id"),
    ({"event_id": "x" * 256}, "event_id"),
    ({"event_id": "\0"}, "event_id"),
]


def test_what_cannot_be_is_refused_and_leaves_nothing(
    service: EventService, user_id: str, database: str
) -> None:
    for wrong, why in WRONG:
        with pytest.raises(ValueError, match=why):
            service.publish(**{"user_id": user_id, "event_type": "note", "data": {}, **wrong})

    assert sql(database, "SELECT 1 FROM streams") == sql(database, "SELECT 1 FROM event_ids") == []


def test_what_json_cannot_hold_is_refused(service: EventService, user_id: str) -> None:
    with pytest.raises(TypeError):
        service.publish(user_id, "note", {"x": object()})


def test_for_nobody_there_is_none(service: EventService, database: str) -> None:
    with pytest.raises(LookupError, match="no user"):
        service.publish(str(uuid.uuid4()), "note", {}, "id")

    assert sql(database, "SELECT 1 FROM streams") == sql(database, "SELECT 1 FROM event_ids") == []
