"""Connections whose next request has not come yet: so many of an address, of which the oldest makes room for another.

Who opens hundreds and sends a byte now and then would else hold them all, at the cost of their memory and for as long
as it likes. Viewers and requests that are being answered do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache

PER_ADDRESS = 512


class Arrivals:
    """``limit`` of what ``key`` makes of an address; 0 where a proxy stands in front, whose address all have in
    common."""

    def __init__(self, limit: int = PER_ADDRESS, key: Callable[[str], str] = str) -> None:
        self._limit, self._key = limit, lru_cache(4096)(key)  # asked twice for each request
        self._waiting: dict[str, dict[Hashable, Callable[[], None]]] = {}

    def begin(self, address: str, connection: Hashable, close: Callable[[], None]) -> None:
        """``close`` ends the connection at once, without waiting; it is called when others need its place."""
        if not self._limit or not address:
            return
        waiting = self._waiting.setdefault(self._key(address), {})
        waiting[connection] = close
        if len(waiting) > self._limit:
            oldest = next(iter(waiting))
            waiting.pop(oldest)()

    def end(self, address: str, connection: Hashable) -> None:
        """Its request is here, or the connection has gone; may be called again."""
        of = self._key(address)
        if waiting := self._waiting.get(of):
            waiting.pop(connection, None)
            if not waiting:
                del self._waiting[of]
