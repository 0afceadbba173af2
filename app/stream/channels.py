"""The channels that a process is subscribed to, and the thread that sends Redis each change of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any, Protocol

from app.errors import causes
from app.stream.background import with_pauses
from app.stream.event import Event
from app.stream.faults import Faults
from app.stream.message import Channels

logger = logging.getLogger("taskroom.broker")

CHANNELS_AT_ONCE = 500  # in one command


class KindListener(Protocol):
    """Receives the events of all streams of a kind; called from the subscription's thread."""

    def kind_received(self, stream: str, events: Sequence[Event]) -> None: ...

    def kind_confirmed(self) -> None:
        """All events from here on will be received; earlier ones may have been missed."""


class SubscribedChannels:
    """What is wanted, and over which connection. Each new connection is sent all that is wanted."""

    def __init__(self, names: Channels, faults: Faults) -> None:
        self._names, self._faults = names, faults
        self._wanted: set[str] = set()  # streams
        self._changed: dict[str, None] = {}  # streams whose change was not sent to Redis yet
        self._changes = threading.Lock()  # of these two; nothing waits while it is held
        self._due = threading.Event()
        self._stopped = threading.Event()
        self.kinds: dict[str, KindListener] = {}
        self.connection: Any = None  # redis publishes no type for a bare connection
        self._sending = threading.Lock()  # two greenlets may not write to one socket at a time

    def subscribe(self, stream: str) -> None:
        """Returns at once, as ``unsubscribe``: the thread sends Redis the changes of many streams in one command."""
        with self._changes:
            self._wanted.add(stream)
            self._changed[stream] = None
        self._due.set()

    def unsubscribe(self, stream: str) -> None:
        with self._changes:
            self._wanted.discard(stream)
            self._changed[stream] = None
        self._due.set()

    def subscribe_kind(self, kind: str, listener: KindListener) -> None:
        """Subscribes to all streams of that kind (``user``), also future ones, for the only listener of the kind."""
        self.kinds[kind] = listener
        self._command("PSUBSCRIBE", self._names.pattern(kind))

    def unsubscribe_kind(self, kind: str) -> None:
        self.kinds.pop(kind, None)
        self._command("PUNSUBSCRIBE", self._names.pattern(kind))

    def open(self, connection: Any) -> None:
        """Uses this connection from now on, and subscribes to all that is wanted."""
        with self._sending:
            self.connection = connection
            with self._changes:
                self._changed.clear()
                wanted = list(self._wanted)
            self._send_channels(connection, "SUBSCRIBE", [self._names.control, *map(self._names.of, wanted)])
            if self.kinds:
                connection.send_command("PSUBSCRIBE", *map(self._names.pattern, tuple(self.kinds)))

    def send(self, connection: Any, *args: str) -> None:
        with self._sending:
            connection.send_command(*args, check_health=False)

    def run(self) -> None:
        """Sends changes until stopped, in a thread of its own."""
        while not self._stopped.is_set():
            self._due.wait()
            self._due.clear()
            with self._faults.within("subscribing failed"):
                self.send_changes()

    def stop(self) -> None:
        self._stopped.set()
        self._due.set()

    def send_changes(self) -> None:
        with self._sending:
            with self._changes:
                changed, self._changed = self._changed, {}
                wanted = [stream for stream in changed if stream in self._wanted]
                unwanted = [stream for stream in changed if stream not in self._wanted]
            connection, name = self.connection, self._names.of
            if connection is None:
                return  # the next connection subscribes to all that is wanted
            try:
                self._send_channels(connection, "SUBSCRIBE", list(map(name, wanted)))
                self._send_channels(connection, "UNSUBSCRIBE", list(map(name, unwanted)))
            except Exception as error:
                _wait_for_connection(error)

    def _send_channels(self, connection: Any, command: str, channels: Sequence[str]) -> None:
        for start in with_pauses(range(0, len(channels), CHANNELS_AT_ONCE), 1):
            connection.send_command(command, *channels[start : start + CHANNELS_AT_ONCE], check_health=False)

    def _command(self, *args: str) -> None:
        connection = self.connection
        if connection is None:
            return  # the next connection subscribes to all that is wanted
        try:
            self.send(connection, *args)
        except Exception as error:
            _wait_for_connection(error)


def _wait_for_connection(error: Exception) -> None:
    """Raises the error unless it is temporary: then the next connection subscribes to all that is wanted."""
    if not causes.of(error).is_temporary:
        raise error
    logger.info("subscribing waits for the next connection: %s", error)
