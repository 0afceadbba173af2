"""What is Socket.IO's own: handshakes, acknowledgements, joins of every shape, and the page of older clients."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import socketio

from app.realtime.socketio.foreign import ForeignEmits
from app.stream.message import Channels
from tests.support.system import System, User, wait_for
from tests.support.viewers import SocketViewer


@pytest.fixture
def viewer(system: System, user: User, running: str) -> Iterator[SocketViewer]:
    """Connected, and in no room yet."""
    viewer = SocketViewer(system.url, user, running)
    viewer.connect()
    yield viewer
    viewer.close()


def test_joining_without_a_sequence_shows_the_present_state_first(viewer: SocketViewer, user: User) -> None:
    ack = viewer.join()
    snapshot = user.status(viewer.task_id)
    assert ack == {"ok": True, "task_id": viewer.task_id, "sequence": snapshot["sequence"]}
    viewer.wait_events(2)
    shown = {e["type"]: e for e in viewer.events}
    assert shown["task_status"]["sequence"] == snapshot["task"]["status_sequence"]
    assert shown["phase_update"]["sequence"] == snapshot["phases"][0]["sequence"]
    user.client.post(f"/api/v2/tasks/{viewer.task_id}/cancel")
    viewer.control("end")
    assert min(s for s in viewer.sequences if s > ack["sequence"]) == ack["sequence"] + 1


def test_joining_twice_sends_nothing_twice(viewer: SocketViewer, user: User) -> None:
    assert viewer.join(0)["ok"]
    assert viewer.join(0)["ok"]
    user.client.post(f"/api/v2/tasks/{viewer.task_id}/cancel")
    viewer.control("end")
    assert viewer.sequences == list(range(1, user.status(viewer.task_id)["sequence"] + 1))


def test_leaving_ends_the_events_and_joining_again_resumes(viewer: SocketViewer, user: User) -> None:
    viewer.join(0)
    head = user.status(viewer.task_id)["sequence"]
    viewer.wait_events(head)
    assert viewer.client.call("leave_task", {"task_id": viewer.task_id})["ok"]
    user.client.post(f"/api/v2/tasks/{viewer.task_id}/cancel")
    last = user.finished(viewer.task_id)["sequence"]
    assert viewer.sequences == list(range(1, head + 1))
    viewer.join(head)
    viewer.control("end")
    assert viewer.sequences == list(range(1, last + 1))


def test_a_join_may_name_the_types_that_it_wants(viewer: SocketViewer, user: User) -> None:
    ack = viewer.client.call(
        "join_task",
        {"task_id": viewer.task_id, "since_sequence": 0, "types": ["phase_update", "task_status"]},
        timeout=60,
    )
    user.client.post(f"/api/v2/tasks/{viewer.task_id}/cancel")

    viewer.control("end")
    assert ack["ok"]
    assert {e["type"] for e in viewer.events} == {"phase_update", "task_status"}


def test_a_second_join_of_a_task_adds_its_types_and_never_goes_back(viewer: SocketViewer, user: User) -> None:
    def join(**more: Any) -> Any:
        return viewer.client.call("join_task", {"task_id": viewer.task_id, **more}, timeout=60)

    first = join(since_sequence=0, types=["phase_update"])
    viewer.wait_events(1)
    back, wider = join(since_sequence=0), join()
    user.client.post(f"/api/v2/tasks/{viewer.task_id}/cancel")

    viewer.control("end")
    assert first["ok"] and wider["ok"] and back["error"]["status"] == 409
    later = [e["sequence"] for e in viewer.events if e["sequence"] > first["sequence"]]
    assert later == list(range(first["sequence"] + 1, user.status(viewer.task_id)["sequence"] + 1))
    assert {e["type"] for e in viewer.events if e["sequence"] <= first["sequence"]} == {"phase_update"}


def test_the_present_state_comes_in_the_types_that_are_wanted(viewer: SocketViewer, user: User) -> None:
    ask = {"task_id": viewer.task_id, "types": ["task_status"]}
    assert viewer.client.call("join_task", ask, timeout=60)["ok"]
    user.client.post(f"/api/v2/tasks/{viewer.task_id}/cancel")

    viewer.control("end")
    assert user.status(viewer.task_id)["phases"], "there was something to leave out"
    assert {e["type"] for e in viewer.events} == {"task_status"}


def test_two_joins_at_once_lose_nothing_of_the_present_state(viewer: SocketViewer, user: User) -> None:
    viewer.client.emit("join_task", {"task_id": viewer.task_id, "types": ["task_status"]})
    again = viewer.client.call("join_task", {"task_id": viewer.task_id}, timeout=60)
    user.client.post(f"/api/v2/tasks/{viewer.task_id}/cancel")

    viewer.control("end")
    assert again["ok"]
    assert viewer.events[0]["type"] == "task_status" and viewer.events[0]["sequence"] <= again["sequence"]


SHAPES: list[Any] = [
    None, 7, "text", [], ["a", "b"], {}, {"task_id": None}, {"task_id": 7}, {"task_id": "not a uuid"},
    {"task_id": ["x"]}, {"task_id": {"$ne": 1}}, {"task_id": "x" * 50_000}, b"\x00\x01", {"task_id": b"\xff"},
    {"id": str(uuid.uuid4())},
]  # fmt: skip


@pytest.mark.parametrize("event", ["join_task", "leave_task", "refresh_token"])
def test_malformed_messages_are_refused_and_the_socket_stays(viewer: SocketViewer, event: str) -> None:
    for shape in SHAPES:
        ack = viewer.client.call(event, shape, timeout=60)
        assert ack["ok"] is False, (event, shape)
        assert 400 <= ack["error"]["status"] < 500
        assert ack["error"]["title"]
    for extra in (
        {"since_sequence": -1},
        {"since_sequence": "5"},
        {"since_sequence": 1.5},
        {"since_sequence": True},
    ):
        ack = viewer.client.call("join_task", {"task_id": viewer.task_id, **extra}, timeout=60)
        assert ack["ok"] is False
        assert "since_sequence" in ack["error"]["errors"]
    for types in ("log", [], ["no such type!"], [1], ["log"] * 33):
        ack = viewer.client.call("join_task", {"task_id": viewer.task_id, "types": types}, timeout=60)
        assert ack["ok"] is False and next(iter(ack["error"]["errors"])).partition(".")[0] == "types"
    unknown = viewer.client.call("join_task", {"task_id": viewer.task_id, "colour": 1}, timeout=60)
    assert "colour" in unknown["error"]["errors"]
    assert viewer.client.call("join_task", (), timeout=60)["ok"] is False
    assert viewer.join(0)["ok"]


def test_another_users_room_and_no_room_look_the_same(system: System, other: User, running: str) -> None:
    viewer = SocketViewer(system.url, other, running)
    viewer.connect()
    foreign = viewer.join(0)
    absent = viewer.client.call("join_task", {"task_id": str(uuid.uuid4())})
    assert foreign == absent
    assert (foreign["ok"], foreign["error"]["status"]) == (False, 404)
    assert viewer.client.connected
    viewer.close()


@pytest.mark.parametrize(
    "auth", [None, {}, {"token": ""}, {"token": "x.y.z"}, {"token": 7}, {"token": ["x"]}]
)
def test_a_handshake_without_a_good_token_is_refused(system: System, auth: Any) -> None:
    client = socketio.Client(reconnection=False)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(system.url, auth=auth, transports=["websocket"], wait_timeout=60)
    client.disconnect()


def test_a_foreign_origin_is_refused_and_the_own_one_is_not(system: System, user: User) -> None:
    for origin, good in (("https://evil.example", False), (system.url, True)):
        response = user.client.get(
            "/socket.io/?EIO=4&transport=polling", headers={"Origin": origin, "Authorization": ""}
        )
        assert (response.status_code == 200) is good, response.text


def test_a_token_renewed_in_band_is_checked(
    viewer: SocketViewer, system: System, user: User, other: User
) -> None:
    fresh = system.sign_in(user.email)
    token = fresh.headers["Authorization"].removeprefix("Bearer ")
    assert viewer.client.call("refresh_token", {"token": token})["ok"]
    assert viewer.client.call("refresh_token", {"token": other.token})["ok"] is False
    assert viewer.client.call("refresh_token", {"token": "x.y.z"})["ok"] is False
    fresh.close()


def test_a_vanilla_emitter_cannot_speak_in_a_tasks_room(
    system: System, viewer: SocketViewer, user: User, redis_url: str
) -> None:
    viewer.join(0)
    channel = Channels(redis_url).socketio
    outsider = socketio.RedisManager(redis_url, channel=channel, write_only=True)
    before = dropped(system)
    outsider.emit("log", {"message": "forged", "sequence": 99}, room=f"task:{viewer.task_id}")
    outsider.emit("log", {"message": "forged"}, room=[f"user:{user.id}", "a room of one's own"])
    outsider.emit("weather", {"message": "for all"})
    wait_for("what is of no stream", lambda: [e for e in viewer.events if e["type"] == "weather"])
    user.client.post(f"/api/v2/tasks/{viewer.task_id}/cancel")
    viewer.control("end")
    assert not [e for e in viewer.events if e.get("message") == "forged"]
    assert dropped(system) - before == 2
    outsider.redis.close()


def dropped(system: System) -> float:
    """How many of them the web process has counted."""
    text = httpx.get(f"{system.url}/metrics", timeout=60).text
    (line,) = (
        line for line in text.splitlines() if line.startswith("taskroom_socketio_foreign_dropped_total")
    )
    return float(line.split()[-1])


def test_an_emitter_that_is_not_heard_is_told_once_in_the_log_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    handled: list[dict[str, object]] = []
    manager = SimpleNamespace(_handle_emit=handled.append)
    foreign = ForeignEmits(manager)
    messages = [
        {"event": "log", "room": room} for room in ("task:1", "lobby", None, "broadcast", ["user:1", "x"], 7)
    ]

    for message in messages:
        manager._handle_emit(message)

    assert (handled, foreign.dropped) == (messages, 3)
    (record,) = caplog.records
    assert "'log'" in record.getMessage() and "'task:1'" in record.getMessage()


def test_a_ticket_opens_one_socket(system: System, user: User, running: str) -> None:
    ticket = user.client.post("/api/v2/auth/ticket").json()["ticket"]
    first, second = socketio.Client(reconnection=False), socketio.Client(reconnection=False)
    first.connect(system.url, auth={"ticket": ticket}, transports=["websocket"], wait_timeout=60)
    assert first.call("join_task", {"task_id": running})["ok"]
    with pytest.raises(socketio.exceptions.ConnectionError):
        second.connect(system.url, auth={"ticket": ticket}, transports=["websocket"], wait_timeout=60)
    first.disconnect()
    second.disconnect()


def test_one_polling_socket_carries_many_busy_rooms(system: System, user: User) -> None:
    tasks = [user.start("test_phases", count=200) for _ in range(4)]
    for task_id in tasks:
        user.finished(task_id)
    viewer = SocketViewer(system.url, user, tasks[0], transports=("polling",))
    viewer.connect()
    for task_id in tasks:
        assert viewer.client.call("join_task", {"task_id": task_id, "since_sequence": 0}, timeout=60)["ok"]
    wait_for(
        "the end of all rooms", lambda: len([c for c in viewer.controls if c[0] == "end"]) == len(tasks), 60
    )
    for task_id in tasks:
        seen = sorted(e["sequence"] for e in viewer.events if e["task_id"] == task_id)
        assert seen == list(range(1, user.status(task_id)["sequence"] + 1))
    viewer.close()


def test_leaving_stops_what_was_on_its_way(system: System, user: User) -> None:
    task_id = user.start("emit_load", events=3000, rate=0, message_bytes=50)
    user.finished(task_id)
    viewer = SocketViewer(system.url, user, task_id, transports=("polling",))
    viewer.connect()
    viewer.join(0)
    assert viewer.client.call("leave_task", {"task_id": task_id})["ok"]
    left_at = len(viewer.events)
    assert viewer.client.call("leave_task", {"task_id": task_id})["ok"]  # a round trip later
    assert len(viewer.events) - left_at <= 40
    viewer.close()
