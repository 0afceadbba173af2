"""Redis, a hint only: what is durable already is published, to be heard by each web process's subscription.

A message on a stream's channel is ``first last\\n`` (``first last end\\n`` when it closes the stream),
then a line an event: ``type\\tlevel\\tpayload``. Nobody parses its JSON on the way.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from sys import intern

import redis
from redis.exceptions import RedisError

from app.stream.channels import Channels
from app.stream.counts import Types
from app.stream.event import Event
from app.stream.store import Appended

logger = logging.getLogger("taskroom.broker")

PUBLISH_TIMEOUT = 0.2
PUBLISH_PAUSE = 1.0


def encode_batch(events: Sequence[Event], closes: bool) -> str:
    head = f"{events[0].sequence} {events[-1].sequence}{' end' if closes else ''}"
    return "\n".join([head, *(f"{e.type}\t{e.level or ''}\t{e.payload}" for e in events)])


def decode_batch(stream: str, message: str) -> tuple[list[Event], bool]:
    """Returns the events and whether they close the stream; ValueError for anything else."""
    head, *lines = message.split("\n")
    first, last, *end = head.split(" ")
    events = []
    for sequence, line in enumerate(lines, int(first)):
        type, level, payload = line.split("\t", 2)
        # Interned: a ring holds thousands of events of a few types.
        events.append(Event(stream, sequence, intern(type), payload, intern(level) if level else None))
    if not events or events[-1].sequence != int(last):
        raise ValueError(f"{len(lines)} events do not fill {first} to {last}")
    return events, end == ["end"]


class Publisher:
    """Publishes after a commit. It never raises and never takes long: a lost hint costs latency only."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=PUBLISH_TIMEOUT, socket_connect_timeout=PUBLISH_TIMEOUT
        )
        self._channels = Channels(url)
        self._not_before = 0.0
        self._failing = False
        self._counting = threading.Lock()  # a worker publishes from two threads
        self.stored = Types()  # what was committed here, whether Redis took it or not
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
        """Tells every web process something that is no event, such as a session's end."""
        self._send([(self._channels.control, message)])

    def _send(self, messages: Sequence[tuple[str, str]]) -> None:
        self.messages += len(messages)
        # A stopped Redis takes the whole timeout each time: skip it for a while after a failure.
        if time.monotonic() < self._not_before:
            self.lost += len(messages)
            return
        try:
            pipe = self._redis.pipeline(transaction=False)
            for channel, message in messages:
                pipe.publish(channel, message)
            pipe.execute()
        except RedisError as error:
            self._not_before = time.monotonic() + PUBLISH_PAUSE
            self.lost += len(messages)
            if not self._failing:
                logger.warning("publishing fails, viewers get their events from Postgres: %s", error)
            self._failing = True
        else:
            if self._failing:
                logger.warning("publishing works again")
            self._failing = False
