"""Notifications: a row and an event in one transaction, and a count that is always right."""

from __future__ import annotations

import threading
import uuid

import pytest

from app import notifications
from app.notifications import SEVERITIES, TYPES, create_notification, mark_read, unread_count
from app.stream.event import user_stream
from app.stream.store import Store
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks


def unread(tasks: Tasks) -> int:
    with tasks.connect() as connection, connection.cursor() as cur:
        return unread_count(cur, tasks.user_id)


def test_it_is_a_row_and_an_event(here: Tasks) -> None:
    made = create_notification(
        here.user_id, "Audio ready", "Your audio is ready", "success", metadata={"length": 3}
    )

    (event,) = Store(here.connect).after(user_stream(here.user_id), 0)
    with here.connect() as connection, connection.cursor() as cur:
        (row,) = notifications.page(cur, here.user_id, None, None, 10)
    assert event.decoded() == made and made["severity"] == "success"
    assert {name: made[name] for name in row} == row
    assert unread(here) == 1


@pytest.mark.parametrize("type", TYPES)
def test_every_type_has_a_severity(here: Tasks, type: str) -> None:
    assert create_notification(here.user_id, "x", "", type)["severity"] in SEVERITIES


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"type": "none"}, "type"), ({"title": ""}, "title"), ({"action_url": "/" * 256}, "action_url")],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(here: Tasks, wrong: dict[str, str], field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field}:"):
        create_notification(**{"user_id": here.user_id, "title": "x", "message": "", **wrong})

    assert unread(here) == 0


def test_a_long_title_is_cut(here: Tasks) -> None:
    assert len(create_notification(here.user_id, "é" * 300, "")["title"]) == 255


def test_however_an_id_is_written_it_is_the_same_users(here: Tasks) -> None:
    create_notification(here.user_id.upper(), "x", "")
    create_notification(uuid.UUID(here.user_id), "y", "")  # type: ignore[arg-type]

    assert [e.sequence for e in Store(here.connect).after(user_stream(here.user_id), 0)] == [1, 2]
    with pytest.raises(ValueError, match="UUID"):
        create_notification("nobody", "x", "")


def test_for_nobody_there_is_none(here: Tasks) -> None:
    nobody = str(uuid.uuid4())

    with pytest.raises(LookupError, match=nobody):
        create_notification(nobody, "x", "")

    assert not sql(here.database, "SELECT 1 FROM streams WHERE name = %s", user_stream(nobody))


def test_pages_go_on_where_the_last_one_ended_and_hold_what_is_unread(here: Tasks) -> None:
    ids = [create_notification(here.user_id, f"{n}", "")["id"] for n in range(5)]

    with here.connect() as connection, connection.cursor() as cur:
        mark_read(cur, here.user_id, ids[4])
        first = notifications.page(cur, here.user_id, None, None, 2)
        rest = notifications.page(cur, here.user_id, first[-1]["sequence"], None, 10)
        left = notifications.page(cur, here.user_id, None, True, 10)
        done = notifications.page(cur, here.user_id, None, False, 10)

    assert [n["title"] for n in first + rest] == ["4", "3", "2", "1", "0"]
    assert [n["title"] for n in left] == ["3", "2", "1", "0"]
    assert [(n["title"], n["read"], n["status"]) for n in done] == [("4", True, "read")]
    assert done[0]["read_at"]


def test_several_who_write_to_one_user_leave_no_gap_and_the_right_count(here: Tasks) -> None:
    """Tasks of the user end, notifications come and are read, all at the same time."""
    faults: list[Exception] = []

    def work(number: int) -> None:
        tasks = Tasks(here.database)
        tasks.user_id = here.user_id
        try:
            for n in range(25):
                if number == 0:
                    task_id = tasks.started()
                    tasks.end(task_id)
                elif number == 1:
                    with tasks.connect() as connection, connection.cursor() as cur:
                        mark_read(cur, here.user_id)
                else:
                    create_notification(here.user_id, f"{number}.{n}", "")
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert not faults
    events = Store(here.connect).after(user_stream(here.user_id), 0, 10_000)
    ((last,),) = sql(here.database, "SELECT last_seq FROM streams WHERE name = %s", user_stream(here.user_id))
    assert [e.sequence for e in events] == list(range(1, last + 1))
    counted = sql(
        here.database,
        "SELECT count(*) FROM notifications WHERE user_id = %s AND read_at IS NULL",
        here.user_id,
    )
    assert unread(here) == counted[0][0]


def test_what_is_old_goes_and_counts_no_more(here: Tasks) -> None:
    kept, _, old_and_read = (create_notification(here.user_id, title, "")["id"] for title in "abc")
    with here.connect() as connection, connection.cursor() as cur:
        mark_read(cur, here.user_id, old_and_read)
    sql(
        here.database,
        "UPDATE notifications SET created_at = now() - interval '31 days' WHERE id <> %s",
        kept,
    )

    assert notifications.prune(here.connect, 30) == 2

    assert sql(here.database, "SELECT id::text FROM notifications") == [(kept,)]
    assert unread(here) == 1
