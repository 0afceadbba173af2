"""Engine.IO as we run it: ids that name the process, one ping timer for all, and its WebSockets, read by our reader."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from weakref import ReferenceType, ref

from app import green
from app.realtime.socketio import engineio_adapter
from app.realtime.socketio.reader import PROTOCOL_ERROR, Guard, Reader
from app.stream.background import in_turns

logger = logging.getLogger("taskroom.sockets")

RETRY_SECONDS = 0.01  # a wire in whose way the library is
RETRY_EACH = 50e-6  # ten times what one try costs: a thousand of them must not take the loop for themselves
PING_RESOLUTION = 0.01  # of the interval: pings that are due so soon after one another leave together
PINGS_AT_ONCE = 200  # before others have their turn


class Engine:
    """Wraps ``eio``, an engineio.Server, before its first connection. ``direct``: frames may go past the library."""

    def __init__(
        self, eio: Any, process: int, compression: bool, direct: bool = True, upgrade_seconds: float = 10.0
    ) -> None:
        self.eio, self._upgrade_seconds = eio, upgrade_seconds
        self.poller = green.Poller() if green.patched() else None
        self.known = direct and self.poller is not None  # False: everybody is served by the library's emit
        self._warned = False
        self.draining = False
        self.guard: Guard  # before the first connection
        self._websockets: dict[str, Any] = {}
        self._blocked: set[Callable[[], None]] = set()
        self._wake = threading.Event()
        self._running = False
        self._pings: deque[tuple[float, ReferenceType[Any]]] = deque()  # it keeps nobody who has gone
        new_id, self._in_background = eio.generate_id, eio.start_background_task
        # nginx reads the process from the id, so that long-polling comes back to the process that knows it.
        eio.generate_id = lambda: f"{process}-{new_id()}"
        eio.start_background_task = self._start
        if self.poller is not None:
            self.turn_away = engineio_adapter.wrap(eio, self._serve, compression)

    def websocket(self, sid: str) -> Any:
        """The WebSocket of that session, once there is one."""
        return self._websockets.get(sid)

    def unknown(self, error: Exception) -> None:
        """A WebSocket looks different inside: that client alone is served by the library's emit."""
        if not self._warned:
            self._warned = True
            logger.warning(
                "a WebSocket looks different inside, its client goes by the ordinary emit: %r", error
            )

    def drain(self) -> None:
        """Closes the transport of every client, also of those that joined nothing and those that poll: they come back
        by themselves, which from a disconnect they would not."""
        self.draining = True
        for session in list(self.eio.sockets.values()):
            self.send_away(session)

    def send_away(self, session: Any) -> None:
        """Ends the transport without a word: the official Python client takes Engine.IO's CLOSE for a good-bye."""
        self.eio.start_background_task(session.close, wait=False, abort=True)

    def retry(self, ready: Callable[[], None]) -> None:
        """Calls ``ready`` of a wire in a moment: the library is in its way, and nobody tells when it is not."""
        self._blocked.add(ready)
        self._wake.set()
        if not self._running:
            self._running = True
            threading.Thread(target=self._retry, name="taskroom-retries", daemon=True).start()

    def _retry(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            time.sleep(max(RETRY_SECONDS, RETRY_EACH * len(self._blocked)))
            blocked, self._blocked = self._blocked, set()
            for ready in in_turns(blocked):
                try:
                    ready()
                except Exception:  # one socket's trouble must not hold up all others
                    logger.exception("a wire could not go on")

    def _serve(self, session: Any, ws: Any, handler: Callable[[Any], Any]) -> Any:
        """One WebSocket, from its handshake to its end."""
        reader, until = (
            Reader(ws, session.sid, self.guard, self.eio.sleep),
            time.monotonic() + self._upgrade_seconds,
        )

        def wait() -> Any:
            if not session.upgrading:
                return reader.wait()
            with green.limit(max(0.0, until - time.monotonic()), TimeoutError()):
                return reader.wait()

        self._websockets[session.sid] = ws
        ws.wait = wait
        try:
            return handler(ws)
        except (ValueError, RecursionError):
            self.guard.refused("sends what is no packet")
            reader.close(PROTOCOL_ERROR)
        except OSError:
            engineio_adapter.shut(ws)
        finally:
            if self._websockets.get(session.sid) is ws:
                del self._websockets[session.sid]
            if not session.upgraded:
                session.upgrading = False  # it goes on by polling
        if session.upgraded:
            session.close(wait=False, abort=True)
        return []

    def _start(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """The library's background tasks, but for the one that sleeps before each ping of each client."""
        session = engineio_adapter.pinged(target)
        if session is None:
            return self._in_background(target, *args, **kwargs)
        self._pings.append((time.monotonic() + self.eio.ping_interval, ref(session)))
        if len(self._pings) == 1:
            self._in_background(self._ping)
        return None

    def _ping(self) -> None:
        row = 0
        while self._pings:
            due, still_there = self._pings[0]
            wait = due - time.monotonic()
            if wait > 0 or row == PINGS_AT_ONCE:  # who came in a crowd is due in a crowd
                self.eio.sleep(max(wait, PING_RESOLUTION * self.eio.ping_interval) if wait > 0 else 0)
                row = 0
                continue
            row += 1
            session = still_there()
            try:
                if session is not None and not session.closing and not session.closed:
                    # Its answer is due as if the ping had come at its time, but for what a stall of ours made late.
                    engineio_adapter.ping(
                        session, time.time() - min(-wait, PING_RESOLUTION * self.eio.ping_interval)
                    )
            except Exception:
                logger.exception("a client could not be pinged")
            self._pings.popleft()  # last: the one who appends to an empty queue starts this task
