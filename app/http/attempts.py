"""Limits that each web process counts for itself, because counting must cost nothing: attempts to open a stream."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cachetools import LRUCache

from app.errors import Forbidden, NotFound, TooMany, Unauthorized
from app.http import rate_limits
from app.http.rate_limits import KEPT_REFUSALS, network_key

AN_ADDRESS_MAY = 10  # times what a user may: many people share one
MAY_FAIL = 5  # one in so many attempts to connect
COUNTED_APART = 50_000  # keys, in a minute


class TooSoon(TooMany):
    """Nothing is wrong but the pace: the same again later will work."""


def too_many(wait: float, kind: type[TooMany] = TooMany) -> TooMany:
    # The library tells a window's end in whole seconds, one too many.
    seconds = min(max(1, math.ceil(wait)), rate_limits.WINDOW_SECONDS)
    return kind(f"Too many attempts; wait {seconds} s", headers={"Retry-After": str(seconds)})


class Window:
    """Counts what each key did in the present minute; None sets no limit. Costs a microsecond and no round trip.

    Keys beyond so many have one count for all that are the same by ``coarser``: whoever comes from everywhere takes
    no memory for it, nor the place of a key that is counted already."""

    def __init__(self, limit: int | None, coarser: Callable[[str], str], apart: int = COUNTED_APART) -> None:
        self._limit, self._coarser, self._apart = limit, coarser, apart
        self._counts: dict[str, int] = {}
        self._shared: dict[str, int] = {}
        self._ends = 0.0

    def hit(self, key: str) -> float:
        """0 when there was room, else the seconds until there is."""
        if self._limit is None:
            return 0.0
        now = time.monotonic()
        if now >= self._ends:
            self._counts, self._shared, self._ends = {}, {}, now + rate_limits.WINDOW_SECONDS
        counts = self._counts
        if len(counts) >= self._apart and key not in counts:
            counts, key = self._shared, self._coarser(key)
            if len(counts) >= self._apart and key not in counts:
                key = ""
        count = counts[key] = counts.get(key, 0) + 1
        return 0.0 if count <= self._limit else self._ends - now


class Attempts:
    """Attempts to open a stream or socket. All are counted in this process, by address and by user; those that are
    refused (401, 403, 404) by ``failed`` for all processes, so that a good one costs no round trip.

    ``failed`` counts for a key and answers the seconds that it has to wait, 0 when it need not.
    """

    def __init__(self, per_user: int | None, failed: Callable[[str], float]) -> None:
        self._users = Window(per_user, lambda user_id: user_id[:2])  # 256 groups of them
        self._addresses = Window(None if per_user is None else per_user * AN_ADDRESS_MAY, network_key)
        self._failed = failed
        self._refused: LRUCache[str, float] = LRUCache(
            KEPT_REFUSALS
        )  # keys that failed too often, until when

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
        left = self._refused.get(key, now) - now
        if left > 0:
            return left  # whoever goes on all the same costs Redis nothing
        wait = self._failed(key)
        if wait:
            self._refused[key] = now + wait
        return wait
