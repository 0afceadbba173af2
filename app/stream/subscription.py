"""One subscription for each web process: what is published on the streams that its viewers watch."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any, Protocol

import redis
from redis.exceptions import RedisError, TimeoutError

from app.stream.background import in_turns
from app.stream.event import Event
from app.stream.faults import Faults
from app.stream.message import Channels, decode_batch
from app.stream.publisher import PUBLISH_PAUSE

logger = logging.getLogger("taskroom.broker")

PING_EVERY = 0.5
PING_LIMIT = 1.0
FRESH_SECONDS = 0.75  # answers to pings come every half second: after this the next one is missing
STALE_SECONDS = 2.0  # then an operator is told
# Publishers skip so long after a failure, so what is heard in the first moments may not be all.
SETTLE_SECONDS = 1.5 * PUBLISH_PAUSE
RECONNECT_SECONDS = (0.05, 1.0)
CHANNELS_AT_ONCE = 500
TURN_SECONDS = 0.005  # of a backlog of messages, before everybody else in the process has a turn


class Listener(Protocol):
    """Who hears the subscription; called from its thread."""

    def received(self, stream: str, events: Sequence[Event], closes: bool) -> None: ...

    def confirmed(self, stream: str) -> None:
        """From here on the channel is heard; what came before may have been missed."""

    def control_received(self, message: str) -> None: ...

    def reconnected(self) -> None:
        """Control messages are heard from here on; those sent before may have been missed."""


class KindListener(Protocol):
    """Who follows a kind of streams as a whole; called from the subscription's thread."""

    def kind_received(self, stream: str, events: Sequence[Event]) -> None: ...

    def kind_confirmed(self) -> None:
        """From here on all of them are heard; what came before may have been missed."""


