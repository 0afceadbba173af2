"""How many a user or a task has on all processes: over a real Redis, and without one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
import redis

from app.realtime import presence
from app.realtime.presence import PROCESSES, Presence
from app.stream.codec import Filter
from tests.stream.fakes import FakeStore, hub_over
from tests.support.system import wait_for

Process = Callable[[], Presence]


@pytest.fixture
def me() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def process(other_redis_url: str) -> Iterator[Process]:
    """``process()`` is what one web process counts."""
    made: list[Presence] = []

    def process() -> Presence:
        made.append(Presence(other_redis_url))
        return made[-1]

    yield process
    for one in made:
        one.stop()


def test_each_knows_its_own_at_once_and_the_others_when_they_have_said_it(process: Process, me: str) -> None:
    here, there = process(), process()
    here.add(me, 1), here.add(me, 1), there.add(me, 1)

    assert (here.count({me}), there.count({me})) == ({me: 2}, {me: 1})
    here.write(), there.write()
    assert here.count({me}) == there.count({me}) == {me: 3}


def test_what_is_closed_counts_no_more_and_others_are_not_mixed_up(process: Process, me: str) -> None:
    here, there, other = process(), process(), str(uuid.uuid4())
    there.add(me, 1), there.add(me, 1), there.add(other, 1), here.add(other, 1)
    there.write(), there.add(me, -1), there.write()

    assert here.count([me, other]) == {me: 1, other: 2}
    there.add(me, -1), there.write()
    assert here.count([me, other]) == {me: 0, other: 2}


def test_a_process_that_died_is_forgotten(
    process: Process, me: str, other_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "KEPT_SECONDS", 1)
    here, died = process(), process()
    here.add(me, 1), died.add(me, 1), died.write()
    wait_for("its part to expire", lambda: here.count({me}) == {me: 1}, 60)

    assert died._key.encode() not in redis.Redis.from_url(other_redis_url).smembers(PROCESSES)


def test_one_that_ends_takes_its_own_along(process: Process, me: str) -> None:
    here, ended = process(), process()
    here.add(me, 1), ended.add(me, 1), ended.write()

    ended.stop()

    assert here.count({me}) == {me: 1}


def test_when_redis_has_forgotten_all_is_told_again(process: Process, me: str, other_redis_url: str) -> None:
    here, there = process(), process()
    other = str(uuid.uuid4())
    here.add(me, 1), there.add(me, 1), there.write()
    redis.Redis.from_url(other_redis_url).delete(there._key, here._key, PROCESSES)

    there.add(other, 1)  # so that what is told first makes the hash anew
    there.write(), there.write()

    assert here.count([me, other]) == {me: 2, other: 1}


@pytest.mark.parametrize(
    ("stream", "filter", "counts"),
    [
        ("task:a", Filter(), True),
        ("task:a", Filter(frozenset({"log"}), "ERROR"), True),
        ("task:a", Filter(frozenset({"task_status"})), False),
        ("user:a", Filter(), False),
        ("broadcast", Filter(), False),
    ],
)
def test_those_watch_a_task_who_see_its_log(stream: str, filter: Filter, counts: bool) -> None:
    there = Presence("redis://127.0.0.1:1/0")
    store = FakeStore()
    store.add(stream)
    hub = hub_over(store)
    hub.on_viewer = there.viewer_changed

    first, second = hub.watch(stream, None, filter), hub.watch(stream, None, filter)
    assert there.count({stream}) == {stream: 2 if counts else 0}
    first.close(), first.close()
    assert there.count({stream}) == {stream: 1 if counts else 0}
    second.close()
    assert there.count({stream}) == {stream: 0}


def test_without_redis_there_are_those_of_this_process(me: str) -> None:
    alone = Presence("redis://127.0.0.1:1/0")
    alone.add(me, 1), alone.add(me, 1)

    assert alone.count({me}) == alone.count({me}) == {me: 2}
    alone.stop()
