"""Rate limits. All web processes count in Redis together; while Redis is unavailable, each counts for itself."""

from __future__ import annotations

import ipaddress
import time
from typing import Any

from cachetools import LRUCache
from flask import Flask, request
from flask_limiter import Limiter
from limits import parse
from limits.storage import RedisStorage

from app.db.breaker import Breaker

WINDOW_SECONDS = 60
# Longer than a process stalls that hashes many passwords: a stall must not count as an outage of Redis.
REDIS_SECONDS = 1.0
PAUSE_SECONDS = 1.0
KEPT_REFUSALS = 20_000


class PausingRedis(RedisStorage):
    """Counts in Redis, and in the process while Redis is unavailable: an outage must not allow to guess
    passwords. During an outage, one request a second waits to find out whether Redis is available."""

    STORAGE_SCHEME = ["limits+redis", "limits+rediss", "limits+unix"]  # noqa: RUF012 - the library reads it

    def __init__(self, uri: str, **options: Any) -> None:
        self._breaker = Breaker("Redis", PAUSE_SECONDS, meanwhile="each process counts attempts for itself")
        # The count of each key, and the epoch time until which it is valid.
        self._local: LRUCache[str, tuple[int, float]] = LRUCache(KEPT_REFUSALS)
        super().__init__(
            uri.removeprefix("limits+"),
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            **options,
        )

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        count = super().incr
        return self._breaker.ask(lambda: count(key, expiry, amount), lambda: self._count(key, expiry, amount))

    def get(self, key: str) -> int:
        get = super().get
        return self._breaker.ask(lambda: get(key), lambda: self._counted(key)[0])

    def get_expiry(self, key: str) -> float:
        expiry = super().get_expiry
        return self._breaker.ask(lambda: expiry(key), lambda: self._counted(key)[1])

    def _count(self, key: str, expiry: int, amount: int) -> int:
        count, until = self._counted(key)
        self._local[key] = count + amount, until if count else time.time() + expiry
        return count + amount

    def _counted(self, key: str) -> tuple[int, float]:
        """Returns the count and its end; 0 and now without a valid count."""
        now = time.time()
        count, until = self._local.get(key, (0, now))
        return (count, until) if until > now else (0, now)


def address_key(address: str | None) -> str:
    """Returns the key of an address. For IPv6 it is the /64 network: a host there has too many addresses to count."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:  # on a Unix socket there is no address
        return address or "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.IPv6Network((int(parsed), 64), strict=False))
    return str(parsed)


def network_key(address: str) -> str:
    """Returns the network of an ``address_key``, about as large as that of a provider: a /16, or a /32 of IPv6."""
    try:
        parsed = ipaddress.ip_network(address)
    except ValueError:
        return address
    return str(parsed.supernet(new_prefix=16 if parsed.version == 4 else 32))


def address() -> str:
    """Returns the key of the client's address; TRUSTED_PROXIES determines which address that is."""
    return address_key(request.remote_addr)


def per_window(number: int) -> str:
    """Returns the limit as the library writes it."""
    return f"{number} per {WINDOW_SECONDS} seconds"


# Without the library's headers: they would need two more calls of Redis for each admitted request.
limiter = Limiter(address, headers_enabled=False)


def limit_blueprint(blueprint: str, app: Flask) -> None:
    """Binds the limiter to one blueprint: its hooks take a tenth of a millisecond, for requests without a limit too."""
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


def count_failure(what: str, per_minute: int, key: str) -> float:
    """Counts a failure of that kind, in Redis. Returns the seconds that the key must wait, 0 for none."""
    allowed = parse(per_window(per_minute))
    if limiter.limiter.hit(allowed, what, key):
        return 0.0
    return max(1.0, limiter.limiter.get_window_stats(allowed, what, key).reset_time - time.time())
