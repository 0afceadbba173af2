"""Limits that all web processes count together, in Redis, and each for itself while Redis is away."""

from __future__ import annotations

import ipaddress
import time
from typing import Any

from cachetools import LRUCache
from flask import Flask, request
from flask_limiter import Limiter
from limits import parse
from limits.storage import RedisStorage
from redis.exceptions import RedisError

from app.db.breaker import Breaker

WINDOW_SECONDS = 60
# More than a process stalls that hashes many passwords: a stall must not count as Redis away.
REDIS_SECONDS = 1.0
PAUSE_SECONDS = 1.0
KEPT_REFUSALS = 20_000


class PausingRedis(RedisStorage):
    """While Redis is away each process counts for itself, and one request a second waits to find out whether it still
    is: who guesses passwords is not let loose by an outage."""

    STORAGE_SCHEME = ["limits+redis", "limits+rediss", "limits+unix"]  # noqa: RUF012 - the library reads it

    def __init__(self, uri: str, **options: Any) -> None:
        self._breaker = Breaker("Redis", PAUSE_SECONDS, meanwhile="each process counts attempts for itself")
        # How many, and until when that counts.
        self._here: LRUCache[str, tuple[int, float]] = LRUCache(KEPT_REFUSALS)
        super().__init__(
            uri.removeprefix("limits+"),
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            **options,
        )

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        count = super().incr
        return self._breaker.ask(
            lambda: count(key, expiry, amount), lambda: self._count(key, expiry, amount), RedisError
        )

    def get(self, key: str) -> int:
        get = super().get
        return self._breaker.ask(lambda: get(key), lambda: self._counted(key)[0], RedisError)

    def get_expiry(self, key: str) -> float:
        expiry = super().get_expiry
        return self._breaker.ask(lambda: expiry(key), lambda: self._counted(key)[1], RedisError)

    def _count(self, key: str, expiry: int, amount: int) -> int:
        count, until = self._counted(key)
        self._here[key] = count + amount, until if count else time.time() + expiry
        return count + amount

    def _counted(self, key: str) -> tuple[int, float]:
        """How many, and until when; none until now, when there are none."""
        now = time.time()
        count, until = self._here.get(key, (0, now))
        return (count, until) if until > now else (0, now)


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
