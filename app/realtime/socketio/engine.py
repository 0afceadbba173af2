"""Engine.IO as Taskroom runs it: ids that name the process, one ping timer for all, and WebSockets with a reader of
their own."""

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
from app.stream.background import with_pauses

logger = logging.getLogger("taskroom.sockets")

RETRY_SECONDS = 0.01  # until a wire is tried again that waits for Engine.IO's writer
RETRY_EACH = 50e-6  # ten times what a try costs: a thousand of them must not occupy the loop
PING_RESOLUTION = 0.01  # of the interval: pings that are due within it are sent together
PINGS_AT_ONCE = 200  # before other greenlets run


class Engine:
    """Wraps ``eio``, an engineio.Server, before its first connection. ``direct``: frames may go past the library."""

    def __init__(
        self, eio: Any, process: int, compression: bool, direct: bool = True, upgrade_seconds: float = 10.0
    ) -> None:
        self.eio, self._upgrade_seconds = eio, upgrade_seconds
        self.poller = green.Poller() if green.patched() else None
        self.direct = direct and self.poller is not None  # else all clients are served by the library's emit
        self._warned = False
        self.draining = False
        self.guard: Guard  # set before the first connection
        self._websockets: dict[str, Any] = {}
        self._blocked: set[Callable[[], None]] = set()
        self._wake = threading.Event()
        self._running = False
        self._pings: deque[tuple[float, ReferenceType[Any]]] = deque()  # weak: an ended session is not kept
        new_id, self._in_background = eio.generate_id, eio.start_background_task
        # nginx reads the process from the id, so that the next poll comes back to the process of the session.
        eio.generate_id = lambda: f"{process}-{new_id()}"
        eio.start_background_task = self._start
        if self.poller is not None:
            self.turn_away = engineio_adapter.wrap(eio, self._serve, compression)

    def websocket(self, sid: str) -> Any:
        """Returns the WebSocket of that session; None while there is none."""
        return self._websockets.get(sid)

    def not_direct(self, error: Exception) -> None:
        """Warns, once, that a WebSocket looks different inside: its client alone is served by the library's emit."""
        if not self._warned:
            self._warned = True
            logger.warning(
                "a WebSocket looks different inside, its client goes by the ordinary emit: %r", error
            )

    def drain(self) -> None:
        """Closes the transport of every client, also of those that joined nothing or poll: after that they come back by
        themselves, after a disconnect they do not."""
        self.draining = True
        for session in list(self.eio.sockets.values()):
            self.close_transport(session)

    def close_transport(self, session: Any) -> None:
        """Closes without Engine.IO's CLOSE, after which the official Python client would not come back."""
        self.eio.start_background_task(session.close, wait=False, abort=True)

    def retry(self, ready: Callable[[], None]) -> None:
        """Calls ``ready`` of a wire in a moment: Engine.IO's writer is busy, and no event shows when it is idle."""
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
            for ready in with_pauses(blocked):
                try:
                    ready()
                except Exception:  # one wire's fault must not hold up all others
                    logger.exception("a wire could not be retried")

    def _serve(self, session: Any, ws: Any, handler: Callable[[Any], Any]) -> Any:
        """Serves one WebSocket from its handshake to its end."""
        reader = Reader(ws, session.sid, self.guard, self.eio.sleep)
        until = time.monotonic() + self._upgrade_seconds

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
            self.guard.refused(session.sid, "sends what is no packet")
            reader.close(PROTOCOL_ERROR)
        except OSError:
            engineio_adapter.shut(ws)
        finally:
            if self._websockets.get(session.sid) is ws:
                del self._websockets[session.sid]
            if not session.upgraded:
                session.upgrading = False  # the client goes on by polling
        if session.upgraded:
            session.close(wait=False, abort=True)
        return []

    def _start(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Starts the library's background tasks, except the one that sleeps before each ping of each client."""
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
            if wait > 0 or row == PINGS_AT_ONCE:  # clients that came together are due together
                self.eio.sleep(max(wait, PING_RESOLUTION * self.eio.ping_interval) if wait > 0 else 0)
                row = 0
                continue
            row += 1
            session = still_there()
            try:
                if session is not None and not session.closing and not session.closed:
                    # The answer is due as if the ping had been sent in time, except for delays of this process.
                    engineio_adapter.ping(
                        session, time.time() - min(-wait, PING_RESOLUTION * self.eio.ping_interval)
                    )
            except Exception:
                logger.exception("a client could not be pinged")
            self._pings.popleft()  # last: appending to an empty queue starts this task
