"""Counts the SSE connections of a user and the viewers of a task on all web processes, without asking Postgres."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from contextlib import suppress
from typing import Any

import redis
from redis.exceptions import RedisError

from app.db.breaker import Breaker
from app.periodic import Periodic
from app.stream.event import is_shared
from app.stream.publisher import PUBLISH_TIMEOUT
from app.stream.viewer import Viewer

PROCESSES = "taskroom-presence"  # the set of the processes that have any
WRITE_SECONDS = 1.0
KEPT_SECONDS = 10  # a process that died is counted for so long


class Presence:
    """Each process writes its changed counts into a hash in Redis, which expires unless it is renewed, so the counts of
    other processes may be a second old. While Redis is away only those of this process count.

    A name is a user's id or a task's stream."""

    def __init__(self, redis_url: str) -> None:
        self._redis: Any = redis.Redis.from_url(
            redis_url,
            socket_timeout=PUBLISH_TIMEOUT,
            socket_connect_timeout=PUBLISH_TIMEOUT,
            decode_responses=True,
        )
        self._key = f"{PROCESSES}:{uuid.uuid4().hex}"
        self._breaker = Breaker("Redis, which counts who is there,")
        self._here: dict[str, int] = {}
        self._changed: set[str] = set()
        self.thread = Periodic("presence", WRITE_SECONDS, self.write)

    def add(self, name: str, change: int) -> None:
        """Adds ``change``: 1 for one that came, -1 for one that went."""
        left = self._here.get(name, 0) + change
        if left:
            self._here[name] = left
        else:
            del self._here[name]
        self._changed.add(name)

    def viewer_changed(self, viewer: Viewer, change: int) -> None:
        """Counts a viewer that came to a room or left it. A viewer without the log is not counted: it is a list that
        shows the states of many tasks."""
        stream, types = viewer.room.stream, viewer.filter.types
        if not is_shared(stream) and (types is None or "log" in types):
            self.add(stream, change)

    def count(self, names: Collection[str]) -> dict[str, int]:
        """Returns the count of each name. Waits for Redis, up to PUBLISH_TIMEOUT a round trip."""
        here = {name: self._here.get(name, 0) for name in names}
        found: list[list[str | None]] = []
        if names:
            found = self._breaker.ask(lambda: self._read(list(names)), list)
        for counts in found:
            for name, count in zip(names, counts, strict=True):
                here[name] += int(count or 0)
        return here

    def stop(self) -> None:
        """Removes the counts of this process, which ends."""
        self.thread.stop()
        with suppress(RedisError):  # the hash expires
            self._redis.pipeline().delete(self._key).srem(PROCESSES, self._key).execute()

    def write(self) -> None:
        """Writes what changed; called by one thread."""
        if not self._here and not self._changed:
            return
        changed, self._changed = self._changed, set()
        if not self._breaker.ask(lambda: self._write(changed), lambda: False):
            self._changed |= changed

    def _write(self, changed: set[str]) -> bool:
        pipe = self._redis.pipeline(transaction=False)
        # First, before a write could create the hash anew: the answer says whether it still existed.
        pipe.expire(self._key, KEPT_SECONDS)
        there = {name: count for name in changed if (count := self._here.get(name))}
        if there:
            pipe.hset(self._key, mapping=there)
        if gone := changed - there.keys():
            pipe.hdel(self._key, *gone)
        pipe.sadd(PROCESSES, self._key).expire(self._key, KEPT_SECONDS)
        kept, *_ = pipe.execute()
        if not kept:  # it expired, or Redis lost its data: next time all counts are written
            self._changed |= self._here.keys()
        return True

    def _read(self, names: list[str]) -> list[list[str | None]]:
        """Reads the counts of the names of each other process, and forgets processes that have died."""
        keys = sorted(self._redis.smembers(PROCESSES) - {self._key})
        pipe = self._redis.pipeline(transaction=False)
        for key in keys:
            pipe.exists(key)
            pipe.hmget(key, names)
        answers = pipe.execute()
        if dead := [key for key, exists in zip(keys, answers[::2], strict=True) if not exists]:
            self._redis.srem(PROCESSES, *dead)  # one that is alive after all comes back when it writes next
        return list(answers[1::2])
