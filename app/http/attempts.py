"""Limits of attempts to open a stream or socket, and of wrong API keys. Each web process counts attempts in memory: a
count must cost nothing. Only refused ones are counted for all processes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cachetools import LRUCache

from app.errors import Forbidden, NotFound, TooMany, Unauthorized
from app.http import rate_limits
from app.http.rate_limits import KEPT_REFUSALS, network_key

ADDRESS_FACTOR = 10  # an address may do ten times as much as a user: many people share an address
FAILURE_DIVISOR = 5  # one of this many attempts to connect may fail
SEPARATE_KEYS = 50_000  # keys that have a count of their own in a minute
WRONG_KEYS_PER_MINUTE = 60  # API keys, from an address; as many as wrong passwords


class RateExceeded(TooMany):
    """The client sends too fast. The request itself is valid: it can succeed after the wait."""


def too_many(wait: float, kind: type[TooMany] = TooMany) -> TooMany:
    # The library gives the end of a window in whole seconds, one second too late.
    seconds = min(max(1, math.ceil(wait)), rate_limits.WINDOW_SECONDS)
    return kind(f"Too many attempts; wait {seconds} s", headers={"Retry-After": str(seconds)})


class Window:
    """Counts the calls of each key in the current minute; None sets no limit. Costs a microsecond and no round trip.

    After ``max_keys`` keys, further keys share a count for each ``group_of(key)``: attempts from very many addresses
    use no more memory and displace no key that has a count."""

    def __init__(
        self, limit: int | None, group_of: Callable[[str], str], max_keys: int = SEPARATE_KEYS
    ) -> None:
        self._limit, self._group_of, self._max_keys = limit, group_of, max_keys
        self._counts: dict[str, int] = {}
        self._shared: dict[str, int] = {}
        self._ends = 0.0

    def hit(self, key: str) -> float:
        """Counts one call. Returns 0 within the limit, else the seconds until the next minute."""
        if self._limit is None:
            return 0.0
        now = time.monotonic()
        if now >= self._ends:
            self._counts, self._shared, self._ends = {}, {}, now + rate_limits.WINDOW_SECONDS
        counts = self._counts
        if len(counts) >= self._max_keys and key not in counts:
            counts, key = self._shared, self._group_of(key)
            if len(counts) >= self._max_keys and key not in counts:
                key = ""
        count = counts[key] = counts.get(key, 0) + 1
        return 0.0 if count <= self._limit else self._ends - now


class FailureLimit:
    """Counts what fails by ``count``, for all processes; it counts for a key and returns the seconds that the key must
    wait, 0 for none."""

    def __init__(self, count: Callable[[str], float]) -> None:
        self._count = count
        # The time until which a key that failed too often is refused.
        self._refused: LRUCache[str, float] = LRUCache(KEPT_REFUSALS)

    def wait(self, key: str) -> float:
        """Returns the seconds that the key must wait; costs no round trip."""
        now = time.monotonic()
        return max(0.0, self._refused.get(key, now) - now)

    def add(self, key: str) -> float:
        """Counts a failure. Returns the seconds that the key must wait."""
        left = self.wait(key)
        if left > 0:
            return left  # further attempts cost Redis nothing
        wait = self._count(key)
        if wait:
            self._refused[key] = time.monotonic() + wait
        return wait


class WrongKeys:
    """Limits wrong API keys by the address of the current request; ``count`` is that of ``Failures``."""

    def __init__(self, count: Callable[[str], float]) -> None:
        self._failures = FailureLimit(count)

    def check(self) -> None:
        """Raises TooMany after too many wrong keys."""
        self._refuse(self._failures.wait(rate_limits.address()))

    def failed(self) -> None:
        """Counts a wrong key. Raises TooMany when there were too many."""
        self._refuse(self._failures.add(rate_limits.address()))

    def _refuse(self, wait: float) -> None:
        if wait:
            raise too_many(wait)


class ConnectionAttempts:
    """Limits attempts to open a stream or socket. This process counts all attempts, by address and by user. Refused
    ones (401, 403, 404) are counted by ``failed``, the ``count`` of ``Failures``: other attempts cost no round
    trip."""

    def __init__(self, per_user: int | None, failed: Callable[[str], float]) -> None:
        self._users = Window(per_user, lambda user_id: user_id[:2])  # 256 groups
        self._addresses = Window(None if per_user is None else per_user * ADDRESS_FACTOR, network_key)
        self._failures = FailureLimit(failed)

    def arrived(self, address: str) -> None:
        """Counts an attempt of the address. Raises RateExceeded."""
        wait = self._addresses.hit(address)
        if wait:
            raise too_many(wait, RateExceeded)

    @contextmanager
    def trying(self, address: str) -> Iterator[Callable[[str], None]]:
        """Encloses the part of a join that may refuse. Yields a function that is called with the user's id, as soon as
        it is known, and raises RateExceeded. A refusal counts against this user, before the call against the address.
        After too many refusals it raises TooMany instead."""
        key = address

        def set_user(user_id: str) -> None:
            nonlocal key
            key = user_id
            wait = self._users.hit(user_id)
            if wait:
                raise too_many(wait, RateExceeded)

        try:
            yield set_user
        except (Unauthorized, Forbidden, NotFound) as refusal:
            wait = self._failures.add(key)
            if wait:
                raise too_many(wait) from refusal
            raise
