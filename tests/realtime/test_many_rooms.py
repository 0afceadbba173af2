"""Many rooms on one SSE connection, as a client has them."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from app.realtime.sse_cursors import composite
from tests.realtime.test_event_stream import Message, parse
from tests.realtime.test_rooms import is_right
from tests.support.held import held
from tests.support.system import System, User
from tests.support.viewers import SocketViewer


class Reader:
    """``GET stream?rooms=`` as a client reads it."""

    def __init__(self, system: System, user: User, rooms: list[str], id: str | None = None) -> None:
        headers = {"Last-Event-ID": id} if id else {}
        self._context = user.client.stream(
            "GET", "/api/v2/stream", params={"rooms": ",".join(rooms)}, headers=headers
        )
        self.response = self._context.__enter__()
        assert self.response.status_code == 200, self.response.read()
        self._lines = self.response.iter_lines()

    def until(self, *ends: tuple[str, int]) -> list[Message]:
        """The messages up to where each of these streams has that many events; all when the stream ends before."""
        text, seen = "", dict.fromkeys((stream for stream, _ in ends), 0)
        for line in self._lines:
            text += line + "\n"
            if line.startswith("data: ") and "sequence" in (data := json.loads(line[6:])):
                seen[data["stream"]] = data["sequence"]
            if line == "" and ends and all(seen[stream] >= count for stream, count in ends):
                break
        return [m for m in parse(text.encode())[0] if m.type != "heartbeat"]

    def close(self) -> None:
        self._context.__exit__(None, None, None)


def test_several_rooms_come_once_and_in_order_and_resume_by_one_id(
    system: System, user: User, tmp_path: Path
) -> None:
    with held(user, tmp_path) as run:
        tasks = [run.id, user.start("test_gated", gate=str(run.gate))]
        streams = sorted([*(f"task:{task_id}" for task_id in tasks), f"user:{user.id}"])
        rooms = [*(f"task:{task_id}" for task_id in tasks), "user"]

        first = Reader(system, user, rooms, composite(streams, [0, 0, 0]))
        begun = first.until((streams[0], 40))
        first.close()
        second = Reader(system, user, rooms, begun[-1].id)
        run.let_go()
    heads = [(f"task:{task_id}", user.finished(task_id, 60)["sequence"]) for task_id in tasks]
    rest = second.until(*heads, (streams[2], 14))  # seven of a run: docs/protocol.md
    second.close()

    assert begun[0].type == rest[0].type == "connected"
    middle = is_right(begun, streams, [0, 0, 0])
    ends = is_right(rest, streams, middle)
    assert ends[:2] == [user.status(name.partition(":")[2])["sequence"] for name in streams[:2]]


def test_without_an_id_tasks_begin_at_their_first_event_and_the_user_is_live(
    system: System, user: User
) -> None:
    task_id = user.start("test_echo", text="x")
    head = user.finished(task_id)["sequence"]
    reader = Reader(system, user, [f"task:{task_id}", "user", "broadcast"])

    connected = reader.until((f"task:{task_id}", head))[0]
    reader.close()

    rooms = json.loads(connected.data)["rooms"]
    assert rooms[f"task:{task_id}"] == {"cursor": 0, "head": head}
    assert rooms[f"user:{user.id}"]["cursor"] == rooms[f"user:{user.id}"]["head"] >= 6


def test_when_all_rooms_have_ended_the_response_ends_and_there_is_nothing_more(
    system: System, user: User
) -> None:
    tasks = [user.start("test_echo", text="x") for _ in range(2)]
    rooms = [f"task:{task_id}" for task_id in tasks]
    for task_id in tasks:
        user.finished(task_id)

    reader = Reader(system, user, rooms)
    messages = reader.until()
    reader.close()
    again = user.client.get(
        "/api/v2/stream", params={"rooms": ",".join(rooms)}, headers={"Last-Event-ID": messages[-1].id}
    )

    assert [m.type for m in messages].count("end") == 2
    assert again.status_code == 204


def test_09_an_id_of_other_rooms_is_refused_by_name(system: System, user: User) -> None:
    for id in (composite(["broadcast"], [0]), "5", "x.y"):
        answer = user.client.get("/api/v2/stream", params={"rooms": "user"}, headers={"Last-Event-ID": id})
        assert answer.status_code == 400 and list(answer.json()["errors"]) == ["Last-Event-ID"]
    answer = user.client.get("/api/v2/stream", params={"rooms": "user", "since_sequence": "5"})
    assert answer.status_code == 422 and list(answer.json()["errors"]) == ["since_sequence"]


def test_one_forbidden_room_is_404_for_all(system: System, user: User) -> None:
    other = system.user()
    with closing(other.client):
        foreign = other.start("test_echo", text="private")
    for room in (f"task:{foreign}", f"user:{other.id}"):
        answer = user.client.get("/api/v2/stream", params={"rooms": f"user,{room}"})
        assert answer.status_code == 404 and room not in answer.text


@pytest.mark.parametrize("rooms", ["", "x", "task:1", "user,", "users", ",".join(["user"] * 17)])
def test_what_names_no_rooms_is_refused(user: User, rooms: str) -> None:
    answer = user.client.get("/api/v2/stream", params={"rooms": rooms})

    assert answer.status_code == 422 and list(answer.json()["errors"]) == ["rooms"]


def test_an_announcement_reaches_everybody_and_only_an_admin_makes_one(system: System, user: User) -> None:
    admin = system.user("admin")
    reader = Reader(system, user, ["broadcast", "user"])
    socket_viewer = SocketViewer(system.url, admin, "", room="broadcast")
    socket_viewer.open()
    noon = {"title": "Maintenance at noon", "message": "", "urgent": True}
    announced = admin.client.post("/api/v2/announcements", json=noon)
    refused = user.client.post("/api/v2/announcements", json={"title": "x"})

    message = reader.until(("broadcast", announced.json()["sequence"]))[-1]
    socket_viewer.wait_events(1)
    left = socket_viewer.client.call("leave_broadcast", {}, timeout=60)
    socket_viewer.join(announced.json()["sequence"] - 1)
    socket_viewer.wait_events(2)
    reader.close()
    socket_viewer.close()
    admin.client.close()

    assert (announced.status_code, refused.status_code) == (201, 403)
    data = json.loads(message.data)
    assert (message.type, data["notification_type"], data["title"]) == (
        *("notification", "system_announcement"),
        "Maintenance at noon",
    )
    assert left == {"ok": True}
    assert [e["id"] for e in socket_viewer.events] == [data["id"], data["id"]] == [announced.json()["id"]] * 2
    assert user.get("notifications/unread-count") == {"unread_count": 0}


def test_rooms_are_the_same_in_capital_letters(system: System, user: User) -> None:
    task_id = user.start("test_echo", text="x")
    user.finished(task_id)
    rooms = [f"task:{task_id}".replace(task_id, task_id.upper()), f"user:{user.id.upper()}"]

    with user.client.stream("GET", "/api/v2/stream", params={"rooms": ",".join(rooms)}) as answer:
        connected = next(line for line in answer.iter_lines() if line.startswith("data: "))

    assert sorted(json.loads(connected.removeprefix("data: "))["rooms"]) == [
        f"task:{task_id}",
        f"user:{user.id}",
    ]


def test_head_answers_without_a_stream(user: User) -> None:
    answer = user.client.head("/api/v2/stream", params={"rooms": "user"})

    assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/event-stream"
