"""Where each of several rooms on one connection begins: ``rooms=task:<id>@<sequence>,user@latest``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.realtime.sse_cursors import composite
from tests.realtime.test_event_stream import Message, parse
from tests.realtime.test_many_rooms import Reader
from tests.support.system import System, User


def all_of(user: User, params: dict[str, str], headers: dict[str, str] | None = None) -> list[Message]:
    """Of rooms that all end."""
    with user.client.stream("GET", "/api/v2/stream", params=params, headers=headers) as answer:
        return parse("".join(answer.iter_text()).encode())[0]


def test_a_room_begins_where_it_says(system: System, user: User) -> None:
    task_id, latest = (user.start("test_echo", text="x") for _ in range(2))
    heads = [user.finished(each)["sequence"] for each in (task_id, latest)]
    rooms = [f"task:{task_id}@2", f"task:{latest}@latest", "user@3"]

    reader = Reader(system, user, rooms)
    messages = reader.until((f"task:{task_id}", heads[0]), (f"user:{user.id}", 8))
    reader.close()

    begun = json.loads(messages[0].data)["rooms"]
    assert {name: at["cursor"] for name, at in begun.items()} == {
        f"task:{task_id}": 2,
        f"task:{latest}": heads[1],
        f"user:{user.id}": 3,
    }
    seen: list[dict[str, Any]] = [json.loads(m.data) for m in messages]
    ours = [
        data["sequence"] for data in seen if data.get("stream") == f"task:{task_id}" and "sequence" in data
    ]
    assert ours == list(range(3, heads[0] + 1))
    assert min(data["sequence"] for data in seen if data.get("user_id") == user.id) == 4


def test_an_id_beats_where_a_room_says_it_begins(system: System, user: User) -> None:
    task_id = user.start("test_echo", text="x")
    head = user.finished(task_id)["sequence"]
    id = composite([f"task:{task_id}"], [head - 1])

    rooms = {"rooms": f"task:{task_id}@1"}

    for messages in (
        all_of(user, rooms, {"Last-Event-ID": id}),
        all_of(user, rooms | {"since_sequence": id}),
    ):
        assert [json.loads(m.data)["sequence"] for m in messages if m.type == "task_status"] == [head]


def test_a_filter_holds_for_all_rooms_wherever_they_begin(system: System, user: User) -> None:
    task_id = user.start("test_echo", text="x")
    user.finished(task_id)

    messages = all_of(user, {"rooms": f"task:{task_id}@1", "types": "agent_started,agent_completed"})

    assert [m.type for m in messages] == ["connected", "agent_started", "agent_completed", "end"]


NO_CURSOR = [*(f"user@{at}" for at in ("", "-1", "1.5", "x", "٣", "9" * 19, "9" * 5000)), "user@1@2"]


@pytest.mark.parametrize("rooms", [*NO_CURSOR, "user@1,user@2"])
def test_what_is_no_cursor_is_refused(user: User, rooms: str) -> None:
    answer = user.client.get("/api/v2/stream", params={"rooms": rooms})

    assert answer.status_code == 422 and list(answer.json()["errors"]) == ["rooms"]
