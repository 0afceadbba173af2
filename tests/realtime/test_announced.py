"""What everybody is told reaches every stream that speaks to a user, once, also who was cut meanwhile."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest

from app.stream.event import BROADCAST
from tests.support.frames import Frames
from tests.support.system import System, User

# The field that has the title, by address, as the documents print them.
SPEAKING = (
    "/api/v2/events/stream",
    "/api/v2/notifications/stream",
    "/api/v1/notifications/stream/",
    "/api/notifications/stream",
    "/api/v1/events/stream",
)
each = pytest.mark.parametrize("address", SPEAKING)


@pytest.fixture
def admin(system: System) -> Iterator[User]:
    admin = system.user("admin")
    yield admin
    admin.client.close()


def announce(admin: User) -> str:
    title = f"Maintenance {uuid.uuid4()}"
    answer = admin.client.post("/api/v2/announcements", json={"title": title})
    assert answer.status_code == 201
    return title


def titles_of(frames: Frames, *titles: str) -> list[str]:
    """Which of them were told, in order, once the last was."""
    frames.wait(f"{titles[-1]}", lambda f: titles[-1] in [d.get("title") for d in f.data])
    return [d["title"] for d in frames.data if d.get("title") in titles]


@each
def test_an_announcement_is_told_live(system: System, user: User, admin: User, address: str) -> None:
    with Frames(system.url, user, address) as frames:
        frames.wait("its first words", lambda f: f.last_id)
        title = announce(admin)

        assert titles_of(frames, title) == [title]
        shown = next(data for data in frames.data if data.get("title") == title)
    if "/v1/" not in address:
        assert (shown["stream"], shown["notification_type"]) == (BROADCAST, "system_announcement")


@each
def test_who_was_cut_hears_what_was_announced_meanwhile_and_nothing_twice(
    system: System, user: User, admin: User, address: str
) -> None:
    """At first it knows of no announcement, and its id is a bare sequence."""
    with Frames(system.url, user, address) as frames:
        frames.wait("its first words", lambda f: f.last_id)
        place = frames.last_id
    first = announce(admin)
    with Frames(system.url, user, address, Last_Event_ID=place) as frames:
        assert titles_of(frames, first) == [first]
        place = frames.last_id
    second = announce(admin)
    with Frames(system.url, user, address, Last_Event_ID=place) as frames:
        assert titles_of(frames, first, second) == [second]
        place = frames.last_id
        mine = user.start("test_echo")
        user.finished(mine)
        frames.wait("a notification of one's own", lambda f: mine in f.body.decode())
        own = frames.last_id
    third = announce(admin)
    with Frames(system.url, user, address, Last_Event_ID=own) as frames:
        assert titles_of(frames, first, second, third) == [third]

    assert re.fullmatch(r"\d+", place.partition(".")[0]) and "." in place and "." in own


def test_who_begins_with_a_page_load_is_told_no_older_announcement(
    system: System, user: User, admin: User
) -> None:
    old = announce(admin)
    with Frames(system.url, user, "/api/v2/events/stream?since_sequence=0") as frames:
        new = announce(admin)

        assert titles_of(frames, old, new) == [new]


def test_of_another_type_nothing_is_told(system: System, user: User, admin: User) -> None:
    with Frames(system.url, user, "/api/v2/events/stream?types=task_created") as frames:
        frames.wait("its first words", lambda f: f.last_id)
        title = announce(admin)
        task_id = user.start("test_echo")
        frames.wait("the task", lambda f: task_id in f.body.decode())

        assert title not in frames.body.decode()


@pytest.mark.parametrize("id", ["1.", ".1", "1.2.3", "1.x", "1.99999999999999999999", "-1.2"])
def test_what_is_no_place_is_refused_by_name(user: User, id: str) -> None:
    answer = user.client.get("/api/v2/events/stream", headers={"Last-Event-ID": id})
    assert answer.status_code == 400 and list(answer.json()["errors"]) == ["Last-Event-ID"]
    answer = user.client.get("/api/v2/events/stream", params={"since_sequence": id})
    assert answer.status_code == 422 and list(answer.json()["errors"]) == ["since_sequence"]
