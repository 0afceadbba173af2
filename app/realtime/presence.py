"""How many SSE connections a user has, and how many viewers a task, on all web processes; without asking Postgres."""

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

PROCESSES = "taskroom-presence"  # the set of those that have any
TOLD_SECONDS = 1.0
KEPT_SECONDS = 10  # what a process that died had is counted for so long
Answer = TypeVar("Answer")


class Presence:
    """Known here at once, of the others as they said it last. Each process keeps a hash in Redis, by name, that expires
    unless it is renewed; it writes what has changed only. While Redis is away the ones here are all there are.

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
        """1 for one that came, -1 for one that went."""
        left = self._here.get(name, 0) + change
        if left:
            self._here[name] = left
        else:
            del self._here[name]
        self._changed.add(name)

    def watched(self, viewer: Viewer, change: int) -> None:
        """A viewer came to a room or left it. One that has no use for the log does not watch: it is a list, which shows
        how many tasks stand."""
        stream, types = viewer.room.stream, viewer.filter.types
        if not is_shared(stream) and (types is None or "log" in types):
            self.add(stream, change)

    def count(self, names: Collection[str]) -> dict[str, int]:
        """How many each of these has. Waits for Redis, up to PUBLISH_TIMEOUT a round trip."""
        here = {name: self._here.get(name, 0) for name in names}
        nothing: list[list[str | None]] = []
        for counts in self._guarded(lambda: self._asked(list(names)), nothing) if names else nothing:
            for name, count in zip(names, counts, strict=True):
                here[name] += int(count or 0)
        return here

    def start(self) -> None:
        threading.Thread(target=self._keep_telling, name="taskroom-presence", daemon=True).start()

    def stop(self) -> None:
        """This process ends: what it has counts no more."""
        self._stopped.set()
        with suppress(RedisError):  # it expires
            self._redis.pipeline().delete(self._key).srem(PROCESSES, self._key).execute()

    def tell(self) -> None:
        """Tells the others what changed here; to be called by one thread."""
        if not self._here and not self._changed:
            return
        changed, self._changed = self._changed, set()
        if not self._guarded(lambda: self._told(changed), False):
            self._changed |= changed

    def _keep_telling(self) -> None:
        while not self._stopped.wait(TOLD_SECONDS):
            try:
                self.tell()
            except Exception:  # whatever it is, the next time may do
                logger.exception("the others could not be told who is here")

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
        except BaseException:  # a call that never ends would keep the breaker open for good
            self._breaker.left(call)
            raise
        self._breaker.answered(call)
        return answer

    def _told(self, changed: set[str]) -> bool:
        pipe = self._redis.pipeline(transaction=False)
        # Before anything could make it anew: its answer is whether it was kept.
        pipe.expire(self._key, KEPT_SECONDS)
        there = {name: count for name in changed if (count := self._here.get(name))}
        if there:
            pipe.hset(self._key, mapping=there)
        if gone := changed - there.keys():
            pipe.hdel(self._key, *gone)
        pipe.sadd(PROCESSES, self._key).expire(self._key, KEPT_SECONDS)
        kept, *_ = pipe.execute()
        if not kept:  # it expired, or Redis has begun anew: next time all is told again
            self._changed |= self._here.keys()
        return True

    def _asked(self, names: list[str]) -> list[list[str | None]]:
        """Each of the other processes' counts of the names; those that have died are forgotten."""
        keys = sorted(self._redis.smembers(PROCESSES) - {self._key})
        pipe = self._redis.pipeline(transaction=False)
        for key in keys:
            pipe.exists(key)
            pipe.hmget(key, names)
        answers = pipe.execute()
        if dead := [key for key, exists in zip(keys, answers[::2], strict=True) if not exists]:
            self._redis.srem(PROCESSES, *dead)  # one that lives after all comes back when it tells next
        return list(answers[1::2])