class Subscription:
    """One connection that follows the channels of watched streams, and knows when it is deaf.

    The library's own pub/sub resubscribes silently, which hides a gap; here each confirmation counts.
    """

    def __init__(self, url: str, listener: Listener, faults: Faults | None = None) -> None:
        pool = redis.ConnectionPool.from_url(url, socket_timeout=5.0, socket_connect_timeout=1.0, protocol=2)
        # Not from the pool: it counts each connection that it makes, and makes only so many in its life.
        self._connection_class, self._arguments = pool.connection_class, pool.connection_kwargs
        self._channels = Channels(url)
        self._listener, self._faults = listener, faults or Faults()
        self._wanted: set[str] = set()
        self._changed: dict[str, None] = {}  # streams of which Redis is not told yet whether they are wanted
        self._changes = threading.Lock()  # of these two; nothing waits while it is held
        self._due = threading.Event()
        self._kinds: dict[str, KindListener] = {}
        self._connection: Any = None  # redis publishes no type for a bare connection
        self._sending = threading.Lock()  # two greenlets may not write to one socket at a time
        self._stopped = threading.Event()
        self._opened_at = self._heard_at = time.monotonic()
        self._trouble = "no reason is known"
        self.stale = False
        self.ended = False  # the listener's thread, which only ``stop`` shall end
        self.connects = 0

    @property
    def connected(self) -> bool:
        return self._connection is not None

    @property
    def silence(self) -> float:
        """Seconds since the last sign of life, or since the start. A metric: whatever it is that makes it deaf, a cut
        connection or a listener that hangs, the silence grows."""
        return time.monotonic() - self._heard_at

    @property
    def hears(self) -> bool:
        """Whether what is published is heard at once; else streams have to be compared with Postgres more often."""
        return (
            self.connected
            and self.silence < FRESH_SECONDS
            and time.monotonic() - self._opened_at > SETTLE_SECONDS
        )

    def watch(self) -> None:
        """Says once that nothing is heard any more, and once that it is again. To be called now and then by another
        thread, for this one may be what hangs."""
        silence = self.silence
        if silence < STALE_SECONDS:
            if self.stale:
                logger.warning("Redis is heard again")
            self.stale = False
        elif not self.stale:
            self.stale = True
            logger.warning(
                "nothing heard from Redis for %.0f s, events come from Postgres: %s", silence, self._trouble
            )

    def subscribe(self, stream: str) -> None:
        """Returns at once, as ``unsubscribe``: Redis is told by a thread of its own, of many streams in one command."""
        self._want(stream, True)

    def unsubscribe(self, stream: str) -> None:
        self._want(stream, False)

    def subscribe_kind(self, kind: str, listener: KindListener) -> None:
        """All streams of that kind (``user``), those that are yet to come too. One may follow each kind."""
        self._kinds[kind] = listener
        self._command("PSUBSCRIBE", self._channels.pattern(kind))

    def unsubscribe_kind(self, kind: str) -> None:
        self._kinds.pop(kind, None)
        self._command("PUNSUBSCRIBE", self._channels.pattern(kind))

    def stop(self) -> None:
        self._stopped.set()
        self._due.set()

    def run(self) -> None:
        """The listener's thread: connects, listens, and starts again until stopped, however often that fails."""
        wait, self.ended = RECONNECT_SECONDS[0], False
        threading.Thread(target=self._keep_told, name="taskroom-channels", daemon=True).start()
        try:
            while not self._stopped.is_set():
                connects = self.connects
                try:
                    self._connect_and_listen()
                except (RedisError, OSError) as error:
                    self._trouble = str(error)
                    logger.info("listening again in %.2f s: %s", wait, error)
                except Exception as error:  # whatever it is, it must not leave the process deaf for good
                    self._trouble = str(error)
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
            self._open(connection)
            self._listen(connection)
        finally:
            self._connection = None
            connection.disconnect()

    def _open(self, connection: Any) -> None:
        names = self._channels
        with self._sending:
            self._connection = connection
            with self._changes:
                self._changed.clear()
                wanted = list(self._wanted)
            self._channel_command(connection, "SUBSCRIBE", [names.control, *map(names.of, wanted)])
            if self._kinds:
                connection.send_command("PSUBSCRIBE", *map(names.pattern, tuple(self._kinds)))
        self._opened_at = time.monotonic()
        self.connects += 1

    def _listen(self, connection: Any) -> None:
        pinged: float | None = None
        next_ping, turn = 0.0, time.monotonic()
        while not self._stopped.is_set():
            now = time.monotonic()
            if now - turn >= TURN_SECONDS:
                # Reading waits for nobody while there is something to read.
                time.sleep(0)
                turn = now = time.monotonic()
            if pinged is None and now >= next_ping:
                self._send(connection, "PING")
                pinged, next_ping = now, now + PING_EVERY
            try:
                reply = connection.read_response(timeout=PING_EVERY / 2, disconnect_on_error=False)
            except TimeoutError:
                # Only now: the answer may have been there already, and this thread been kept from looking.
                if pinged is not None and now > pinged + PING_LIMIT:
                    raise redis.ConnectionError(f"no answer to a ping in {PING_LIMIT:.0f} s") from None
                continue
            self._heard_at = time.monotonic()
            if reply[0] == b"pong":
                pinged = None
            else:
                # One message that cannot be taken is no reason to miss what comes while it is connected anew.
                try:
                    self._dispatch(reply)
                except Exception as error:
                    self._faults.note("a message from Redis could not be taken", error)

    def _dispatch(self, reply: Any) -> None:
        kind, channel = reply[0], reply[-2].decode()
        stream, control = self._channels.stream(channel), channel == self._channels.control
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
                logger.warning("a message on %s is not ours: %s", channel, error)
                return
            if kind == b"message":
                self._listener.received(stream, events, closes)
            elif listener := self._kind_listener(reply):
                listener.kind_received(stream, events)

    def _kind_listener(self, reply: Any) -> KindListener | None:
        """Of that pattern; None when it was unfollowed meanwhile."""
        return self._kinds.get(self._channels.kind(reply[1].decode()))

    def _want(self, stream: str, wanted: bool) -> None:
        with self._changes:
            if wanted:
                self._wanted.add(stream)
            else:
                self._wanted.discard(stream)
            self._changed[stream] = None
        self._due.set()

    def _keep_told(self) -> None:
        """The thread that tells Redis what is wanted."""
        while not self._stopped.is_set():
            self._due.wait()
            self._due.clear()
            with self._faults.within("subscribing failed"):
                self._tell()

    def _tell(self) -> None:
        with self._sending:
            with self._changes:
                changed, self._changed = self._changed, {}
                wanted = [stream for stream in changed if stream in self._wanted]
                unwanted = [stream for stream in changed if stream not in self._wanted]
            connection, name = self._connection, self._channels.of
            if connection is None:
                return  # the next connection subscribes to all that is wanted
            try:
                self._channel_command(connection, "SUBSCRIBE", list(map(name, wanted)))
                self._channel_command(connection, "UNSUBSCRIBE", list(map(name, unwanted)))
            except (RedisError, OSError) as error:
                logger.info("subscribing waits for the next connection: %s", error)

    def _channel_command(self, connection: Any, command: str, channels: Sequence[str]) -> None:
        for start in in_turns(range(0, len(channels), CHANNELS_AT_ONCE), 1):
            connection.send_command(command, *channels[start : start + CHANNELS_AT_ONCE], check_health=False)

    def _command(self, *args: str) -> None:
        connection = self._connection
        if connection is None:
            return  # the next connection subscribes to all that is wanted
        try:
            self._send(connection, *args)
        except (RedisError, OSError) as error:
            logger.info("subscribing waits for the next connection: %s", error)

    def _send(self, connection: Any, *args: str) -> None:
        with self._sending:
            connection.send_command(*args, check_health=False)
