"""Limits that all web processes count together, in Redis, and each for itself while Redis is away."""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, request
from flask_limiter import Limiter
from limits import parse
from limits.storage import RedisStorage
from redis.exceptions import RedisError

from app.auth.lru import Lru

logger = logging.getLogger("taskroom.limits")

WINDOW_SECONDS = 60
# More than a process stalls that hashes many passwords: a stall must not count as Redis away.
REDIS_SECONDS = 1.0
PAUSE_SECONDS = 1.0
KEPT_REFUSALS = 20_000
Answer = TypeVar("Answer")


class PausingRedis(RedisStorage):
    """While Redis is away each process counts for itself, and one request a second waits to find out whether it still
    is: who guesses passwords is not let loose by an outage."""

    STORAGE_SCHEME = ["limits+redis", "limits+rediss", "limits+unix"]  # noqa: RUF012 - the library reads it

    def __init__(self, uri: str, **options: Any) -> None:
        self._away = False
        self._not_before = 0.0
        self._here: Lru[str, tuple[int, float]] = Lru(KEPT_REFUSALS)  # how many, and until when it counts
        super().__init__(
            uri.removeprefix("limits+"),
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            **options,
        )

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return self._ask(
            lambda: super(PausingRedis, self).incr(key, expiry, amount),
            lambda: self._count(key, expiry, amount),
        )

    def get(self, key: str) -> int:
        return self._ask(lambda: super(PausingRedis, self).get(key), lambda: self._counted(key)[0])

    def get_expiry(self, key: str) -> float:
        return self._ask(lambda: super(PausingRedis, self).get_expiry(key), lambda: self._counted(key)[1])

    def _count(self, key: str, expiry: int, amount: int) -> int:
        count, until = self._counted(key)
        self._here.put(key, (count + amount, until if count else time.time() + expiry))
        return count + amount

    def _counted(self, key: str) -> tuple[int, float]:
        """How many, and until when; none until now, when there are none."""
        now = time.time()
        count, until = self._here.get(key) or (0, now)
        return (count, until) if until > now else (0, now)

    def _ask(self, question: Callable[[], Answer], otherwise: Callable[[], Answer]) -> Answer:
        now = time.monotonic()
        if now < self._not_before:
            return otherwise()
        if self._away:
            self._not_before = now + PAUSE_SECONDS  # before asking: a crowd must not wait for one answer each
        try:
            answer = question()
        except RedisError as error:
            self._not_before = time.monotonic() + PAUSE_SECONDS
            if not self._away:
                logger.warning("each process counts attempts for itself while Redis is away: %s", error)
            self._away = True
            return otherwise()
        if self._away:
            self._away, self._not_before = False, 0.0
            logger.warning("attempts are counted together again")
        return answer


def address_key(address: str | None) -> str:
    """What counts as one address: of IPv6 the network of a site, since a host there has more than can be counted."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:  # a server on a Unix socket knows none
        return address or "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.IPv6Network((int(parsed), 64), strict=False))
    return str(parsed)


def network_key(address: str) -> str:
    """The network of what ``address_key`` told, about as large as those that providers have: a /16, of IPv6 a /32."""
    try:
        parsed = ipaddress.ip_network(address)
    except ValueError:
        return address
    return str(parsed.supernet(new_prefix=16 if parsed.version == 4 else 32))


def address() -> str:
    """Who sent this request, as far as TRUSTED_PROXIES says."""
    return address_key(request.remote_addr)


def in_a_window(number: int) -> str:
    """So many in a minute, as the library is told it."""
    return f"{number} per {WINDOW_SECONDS} seconds"


# No headers of its own: they would ask Redis twice more for each request that passes.
limiter = Limiter(address, headers_enabled=False)


def limit_in(blueprint: str, app: Flask) -> None:
    """Binds the limiter to the calls of one blueprint: its hooks would cost every other request a tenth of a
    millisecond to find that it has no limit."""
    everywhere: tuple[dict[str | None, list[Any]], ...] = (
        app.before_request_funcs,
        app.after_request_funcs,
        app.teardown_request_funcs,
    )
    before = [list(hooks[None]) for hooks in everywhere]
    limiter.init_app(app)
    for hooks, kept in zip(everywhere, before, strict=True):
        hooks[blueprint] += [hook for hook in hooks[None] if hook not in kept]
        hooks[None] = kept


def count_failure(per_minute: int, key: str) -> float:
    """Counts a refused attempt to connect, in Redis. The seconds that this key has to wait, 0 when it need not."""
    allowed = parse(in_a_window(per_minute))
    if limiter.limiter.hit(allowed, "connect", key):
        return 0.0
    return max(1.0, limiter.limiter.get_window_stats(allowed, "connect", key).reset_time - time.time())
