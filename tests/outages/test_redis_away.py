"""Without Redis everything goes on, a little later; and nobody can be deaf without anybody knowing."""

from __future__ import annotations

import time

import pytest

from tests.outages.conftest import World
from tests.outages.viewers import TimedSse, saw_everything, watching
from tests.support.system import User, wait_for

SILENT, HEARD = "nothing heard from Redis", "Redis is heard again"


def test_redis_is_killed_for_ten_seconds_and_comes_back_empty(world: World, user: User) -> None:
    task_id = user.start("emit_load", events=1500, rate=100, message_bytes=100)
    with watching(world.system.url, user, task_id) as viewers:
        for viewer in viewers:
            viewer.wait_events(100)
        with world.without_redis():
            before = [len(viewer.events) for viewer in viewers]
            wait_for("the silence to be told", lambda: world.ready().json()["status"] == "degraded")
            wait_for("a silence that is measured", lambda: world.metric("redis_silence_seconds") > 2)
            assert world.metric("redis_connected") == 0
            for viewer, seen in zip(viewers, before, strict=True):
                viewer.wait_events(seen + 1000, 60)
        sse = viewers[0]
        assert isinstance(sse, TimedSse)
        print(f"latest event without Redis: {max(sse.lateness[before[0] :]):.2f} s")
        saw_everything(viewers, user, task_id, "SUCCESS")
    world.whole()
    assert world.metric("redis_connected") == 1 and world.metric("redis_silence_seconds") < 2
    assert user.finished(user.start("test_echo"), 60)["task"]["status"] == "SUCCESS", "the worker is back too"


def test_redis_is_stopped_and_its_silence_is_told_once(world: World, user: User) -> None:
    silent, heard = world.log().count(SILENT), world.log().count(HEARD)
    task_id = user.start("emit_load", events=800, rate=100, message_bytes=100)
    with watching(world.system.url, user, task_id) as viewers:
        for viewer in viewers:
            viewer.wait_events(100)
        with world.stopped(world.redis):
            before = len(viewers[0].events)
            saw_everything(viewers, user, task_id, "SUCCESS")
            wait_for("the line", lambda: world.log().count(SILENT) == silent + 1)
        assert isinstance(viewers[0], TimedSse)
        print(f"latest event beside a stopped Redis: {max(viewers[0].lateness[before:]):.2f} s")
    wait_for("the other line", lambda: world.log().count(HEARD) == heard + 1)
    world.whole()
    assert world.log().count(SILENT) == silent + 1


def test_steps_go_on_when_redis_forgot_what_comes_next(world: World, user: User) -> None:
    slow = {"job_type": "emit_load", "params": {"events": 500, "rate": 100}}
    echo = {"job_type": "test_echo", "params": {"text": "x"}}
    parent = user.start("orchestrate", steps=[slow, echo, echo])
    # Well begun: a worker whose message is not acknowledged yet when Redis dies is ended by its own library.
    wait_for("the first step", lambda: user.status(parent)["task"]["progress"] > 5)

    with world.without_redis():
        wait_for("the second step", lambda: user.get("tasks", parent_id=parent)["tasks"][1:], 60)

    assert user.finished(parent, 90)["task"]["status"] == "SUCCESS"
    world.whole()


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_start_without_the_broker_is_503_soon_and_leaves_no_ghost(
    world: World, user: User, how: str
) -> None:
    body = {"job_type": "test_echo", "params": {"text": "hello"}}
    key = {"Idempotency-Key": "ghost"}

    with world.stopped(world.redis) if how == "stopped" else world.without_redis():
        began = time.monotonic()
        answer = user.client.post("/api/v2/agent/start", json=body, headers=key)
        print(f"503 after {time.monotonic() - began:.2f} s")
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
        assert answer.headers["Content-Type"] == "application/problem+json"
    world.whole()
    # The same key again: it was forgotten. When this one is through, so is whatever the first one left in the queue.
    again = wait_for(
        "the broker",
        lambda: (
            a if (a := user.client.post("/api/v2/agent/start", json=body, headers=key)).is_success else None
        ),
    )
    assert user.finished(again.json()["task_id"], 60)["task"]["status"] == "SUCCESS"

    ghosts = [task for task in user.get("tasks")["tasks"] if task["task_id"] != again.json()["task_id"]]
    assert ghosts
    for ghost in ghosts:
        assert (ghost["status"], ghost["error"]["type"]) == ("FAILURE", "BrokerUnavailable")
        assert [event["type"] for event in user.events(ghost["task_id"])] == ["task_status"] * 2
