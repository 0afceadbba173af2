"""How many connections a user has on all processes: over a real Redis, and without one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
import redis

from app.realtime import connections
from app.realtime.connections import PROCESSES, Connections
from tests.support.system import wait_for

Process = Callable[[], Connections]


@pytest.fixture
def me() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def process(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    """``process()`` is what one web process counts; its part expires after a second."""
    monkeypatch.setattr(connections, "KEPT_SECONDS", 1)
    made: list[Connections] = []

    def process() -> Connections:
        made.append(Connections(redis_url, 1))
        return made[-1]

    yield process
    for one in made:
        one.leave()


def test_each_knows_its_own_at_once_and_the_others_when_they_have_said_it(process: Process, me: str) -> None:
    here, there = process(), process()
    here.opened(me), here.opened(me), there.opened(me)

    assert here.count({me}) == {me: 2}
    assert there.count({me}) == {me: 3}
    assert here.count({me}) == {me: 3}


def test_what_is_closed_counts_no_more_and_others_are_not_mixed_up(process: Process, me: str) -> None:
    here, there, other = process(), process(), str(uuid.uuid4())
    there.opened(me), there.opened(me), there.opened(other), here.opened(other)
    there.count(()), there.closed(me), there.count(())

    assert here.count([me, other]) == {me: 1, other: 2}
    there.closed(me), there.count(())
    assert here.count([me, other]) == {me: 0, other: 2}


def test_a_process_that_died_is_forgotten(process: Process, me: str, redis_url: str) -> None:
    here, died = process(), process()
    here.opened(me), died.opened(me), died.count(())
    assert here.count({me}) == {me: 2}

    wait_for("its part to expire", lambda: here.count({me}) == {me: 1}, 5)

    assert died._key.encode() not in redis.Redis.from_url(redis_url).smembers(PROCESSES)


def test_one_that_ends_takes_its_own_along(process: Process, me: str) -> None:
    here, ended = process(), process()
    here.opened(me), ended.opened(me), ended.count(())

    ended.leave()

    assert here.count({me}) == {me: 1}


def test_when_redis_has_forgotten_all_is_told_again(process: Process, me: str, redis_url: str) -> None:
    here, there = process(), process()
    here.opened(me), there.opened(me), there.count(())
    redis.Redis.from_url(redis_url).delete(there._key, here._key, PROCESSES)

    there.count(()), there.count(())

    assert here.count({me}) == {me: 2}


def test_without_redis_there_are_those_of_this_process(me: str) -> None:
    alone = Connections("redis://127.0.0.1:1/0", 10)
    alone.opened(me), alone.opened(me)

    assert alone.count({me}) == alone.count({me}) == {me: 2}
    alone.leave()
