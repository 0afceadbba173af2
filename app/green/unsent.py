"""Limits the bytes of answers that are made and not taken yet, for each user and for the process.

A client that asks on thousands of connections and takes next to nothing on each would otherwise have all those answers
in memory at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

WHOSE = "taskroom.whose"  # in the environment of a request: the user who sent it
OF_ONE = 16 * 1024 * 1024
IN_ALL = 256 * 1024 * 1024


class Unsent:
    """Counts bytes by ``key``, a user or an address. All calls come from one loop."""

    def __init__(self, of_one: int = OF_ONE, in_all: int = IN_ALL) -> None:
        self._of_one, self._in_all = of_one, in_all
        self._held: dict[str, dict[object, tuple[int, Callable[[], None]]]] = {}  # the oldest of a key first
        self._bytes: dict[str, int] = {}
        self._waiting: dict[str, threading.Event] = {}
        self.bytes = 0

    @contextmanager
    def held(self, key: str, size: int, disconnect: Callable[[], None]) -> Iterator[None]:
        """Encloses the time in which an answer of that size waits to be taken. ``disconnect`` ends the connection
        without waiting; when the process holds too much, it is called for the oldest answers of the key with most."""
        token = object()
        self._held.setdefault(key, {})[token] = size, disconnect
        self._bytes[key] = self._bytes.get(key, 0) + size
        self.bytes += size
        while self.bytes > self._in_all:
            most = max(self._bytes, key=self._bytes.__getitem__)
            self._drop(most, next(iter(self._held[most])))()
        try:
            yield
        finally:
            if token in self._held.get(key, {}):
                self._drop(key, token)

    def wait(self, key: str) -> None:
        """Waits until less than the share of the key waits to be taken, so that another answer may be made."""
        while self._bytes.get(key, 0) > self._of_one:
            self._waiting.setdefault(key, threading.Event()).wait()

    def _drop(self, key: str, token: object) -> Callable[[], None]:
        size, disconnect = self._held[key].pop(token)
        self._bytes[key] -= size
        self.bytes -= size
        if not self._held[key]:
            del self._held[key], self._bytes[key]
        if self._bytes.get(key, 0) <= self._of_one and (waiting := self._waiting.pop(key, None)):
            waiting.set()
        return disconnect


def whose(environ: dict[str, Any]) -> str:
    """Returns the key that an answer counts for: the user where one is known, else the address."""
    return str(environ.get(WHOSE) or environ.get("REMOTE_ADDR") or "")
