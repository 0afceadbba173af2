"""Without Redis everything goes on, a little later; and nobody can be deaf without anybody knowing."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from tests.outages.conftest import World
from tests.outages.viewers import saw_everything, watching
from tests.support.held import held
from tests.support.system import User, wait_for

SILENT, HEARD = "nothing received from Redis", "messages from Redis are received again"


def test_redis_is_killed_for_ten_seconds_and_comes_back_empty(
    world: World, user: User, tmp_path: Path
) -> None:
    with held(user, tmp_path) as task, watching(world.system.url, user, task.id) as viewers:
        for viewer in viewers:
            viewer.wait_events(100)
        with world.without_redis():
            before = [len(viewer.events) for viewer in viewers]
            wait_for("the silence to be told", lambda: world.ready().json()["status"] == "degraded")
            assert world.metric("redis_connected") == 0
            wait_for("ten seconds of silence", lambda: world.metric("redis_silence_seconds") > 10, 60)
            for viewer, seen in zip(viewers, before, strict=True):
                viewer.wait_events(seen + 500, 60)
        task.let_go()
        saw_everything(viewers, user, task.id, "SUCCESS")
    world.whole()
    assert world.metric("redis_connected") == 1
    wait_for("an end of the silence", lambda: world.metric("redis_silence_seconds") < 2)
    assert user.finished(user.start("test_echo"), 60)["task"]["status"] == "SUCCESS", "the worker is back too"


def test_redis_is_stopped_and_its_silence_is_told_once(world: World, user: User, tmp_path: Path) -> None:
    silent, heard = world.log().count(SILENT), world.log().count(HEARD)
    with held(user, tmp_path) as task, watching(world.system.url, user, task.id) as viewers:
        for viewer in viewers:
            viewer.wait_events(100)
        with world.stopped(world.redis):
            wait_for("the line", lambda: world.log().count(SILENT) == silent + 1)
            for viewer in viewers:
                viewer.wait_events(len(viewer.events) + 100)
            task.let_go()
            saw_everything(viewers, user, task.id, "SUCCESS")
    wait_for("the other line", lambda: world.log().count(HEARD) == heard + 1)
    world.whole()
    assert world.log().count(SILENT) == silent + 1


def test_steps_go_on_when_redis_forgot_what_comes_next(world: World, user: User, tmp_path: Path) -> None:
    gate = tmp_path / "open"
    gated = {"job_type": "test_gated", "params": {"gate": str(gate)}}
    echo = {"job_type": "test_echo", "params": {"text": "x"}}
    parent = user.start("orchestrate", steps=[gated, echo, echo])
    (first,) = wait_for("the first step", lambda: user.get("tasks", parent_id=parent)["tasks"])
    wait_for("it to run", lambda: user.status(first["task_id"])["task"]["is_running"], 60)
    with Redis.from_url(world.redis.url) as redis:
        # A worker whose message is not acknowledged yet when Redis dies is ended by its own library.
        wait_for("the acknowledgement", lambda: not redis.exists("unacked"))

    with world.without_redis():
        gate.touch()
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
        answer = user.client.post("/api/v2/agent/start", json=body, headers=key)
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
        told = [event["type"] for event in user.events(ghost["task_id"])]
        assert told == ["task_status", "log", "task_status"], "it was created, and its error has a line"
