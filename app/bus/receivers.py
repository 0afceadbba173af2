"""The receivers of events, by a name: an event type or a stream."""

from __future__ import annotations

import threading
from collections.abc import Callable

from blinker import Namespace

from app.stream.event import Event


class Receivers:
    """Blinker signals under a lock. Blinker promises no thread safety and never removes a name."""

    def __init__(self) -> None:
        self._signals = Namespace()
        self._lock = threading.Lock()

    def __contains__(self, name: str) -> bool:
        return name in self._signals

    def add(self, name: str, take: Callable[[Event], None]) -> None:
        with self._lock:
            self._signals.signal(name).connect(take, weak=False)

    def remove(self, name: str, take: Callable[[Event], None]) -> None:
        with self._lock:
            signal = self._signals.signal(name)
            signal.disconnect(take)
            if not signal.receivers:
                del self._signals[name]

    def send(self, name: str, event: Event) -> None:
        """Passes the event to all receivers of the name. Receivers must not block."""
        with self._lock:
            signal = self._signals.get(name)
            if signal is not None:
                signal.send(event)
