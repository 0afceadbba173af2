"""Limits the connections of an address whose next request has not come yet: the oldest is closed for a new one.

A client that opens hundreds and sends a byte now and then would otherwise hold them, and their memory, for as long as
it likes. Viewers and requests that are being answered do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache

PER_ADDRESS = 512


class Arrivals:
    """Allows ``limit`` connections for what ``key`` makes of an address; 0 is no limit, for a server behind a proxy,
    whose address all clients share."""

    def __init__(self, limit: int = PER_ADDRESS, key: Callable[[str], str] = str) -> None:
        self._limit, self._key = limit, lru_cache(4096)(key)  # called twice for each request
        self._waiting: dict[str, dict[Hashable, Callable[[], None]]] = {}

    def begin(self, address: str, connection: Hashable, close: Callable[[], None]) -> None:
        """Counts a waiting connection. ``close`` ends it at once, without waiting, when a new one needs its place."""
        if not self._limit or not address:
            return
        waiting = self._waiting.setdefault(self._key(address), {})
        waiting[connection] = close
        if len(waiting) > self._limit:
            oldest = next(iter(waiting))
            waiting.pop(oldest)()

    def end(self, address: str, connection: Hashable) -> None:
        """Its request has come, or the connection is closed; may be called twice."""
        of = self._key(address)
        if waiting := self._waiting.get(of):
            waiting.pop(connection, None)
            if not waiting:
                del self._waiting[of]
