"""How many messages wait in the queues of a worker, where the broker says it at once."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from taskroom.celery.heartbeat import queue_names
from taskroom.server import Client

DEPTH_SECONDS = 10.0
CONNECT_SECONDS = 2.0
CHEAP = frozenset(("redis", "amqp"))  # drivers; others ask a service that counts each question


class Depths:
    """Asks over a connection of its own, which it makes anew after a fault."""

    def __init__(self, client: Client, app: Any) -> None:
        self._client, self._app = client, app
        self._connection: Any = None

    def report(self) -> None:
        """Reports each queue. Raises what the broker's library raises."""
        try:
            for name in queue_names(self._app):
                depth = self._depth(name)
                if depth is not None:
                    self._client.queue({"name": name, "depth": depth, "beat_seconds": DEPTH_SECONDS})
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        """Closes the connection, whatever state it is in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it may be broken already
                connection.close()

    def _depth(self, name: str) -> int | None:
        """The messages that are ready; None for a queue that nobody has made yet. With Redis those of each priority
        are counted: kombu has a list for each, and none for a queue that is empty."""
        if self._connection is None:
            self._connection = self._app.connection_for_read(connect_timeout=CONNECT_SECONDS)
        driver = self._connection.transport.driver_type
        if driver not in CHEAP:
            return None
        channel = self._connection.default_channel
        try:
            return int(channel.queue_declare(name, passive=True).message_count)
        except self._connection.channel_errors:
            if driver == "redis":
                return 0
            self.close()  # AMQP has closed the channel
            return None
