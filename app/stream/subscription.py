"""The subscription of a web process: one connection to Redis, for all streams that its viewers watch."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any, Protocol

import redis
from redis.exceptions import TimeoutError

from app.errors import causes
from app.stream.channels import KindListener, SubscribedChannels
from app.stream.event import Event
from app.stream.faults import Faults
from app.stream.message import Channels, decode_batch
from app.stream.publisher import PUBLISH_PAUSE

logger = logging.getLogger("taskroom.broker")

PING_EVERY = 0.5
PING_LIMIT = 1.0
FRESH_SECONDS = 0.75  # pings are answered every half second: after this an answer is missing
STALE_SECONDS = 2.0  # after this an operator is warned
# Publishers pause for so long after a failure, so the first moments of a connection may lack messages.
SETTLE_SECONDS = 1.5 * PUBLISH_PAUSE
RECONNECT_SECONDS = (0.05, 1.0)
BACKLOG_SECONDS = 0.005  # of a backlog of messages, before other threads run


class MessageListener(Protocol):
    """Receives what is published; called from the subscription's thread."""

    def received(self, stream: str, events: Sequence[Event], closes: bool) -> None: ...

    def confirmed(self, stream: str) -> None:
        """The stream's messages are received from here on; earlier ones may have been missed."""

    def control_received(self, message: str) -> None: ...

    def reconnected(self) -> None:
        """Control messages are received from here on; earlier ones may have been missed."""


class Subscription:
    """Receives messages, and knows when it may be missing some.

    The library's own pub/sub resubscribes silently, which hides a gap; here each confirmation counts.
    """

    def __init__(self, url: str, listener: MessageListener, faults: Faults | None = None) -> None:
        pool = redis.ConnectionPool.from_url(url, socket_timeout=5.0, socket_connect_timeout=1.0, protocol=2)
        # Not from the pool: it counts each connection that it makes, and makes only so many in its life.
        self._connection_class, self._arguments = pool.connection_class, pool.connection_kwargs
        self._listener, self._faults, self._names = listener, faults or Faults(), Channels(url)
        self.channels = channels = SubscribedChannels(self._names, self._faults)
        self.subscribe, self.unsubscribe = channels.subscribe, channels.unsubscribe
        self.subscribe_kind, self.unsubscribe_kind = channels.subscribe_kind, channels.unsubscribe_kind
        self._stopped = threading.Event()
        self._opened_at = self._received_at = time.monotonic()
        self._trouble = "no reason is known"
        self.stale = False
        self.ended = False  # the listener's thread, which only ``stop`` shall end
        self.connects = 0

    @property
    def connected(self) -> bool:
        return self.channels.connection is not None

    @property
    def silence(self) -> float:
        """Seconds since anything was last received, or since the start. It grows whatever the cause, a cut connection
        or a listener that hangs, so it serves as a metric."""
        return time.monotonic() - self._received_at

    @property
    def receiving(self) -> bool:
        """Whether messages are received at once; if not, streams are compared with Postgres more often."""
        return (
            self.connected
            and self.silence < FRESH_SECONDS
            and time.monotonic() - self._opened_at > SETTLE_SECONDS
        )

    def watch(self) -> None:
        """Logs once that nothing is received any more, and once that messages come again. Another thread calls it now
        and then, for the listener's may be the one that hangs."""
        silence = self.silence
        if silence < STALE_SECONDS:
            if self.stale:
                logger.warning("messages from Redis are received again")
            self.stale = False
        elif not self.stale:
            self.stale = True
            logger.warning(
                "nothing received from Redis for %.0f s, events come from Postgres: %s",
                *(silence, self._trouble),
            )

    def stop(self) -> None:
        self._stopped.set()
        self.channels.stop()

    def run(self) -> None:
        """Runs the listener's thread: connects, listens, and starts again until stopped, however often that fails."""
        wait, self.ended = RECONNECT_SECONDS[0], False
        threading.Thread(target=self.channels.run, name="taskroom-channels", daemon=True).start()
        try:
            while not self._stopped.is_set():
                connects = self.connects
                try:
                    self._connect_and_listen()
                except Exception as error:  # no fault may end the listening for good
                    self._trouble = causes.first_line(error)
                    if causes.of(error).is_temporary:
                        logger.info("listening again in %.2f s: %s", wait, error)
                    else:
                        self._faults.note("listening to Redis failed", error)
                if self.connects > connects:
                    wait = RECONNECT_SECONDS[0]
                self._stopped.wait(wait)
                wait = min(wait * 2, RECONNECT_SECONDS[1])
        finally:
            self.ended = True
            if not self._stopped.is_set():
                logger.critical("nothing listens to Redis any more; restart this process")

    def _connect_and_listen(self) -> None:
        connection: Any = self._connection_class(**self._arguments)
        try:
            connection.connect()
            self.channels.open(connection)
            self._opened_at = time.monotonic()
            self.connects += 1
            self._listen(connection)
        finally:
            self.channels.connection = None
            connection.disconnect()

    def _listen(self, connection: Any) -> None:
        pinged: float | None = None
        next_ping, paused_at = 0.0, time.monotonic()
        while not self._stopped.is_set():
            now = time.monotonic()
            if now - paused_at >= BACKLOG_SECONDS:
                # Reading lets no other thread run while there is something to read.
                time.sleep(0)
                paused_at = now = time.monotonic()
            if pinged is None and now >= next_ping:
                self.channels.send(connection, "PING")
                pinged, next_ping = now, now + PING_EVERY
            try:
                reply = connection.read_response(timeout=PING_EVERY / 2, disconnect_on_error=False)
            except TimeoutError:
                # Only now: the answer may have been there before, while this thread was kept from reading it.
                if pinged is not None and now > pinged + PING_LIMIT:
                    raise redis.ConnectionError(f"no answer to a ping in {PING_LIMIT:.0f} s") from None
                continue
            self._received_at = time.monotonic()
            if reply[0] == b"pong":
                pinged = None
            else:
                # A message that cannot be taken must not cost those that come during a reconnection.
                try:
                    self._dispatch(reply)
                except Exception as error:
                    self._faults.note("a message from Redis could not be taken", error)

    def _dispatch(self, reply: Any) -> None:
        kind, channel = reply[0], reply[-2].decode()
        stream, control = self._names.stream(channel), channel == self._names.control
        if kind == b"subscribe" and control:
            self._listener.reconnected()
        elif kind == b"subscribe":
            self._listener.confirmed(stream)
        elif kind == b"message" and control:
            self._listener.control_received(reply[2].decode("utf-8", "replace"))
        elif kind == b"psubscribe" and (listener := self._kind_listener(reply)):
            listener.kind_confirmed()
        elif kind in (b"message", b"pmessage"):
            try:
                events, closes = decode_batch(stream, reply[-1].decode())
            except ValueError as error:
                logger.warning("a message on %s is no batch of events: %s", channel, error)
                return
            if kind == b"message":
                self._listener.received(stream, events, closes)
            elif listener := self._kind_listener(reply):
                listener.kind_received(stream, events)

    def _kind_listener(self, reply: Any) -> KindListener | None:
        """The listener of the reply's pattern; None when the pattern was unsubscribed meanwhile."""
        return self.channels.kinds.get(self._names.kind(reply[1].decode()))
