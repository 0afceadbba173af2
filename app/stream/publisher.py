"""Publishes durable events on Redis, as a hint: web processes that miss it read the events from Postgres."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

import redis

from app.errors import causes
from app.errors.survived import survived
from app.stream.message import Channels, encode_batch
from app.stream.metrics import EventCounts
from app.stream.store import Appended

logger = logging.getLogger("taskroom.broker")

PUBLISH_TIMEOUT = 0.2
PUBLISH_PAUSE = 1.0


class Publisher:
    """Publishes after a commit. It never raises and never waits for long: a lost message costs latency only."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=PUBLISH_TIMEOUT, socket_connect_timeout=PUBLISH_TIMEOUT
        )
        self._channels = Channels(url)
        self._not_before = 0.0
        self._failing = False
        self._counting = threading.Lock()  # a worker publishes from two threads
        self.stored = EventCounts()  # events committed by this process, whether Redis took them or not
        self.messages = self.lost = 0

    def publish(self, appended: Appended) -> None:
        with self._counting:
            self.stored.add(event.type for event in appended.events)
        self._send(
            [
                (self._channels.of(stream), encode_batch(events, stream in appended.closed))
                for stream, events in appended.by_stream().items()
            ]
        )

    def control(self, message: str) -> None:
        """Sends every web process a message that is no event, such as a session's end."""
        self._send([(self._channels.control, message)])

    def _send(self, messages: Sequence[tuple[str, str]]) -> None:
        self.messages += len(messages)
        # A stopped Redis takes the whole timeout each time, so it is skipped for a while after a failure.
        if time.monotonic() < self._not_before:
            self.lost += len(messages)
            return
        try:
            pipe = self._redis.pipeline(transaction=False)
            for channel, message in messages:
                pipe.publish(channel, message)
            pipe.execute()
        except Exception as error:
            self._not_before = time.monotonic() + PUBLISH_PAUSE
            self.lost += len(messages)
            if not (self._failing and causes.of(error).is_temporary):
                survived(logger, error, "publishing fails, viewers get their events from Postgres")
            self._failing = True
        else:
            if self._failing:
                logger.warning("publishing works again")
            self._failing = False
