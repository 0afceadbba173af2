"""How many messages wait in the queues of a worker, and for how long, where the broker says it at once."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

from taskroom.celery.heartbeat import queue_names
from taskroom.server import Client

SENT_AT = "timestamp"  # AMQP's property of a message, in whole seconds since 1970
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
                    said = {"name": name, "depth": depth, "beat_seconds": DEPTH_SECONDS}
                    oldest = self._oldest_wait(name) if depth else None
                    self._client.queue(said if oldest is None else {**said, "oldest_wait_seconds": oldest})
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
        if driver == "redis":
            return int(channel._size(name))  # kombu looks for the queue without its global_keyprefix
        try:
            return int(channel.queue_declare(name, passive=True).message_count)
        except self._connection.channel_errors:
            self.close()  # AMQP has closed the channel
            return None

    def _oldest_wait(self, name: str) -> float | None:
        """Seconds since the message was sent that has waited longest: with Redis it is the next one of a priority.
        None when one of these does not say when it was sent, and for AMQP, where reading a message takes it."""
        channel = self._connection.default_channel
        if self._connection.transport.driver_type != "redis":
            return None
        prefix = getattr(channel, "global_keyprefix", "")  # kombu does not put it before the key of LINDEX
        keys = dict.fromkeys(f"{prefix}{channel._q_for_pri(name, step)}" for step in channel.priority_steps)
        with channel.conn_or_acquire() as redis:
            messages = [redis.lindex(key, -1) for key in keys]
        times = [_sent_at(message) for message in messages if message is not None]
        known = [at for at in times if at is not None]
        return max(0.0, time.time() - min(known)) if known and len(known) == len(times) else None


def _sent_at(message: bytes) -> float | None:
    """When a message was sent, as kombu has it in Redis, in seconds since 1970; None when it does not say so."""
    try:
        at = json.loads(message)["properties"][SENT_AT]
    except (ValueError, KeyError, TypeError):
        return None
    return float(at) if isinstance(at, (int, float)) else None
