"""Notifications: a row and an event in one transaction, and a count that is always right."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.inbox import store as inbox
from app.inbox.notification import LONGEST_METADATA, SEVERITIES, TYPES
from app.notifications import create_notification
from app.stream.event import user_stream
from app.stream.store import Store
from tests.stream.helpers import in_threads, sql
from tests.support.inbox import notify, unread
from tests.tasks.helpers import Tasks


def test_a_notification_is_a_row_and_an_event(here: Tasks) -> None:
    made = notify(here, "Audio ready", message="Your audio is ready", type="success", metadata={"length": 3})

    (event,) = Store(here.connect).after(user_stream(here.user_id), 0)
    with here.connect() as connection, connection.cursor() as cur:
        ((row,), _) = inbox.page(cur, here.user_id, None, None, 10)
    assert event.decoded() == made and made["severity"] == "success"
    assert {name: made[name] for name in row} == row
    assert unread(here) == 1


# Written out: the product's own table would lose the same types as the product.
FOURTEEN = {
    "approval_required": "warning",
    "content_ready": "success",
    "content_approved": "success",
    "content_rejected": "warning",
    "content_published": "success",
    "generation_started": "info",
    "generation_complete": "success",
    "generation_failed": "error",
    "payment_received": "success",
    "payment_failed": "error",
    "subscription_expiring": "warning",
    "trial_expiring": "warning",
    "system_announcement": "info",
    "mention": "info",
}
FOUR = {"info": "info", "success": "success", "warning": "warning", "error": "error"}


@pytest.mark.parametrize(("type", "severity"), [*FOURTEEN.items(), *FOUR.items()])
def test_every_type_has_a_severity(here: Tasks, type: str, severity: str) -> None:
    made = notify(here, type=type)

    assert (made["notification_type"], made["severity"]) == (type, severity)
    with here.connect() as connection, connection.cursor() as cur:
        ((row,), _) = inbox.page(cur, here.user_id, None, None, 10)
    assert (row["notification_type"], row["severity"]) == (type, severity), "in the list too"


def test_there_are_fourteen_types_and_four_and_no_other() -> None:
    assert len(FOURTEEN) == 14 and dict(TYPES) == FOURTEEN | FOUR
    assert set(SEVERITIES) == set(FOUR)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"type": "none"}, "type"),
    ({"type": ["info"]}, "type"),
    ({"title": ""}, "title"),
    ({"title": 7}, "title"),
    ({"message": None}, "message"),
    ({"related_type": 7}, "related_type"),
    ({"related_id": uuid.uuid4()}, "related_id"),
    ({"related_session_id": "x" * 256}, "related_session_id"),
    ({"urgent": 1}, "urgent"),
    ({"metadata": [1]}, "metadata"),
    ({"metadata": {"x": object()}}, "metadata"),
    ({"metadata": {"x": "é" * (LONGEST_METADATA // 2)}}, "metadata"),
    ({"event_id": ""}, "event_id"),
    ({"event_id": "a\0"}, "event_id"),
    *(
        ({"action_url": url}, "action_url")
        for url in (
            *("/" * 256, "", "runs/1", "javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)"),
            *("java\tscript:alert(1)", "data:text/html,x", "//elsewhere.org", "/\\elsewhere.org"),
            *("http:elsewhere.org", "https://", "/a b", "/a\nb", "/a\n", "ftp://x.org"),
        )
    ),
]


def test_an_invalid_field_is_refused_by_name_and_stores_nothing(here: Tasks) -> None:
    for wrong, field in WRONG:
        with pytest.raises(ValueError) as refused:
            create_notification(**{"user_id": here.user_id, "title": "x", "message": "", **wrong})
        assert str(refused.value).startswith(f"{field}: "), wrong

    assert unread(here) == 0 and not sql(here.database, "SELECT 1 FROM event_ids")


def test_valid_fields_are_stored_unchanged(here: Tasks) -> None:
    for url in ("/", "/runs/1?x=%20#L5", "https://example.org", "HTTP://[::1]:80/x"):
        assert notify(here, action_url=url)["action_url"] == url
    made = notify(
        here, related_type="notebook", related_id="7", metadata={"a": [1, {"b": None}]}, urgent=True
    )

    assert (made["related_type"], made["related_id"], made["urgent"]) == ("notebook", "7", True)
    assert made["metadata"] == {"a": [1, {"b": None}]}


def test_two_notifications_of_one_event_id_are_stored_once(here: Tasks) -> None:
    answers: list[Any] = []

    in_threads(
        [lambda: answers.append(create_notification(here.user_id, "x", "", event_id="reminder-1"))] * 4
    )
    again = create_notification(here.user_id, "y", "", event_id="reminder-1")
    other = create_notification(here.user_id, "z", "", event_id="reminder-2")

    assert len([answer for answer in answers if answer]) == 1 and again is None and other
    assert unread(here) == 2


def test_a_long_title_is_cut(here: Tasks) -> None:
    assert len(notify(here, "é" * 300)["title"]) == 255


def test_an_id_in_any_spelling_is_the_same_user(here: Tasks) -> None:
    create_notification(here.user_id.upper(), "x", "")
    create_notification(uuid.UUID(here.user_id), "y", "")  # type: ignore[arg-type]

    assert [e.sequence for e in Store(here.connect).after(user_stream(here.user_id), 0)] == [1, 2]
    with pytest.raises(ValueError, match="UUID"):
        create_notification("nobody", "x", "")


def test_an_unknown_user_gets_no_notification(here: Tasks) -> None:
    nobody = str(uuid.uuid4())

    with pytest.raises(LookupError, match=nobody):
        create_notification(nobody, "x", "")

    assert not sql(here.database, "SELECT 1 FROM streams WHERE name = %s", user_stream(nobody))
