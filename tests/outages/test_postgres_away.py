"""Without Postgres tasks wait, viewers stay, and nobody else waits long. With it again nothing is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.outages.conftest import World
from tests.outages.viewers import saw_everything, watching
from tests.support.held import held
from tests.support.system import User, wait_for

AWAY, BACK = "taskroom.breaker: Postgres is unavailable", "taskroom.breaker: Postgres answers again"


def killed(world: World) -> None:
    world.postgres.kill()


def shut_down(world: World) -> None:
    world.postgres.stop()


@pytest.mark.parametrize("end", [killed, shut_down])
def test_postgres_is_restarted_while_workers_write(
    world: World, user: User, end: Callable[[World], None], tmp_path: Path
) -> None:
    unseen = user.start("test_echo")
    with held(user, tmp_path) as steady, watching(world.system.url, user, steady.id) as viewers:
        for viewer in viewers:
            viewer.wait_events(200)
        # As fast as it goes, which is faster than Postgres: its buffer is full, and the task's code waits.
        with held(user, tmp_path, rate=0) as hasty:
            wait_for("it to be under way", lambda: user.status(hasty.id)["sequence"] > 1_000)
            end(world)
            wait_for("the web process to notice", lambda: world.ready().status_code == 503)
        refused = user.client.get("/api/v2/tasks")
        assert refused.status_code == 503 and int(refused.headers["Retry-After"]) > 0
        assert refused.headers["Content-Type"] == "application/problem+json"
        # One that nobody watches: what is watched needs no Postgres.
        stream = f"/api/v2/tasks/{unseen}/stream"
        come_back = user.client.get(stream, headers={"Accept": "text/event-stream"})
        assert (come_back.status_code, come_back.text[:7]) == (200, "retry: ")
        assert not any(viewer.closed.is_set() for viewer in viewers), "who keeps up stays"
        world.postgres.start()
        world.whole()
        for viewer in viewers:
            viewer.wait_events(len(viewer.events) + 50, 60)
        steady.let_go()
        saw_everything(viewers, user, steady.id, "SUCCESS", 120)
        assert not any(viewer.closed.is_set() and not viewer.ended for viewer in viewers)
    for task_id in (steady.id, hasty.id):
        task = user.finished(task_id, 120)["task"]
        assert task["status"] == "SUCCESS"
        messages = [event["data"]["message"] for event in user.events(task_id) if event["type"] == "log"]
        assert len(messages) == task["result"] == len(set(messages)), "nothing is missing, or there twice"


def test_a_stopped_postgres_holds_up_few_and_refuses_the_others_at_once(
    world: World, user: User, tmp_path: Path
) -> None:
    lines = {text: world.log().count(text) for text in (AWAY, BACK)}
    with held(user, tmp_path) as task, watching(world.system.url, user, task.id) as viewers:
        for viewer in viewers:
            viewer.wait_events(200)
        with world.stopped(world.postgres):
            first = asyncio.run(crowd(user, 200))
            refused_before = world.metric("database_refused_total")
            later = asyncio.run(crowd(user, 200))
            refused_later = world.metric("database_refused_total") - refused_before
            assert world.metric("database_breaker") in (1, 2)
            refused = user.client.get("/api/v2/tasks")
            assert refused.status_code == 503 and refused.json()["status"] == 503
        assert set(first + later) == {503}
        # Who tries waits for two seconds: fifty of them would be minutes.
        assert refused_later >= 150, "one at a time tries, and nobody else waits"
        wait_for("the first answer", lambda: user.client.get("/api/v2/tasks").status_code == 200)
        assert not any(viewer.closed.is_set() for viewer in viewers), "open streams stay"
        task.let_go()
        saw_everything(viewers, user, task.id, "SUCCESS", 120)
    wait_for("the line", lambda: world.log().count(BACK) == lines[BACK] + 1)
    assert world.log().count(AWAY) == lines[AWAY] + 1
    assert world.metric("database_breaker") == 0


async def crowd(user: User, count: int) -> list[int]:
    """So many requests at once: the status of each."""
    everybody = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=user.client.base_url, headers=dict(user.client.headers), timeout=120, limits=everybody
    ) as client:
        answers = await asyncio.gather(*(client.get("/api/v2/tasks") for _ in range(count)))
        return [answer.status_code for answer in answers]
