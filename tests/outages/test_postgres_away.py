"""Without Postgres tasks wait, viewers stay, and nobody else waits long. With it again nothing is missing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import httpx
import pytest

from tests.outages.conftest import World
from tests.outages.viewers import saw_everything, watching
from tests.support.system import User, wait_for

AWAY, BACK = "taskroom.breaker: Postgres is away", "taskroom.breaker: Postgres answers again"


def killed(world: World) -> None:
    world.postgres.kill()


def shut_down(world: World) -> None:
    world.postgres.stop()


@pytest.mark.parametrize("end", [killed, shut_down])
def test_postgres_is_restarted_while_workers_write(
    world: World, user: User, end: Callable[[World], None]
) -> None:
    steady = user.start("emit_load", events=3_000, rate=300, message_bytes=100)
    unseen = user.start("test_echo")
    with watching(world.system.url, user, steady) as viewers:
        for viewer in viewers:
            viewer.wait_events(200)
        # More than the buffer holds, as fast as it goes: the task's code waits when it is full.
        hasty = user.start("emit_load", events=60_000, rate=0, message_bytes=100)
        wait_for("it to be under way", lambda: user.status(hasty)["sequence"] > 1_000)
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
        saw_everything(viewers, user, steady, "SUCCESS", 120)
        assert not any(viewer.closed.is_set() and not viewer.ended for viewer in viewers)
    task = user.finished(hasty, 120)
    assert task["task"]["status"] == "SUCCESS"
    messages = [event["data"]["message"] for event in user.events(hasty) if event["type"] == "log"]
    assert len(messages) == 60_000 == len(set(messages)), "nothing is missing, nothing is there twice"


def test_a_stopped_postgres_holds_up_few_and_refuses_the_others_at_once(world: World, user: User) -> None:
    lines = {text: world.log().count(text) for text in (AWAY, BACK)}
    task_id = user.start("emit_load", events=6_000, rate=300, message_bytes=100)
    with watching(world.system.url, user, task_id) as viewers:
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
        for name, took in (("the first", first), ("the next", later)):
            assert {status for status, _ in took} == {503}
            waits = sorted(seconds for _, seconds in took)
            print(
                f"{name} 200: median {waits[100]:.2f} s, 95 % {waits[190]:.2f} s, longest {waits[-1]:.2f} s"
            )
        assert refused_later >= 190, "one at a time tries, and nobody else waits"
        wait_for("the first answer", lambda: user.client.get("/api/v2/tasks").status_code == 200)
        assert not any(viewer.closed.is_set() for viewer in viewers), "open streams stay"
        saw_everything(viewers, user, task_id, "SUCCESS", 120)
    wait_for("the line", lambda: world.log().count(BACK) == lines[BACK] + 1)
    assert world.log().count(AWAY) == lines[AWAY] + 1
    assert world.metric("database_breaker") == 0


async def crowd(user: User, count: int) -> list[tuple[int, float]]:
    """So many requests at once: the status of each, and how long it took."""
    everybody = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=user.client.base_url, headers=dict(user.client.headers), timeout=60, limits=everybody
    ) as client:

        async def one() -> tuple[int, float]:
            began = time.monotonic()
            answer = await client.get("/api/v2/tasks")
            return answer.status_code, time.monotonic() - began

        return await asyncio.gather(*(one() for _ in range(count)))
