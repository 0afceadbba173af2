"""Simulates a version of eventlet with other internals that works too."""

from __future__ import annotations

from typing import Any


def install() -> None:
    from eventlet import websocket

    class Lock:
        """Has no ``counter``."""

        def __init__(self, lock: Any) -> None:
            self.acquire, self.release = lock.acquire, lock.release

    made = websocket.WebSocket.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        self._sendlock = Lock(self._sendlock)

    websocket.WebSocket.__init__ = init
