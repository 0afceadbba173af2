"""How often somebody may try in a minute: in Redis for all processes together where trying costs something anyway,
in the process where it must cost nothing."""

from __future__ import annotations

import ipaddress
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from flask import request
from limits.storage import RedisStorage
from redis.exceptions import RedisError

from app.errors import Forbidden, NotFound, TooMany, Unauthorized
from app.lru import Lru

logger = logging.getLogger("taskroom.limits")

WINDOW_SECONDS = 60
AN_ADDRESS_MAY = 10  # times what a user may: many people share one
MAY_FAIL = 5  # one in so many attempts to connect
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


def address() -> str:
    """Who sent this request, as far as TRUSTED_PROXIES says."""
    return address_key(request.remote_addr)


def in_a_window(number: int) -> str:
    """So many in a minute, as the library is told it."""
    return f"{number} per {WINDOW_SECONDS} seconds"


class TooSoon(TooMany):
    """Nothing is wrong but the pace: the same again later will work."""


def too_many(wait: float, kind: type[TooMany] = TooMany) -> TooMany:
    # The library tells a window's end in whole seconds, one too many.
    seconds = min(max(1, math.ceil(wait)), WINDOW_SECONDS)
    return kind(f"Too many attempts; wait {seconds} s", headers={"Retry-After": str(seconds)})


class Window:
    """Counts what each key did in the present minute; None sets no limit. Costs a microsecond and no round trip."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._counts: dict[str, int] = {}
        self._ends = 0.0

    def hit(self, key: str) -> float:
        """0 when there was room, else the seconds until there is."""
        if self._limit is None:
            return 0.0
        now = time.monotonic()
        if now >= self._ends:
            self._counts, self._ends = {}, now + WINDOW_SECONDS
        counts = self._counts
        count = counts[key] = counts.get(key, 0) + 1
        return 0.0 if count <= self._limit else self._ends - now


class Attempts:
    """Attempts to open a stream or socket. All are counted in this process, by address and by user; those that are
    refused (401, 403, 404) by ``failed`` for all processes, so that a good one costs no round trip.

    ``failed`` counts for a key and answers the seconds that it has to wait, 0 when it need not.
    """

    def __init__(self, per_user: int | None, failed: Callable[[str], float]) -> None:
        self._users = Window(per_user)
        self._addresses = Window(None if per_user is None else per_user * AN_ADDRESS_MAY)
        self._failed = failed
        self._refused: Lru[str, float] = Lru(KEPT_REFUSALS)  # keys that failed too often, until when

    def arrived(self, address: str) -> None:
        """Counts one. Raises TooSoon."""
        wait = self._addresses.hit(address)
        if wait:
            raise too_many(wait, TooSoon)

    @contextmanager
    def trying(self, address: str) -> Iterator[Callable[[str], None]]:
        """For the part of a join that may refuse. It gives a function that takes the user's id, once known, and
        raises TooSoon; a refusal counts against that user, until then against the address, and is a TooMany when
        there were too many."""
        key = address

        def by(user_id: str) -> None:
            nonlocal key
            key = user_id
            wait = self._users.hit(user_id)
            if wait:
                raise too_many(wait, TooSoon)

        try:
            yield by
        except (Unauthorized, Forbidden, NotFound) as refusal:
            wait = self._wait_of(key)
            if wait:
                raise too_many(wait) from refusal
            raise

    def _wait_of(self, key: str) -> float:
        now = time.monotonic()
        left = (self._refused.get(key) or now) - now
        if left > 0:
            return left  # whoever goes on all the same costs Redis nothing
        wait = self._failed(key)
        if wait:
            self._refused.put(key, now + wait)
        return wait
