"""The stream of a user: what happens to the user's tasks and notifications, over every transport."""

from __future__ import annotations

import httpx
import pytest

from tests.realtime.conftest import Open
from tests.support.system import System, User, wait_for
from tests.support.viewers import SocketViewer

LIFE = [
    "task_created",
    "status_changed",
    "agent_started",
    "agent_completed",
    "task_completed",
    "status_changed",
]


def test_a_task_is_told_in_order_and_once(watch: Open, user: User) -> None:
    viewer = watch(user, "", 0, "events")

    task_id = user.start("test_echo", text="hello")
    viewer.wait_events(len(LIFE) + 1)

    about_task = [e for e in viewer.events if e.get("task_id") == task_id]
    assert [e["type"] for e in about_task] == LIFE
    assert viewer.sequences == list(range(1, len(LIFE) + 2))
    created, started, agent, done, completed, ended = about_task
    assert created["title"] == "Task: test_echo" and created["status"] == "PENDING"
    assert created["intent"] == "execute_command" and created["parent_id"] is None
    assert (started["previous_status"], started["status"]) == ("PENDING", "STARTED")
    assert agent["agent_type"] == done["agent_type"] == "test_echo"
    assert done["success"] is True and done["execution_time_ms"] >= 0
    assert (completed["status"], completed["success"]) == ("SUCCESS", True)
    assert (ended["previous_status"], ended["status"]) == ("STARTED", "SUCCESS")
    assert all(e["stream"] == f"user:{user.id}" and e["user_id"] == user.id for e in viewer.events)
    notices = [e for e in viewer.events if e["type"] == "notification"]
    assert [n["notification_type"] for n in notices] == ["generation_complete"]


def test_who_was_cut_gets_what_was_missed(watch: Open, user: User) -> None:
    viewer = watch(user, "", 0, "events")
    user.finished(user.start("test_echo", text="before"))
    viewer.wait_events(7)
    viewer.cut()
    user.finished(user.start("test_echo", text="meanwhile"))

    viewer.resume()
    user.finished(user.start("test_echo", text="after"))

    viewer.wait_events(21)
    assert viewer.sequences == list(range(1, 22))


def test_without_a_cursor_it_is_live(watch: Open, user: User) -> None:
    user.finished(user.start("test_echo", text="before"))
    viewer = watch(user, "", None, "events")
    if not isinstance(viewer, SocketViewer):
        viewer.control("connected")

    task_id = user.start("test_echo", text="after")

    viewer.wait_events(7)
    assert {e["task_id"] for e in viewer.events if "task_id" in e} == {task_id}


def test_the_notifications_alone(watch: Open, user: User) -> None:
    viewer = watch(user, "", 0, "notifications")

    task_id = user.start("test_fail", text="no such luck")

    viewer.wait_events(1)
    (failed,) = viewer.events
    assert (failed["notification_type"], failed["severity"]) == ("generation_failed", "error")
    assert failed["urgent"] is True and "no such luck" in failed["message"]
    assert (failed["related_type"], failed["related_id"]) == ("task", task_id)
    assert failed["action_url"] == f"/runs/{task_id}"
    assert user.get("notifications")["notifications"][0] == {
        name: value
        for name, value in failed.items()
        if name not in ("type", "stream", "user_id", "timestamp", "replaces", "unread_count")
    }


def test_what_is_read_in_one_tab_is_read_in_the_others(watch: Open, user: User) -> None:
    for text in ("x", "y"):
        user.finished(user.start("test_echo", text=text))
    head = user.get("notifications")["notifications"][0]["sequence"]
    viewer = watch(user, "", head, "notifications")
    newest = user.get("notifications", unread="true")["notifications"][0]["id"]

    one = user.client.post(f"/api/v2/notifications/{newest}/read").json()
    again = user.client.post(f"/api/v2/notifications/{newest}/read").json()
    every = user.client.post("/api/v2/notifications/read-all").json()

    assert (one, again, every) == ({"unread_count": 1}, {"unread_count": 1}, {"unread_count": 0})
    viewer.wait_events(2)
    first, second = viewer.events
    assert (first["type"], first["ids"], first["unread_count"]) == ("notifications_read", [newest], 1)
    assert (second["all"], second["unread_count"]) == (True, 0)
    assert user.get("notifications/unread-count") == {"unread_count": 0}


def test_nobody_hears_of_anothers(watch: Open, user: User, system: System) -> None:
    other = system.user()
    viewer = watch(other, "", 0, "events")

    user.finished(user.start("test_echo", text="private"))
    own = other.start("test_echo", text="own")

    viewer.wait_events(7)
    other.client.close()
    assert {e["task_id"] for e in viewer.events if "task_id" in e} == {own}


def test_a_socket_that_joins_both_gets_each_event_once_and_in_order(system: System, user: User) -> None:
    viewer = SocketViewer(system.url, user, "", room="notifications")
    viewer.open(0)

    wider = viewer.client.call("join_events", {"since_sequence": 0}, timeout=60)
    again = viewer.client.call("join_notifications", {}, timeout=60)
    user.start("test_echo", text="x")

    viewer.wait_events(7)
    viewer.close()
    assert wider["ok"] and again["ok"]
    assert viewer.sequences == list(range(1, 8))


def test_a_socket_that_would_have_to_go_back_is_told_so(system: System, user: User) -> None:
    user.finished(user.start("test_echo", text="x"))
    viewer = SocketViewer(system.url, user, "", room="notifications")
    viewer.open(0)
    viewer.wait_events(1)

    refused = viewer.client.call("join_events", {"since_sequence": 0}, timeout=60)
    left = viewer.client.call("leave_events", {}, timeout=60)
    joined = viewer.client.call("join_events", {"since_sequence": 0, "types": ["task_created"]}, timeout=60)

    assert refused["error"]["status"] == 409 and left == {"ok": True} and joined["ok"]
    wait_for("what it wants", lambda: [e for e in viewer.events if e["type"] == "task_created"])
    viewer.close()


@pytest.mark.parametrize(
    "wrong", [{"types": "log"}, {"types": ["no such type!"]}, {"since_sequence": -1}, {"x": 1}]
)
def test_a_join_that_makes_no_sense_is_refused(system: System, user: User, wrong: dict[str, object]) -> None:
    viewer = SocketViewer(system.url, user, "", room="events")
    viewer.connect()

    answer = viewer.client.call("join_events", wrong, timeout=60)

    viewer.close()
    (named,) = answer["error"]["errors"]
    assert answer["error"]["status"] == 422 and named.partition(".")[0] in wrong


@pytest.mark.slow
def test_switched_off_the_notification_stream_is_not_there(system: System, user: User) -> None:
    bearer = {"Authorization": f"Bearer {user.token}"}
    with system.web(ENABLE_SSE_NOTIFICATIONS="0") as url:
        refused = httpx.get(f"{url}/api/v2/notifications/stream", headers=bearer, timeout=60)
        polled = httpx.get(f"{url}/api/v2/notifications/unread-count", headers=bearer, timeout=60)

    assert refused.status_code == 404 and "switched off" in refused.json()["detail"]
    assert polled.json() == {"unread_count": 0}
