"""Counts the SSE connections of a user and the viewers of a task on all web processes, without asking Postgres."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, TypeVar

import redis
from redis.exceptions import RedisError

from app.db.breaker import Breaker, Refused
from app.stream.event import is_shared
from app.stream.publisher import PUBLISH_TIMEOUT
from app.stream.viewer import Viewer

logger = logging.getLogger("taskroom.presence")

PROCESSES = "taskroom-presence"  # the set of the processes that have any
WRITE_SECONDS = 1.0
KEPT_SECONDS = 10  # a process that died is counted for so long
Answer = TypeVar("Answer")


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
        self._stopped = threading.Event()

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
        nothing: list[list[str | None]] = []
        for counts in self._guarded(lambda: self._read(list(names)), nothing) if names else nothing:
            for name, count in zip(names, counts, strict=True):
                here[name] += int(count or 0)
        return here

    def start(self) -> None:
        threading.Thread(target=self._run, name="taskroom-presence", daemon=True).start()

    def stop(self) -> None:
        """Removes the counts of this process, which ends."""
        self._stopped.set()
        with suppress(RedisError):  # the hash expires
            self._redis.pipeline().delete(self._key).srem(PROCESSES, self._key).execute()

    def write(self) -> None:
        """Writes what changed; called by one thread."""
        if not self._here and not self._changed:
            return
        changed, self._changed = self._changed, set()
        if not self._guarded(lambda: self._write(changed), False):
            self._changed |= changed

    def _run(self) -> None:
        while not self._stopped.wait(WRITE_SECONDS):
            try:
                self.write()
            except Exception:  # whatever it is, the next time may work
                logger.exception("the counts of this process could not be written")

    def _guarded(self, ask: Callable[[], Answer], otherwise: Answer) -> Answer:
        try:
            call = self._breaker.enter()
        except Refused:
            return otherwise
        try:
            answer = ask()
        except RedisError as error:
            self._breaker.failed(call, str(error))
            return otherwise
        except BaseException:  # a call that the breaker never sees end would keep it open for good
            self._breaker.left(call)
            raise
        self._breaker.answered(call)
        return answer

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
