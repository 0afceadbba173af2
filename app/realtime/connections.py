"""How many SSE connections each user has on all web processes; Postgres is not asked."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from contextlib import suppress
from typing import Any

import redis
from redis.exceptions import RedisError

from app.breaker import Breaker, Refused
from app.stream.broker import PUBLISH_TIMEOUT

PROCESSES = "taskroom-connections"  # the set of those that have any
KEPT_SECONDS = 10  # at least; what a process that died had is counted for so long


class Connections:
    """Known here at once, of the others as they said it last. Each process keeps a hash in Redis, by user, that expires
    unless it is renewed; it writes what has changed only. While Redis is away the ones here are all there are."""

    def __init__(self, redis_url: str, kept_seconds: float) -> None:
        self._redis: Any = redis.Redis.from_url(
            redis_url,
            socket_timeout=PUBLISH_TIMEOUT,
            socket_connect_timeout=PUBLISH_TIMEOUT,
            decode_responses=True,
        )
        self._kept_seconds = max(KEPT_SECONDS, round(kept_seconds))
        self._key = f"{PROCESSES}:{uuid.uuid4().hex}"
        self._breaker = Breaker("Redis, which counts connections,")
        self._here: dict[str, int] = {}
        self._changed: set[str] = set()

    def opened(self, user_id: str) -> None:
        self._here[user_id] = self._here.get(user_id, 0) + 1
        self._changed.add(user_id)

    def closed(self, user_id: str) -> None:
        """Takes back one ``opened``."""
        left = self._here[user_id] - 1
        if left:
            self._here[user_id] = left
        else:
            del self._here[user_id]
        self._changed.add(user_id)

    def count(self, users: Collection[str]) -> dict[str, int]:
        """Tells the others what changed here, and how many each of these users has. Waits for Redis, up
        to PUBLISH_TIMEOUT a round trip; to be called every few seconds, by one thread."""
        here = {user_id: self._here.get(user_id, 0) for user_id in users}
        if not self._here and not self._changed:
            return here
        try:
            call = self._breaker.enter()
        except Refused:
            return here
        changed, self._changed = self._changed, set()
        try:
            others = self._tell(changed)
            elsewhere = self._asked(others, list(users)) if others else []
        except RedisError as error:
            self._changed |= changed
            self._breaker.failed(call, str(error))
            return here
        self._breaker.answered(call)
        for counts in elsewhere:
            for user_id, count in zip(users, counts, strict=True):
                here[user_id] += int(count or 0)
        return here

    def leave(self) -> None:
        """This process ends: its connections count no more."""
        with suppress(RedisError):  # it expires
            self._redis.pipeline().delete(self._key).srem(PROCESSES, self._key).execute()

    def _tell(self, changed: set[str]) -> list[str]:
        """Returns the keys of the other processes."""
        pipe = self._redis.pipeline(transaction=False)
        there = {user_id: count for user_id in changed if (count := self._here.get(user_id))}
        if there:
            pipe.hset(self._key, mapping=there)
        if gone := changed - there.keys():
            pipe.hdel(self._key, *gone)
        pipe.sadd(PROCESSES, self._key).expire(self._key, self._kept_seconds).smembers(PROCESSES)
        *_, kept, keys = pipe.execute()
        if not kept:  # it expired, or Redis has begun anew: next time all is told again
            self._changed |= self._here.keys()
        return sorted(keys - {self._key})

    def _asked(self, keys: list[str], users: list[str]) -> list[list[str | None]]:
        """Each of these processes' counts of the users; those that have died are forgotten."""
        pipe = self._redis.pipeline(transaction=False)
        for key in keys:
            pipe.exists(key)
            pipe.hmget(key, users or [""])
        answers = pipe.execute()
        if dead := [key for key, exists in zip(keys, answers[::2], strict=True) if not exists]:
            self._redis.srem(PROCESSES, *dead)  # one that lives after all comes back at its next turn
        return answers[1::2] if users else []
