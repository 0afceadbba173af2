"""What travels on Redis: the names of channels, and batches of events.

A message on a stream's channel is ``first last\\n`` (``first last end\\n`` when it closes the stream),
then a line an event: ``type\\tlevel\\tpayload``. The payload's JSON is not parsed on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from sys import intern

import redis

from app.stream.event import Event


class Channels:
    """The channels of one installation: ``taskroom:<stream>``, ``control`` for what is no event, and ``socketio``, the
    library's own, for what outside emitters send.

    Redis separates the keys of its databases but not their channels: two installations on one server would receive each
    other's ``broadcast``, take the other's sequences for their own and miss events. So every database but the first has
    its number in the names: ``taskroom/7:<stream>``.
    """

    def __init__(self, url: str) -> None:
        database = int(redis.ConnectionPool.from_url(url).connection_kwargs.get("db") or 0)
        name = f"taskroom/{database}" if database else "taskroom"
        self._prefix = f"{name}:"
        self.control = f"{name}-control"  # not under the prefix: no stream name can reach it
        self.socketio = f"flask-socketio/{database}" if database else "flask-socketio"

    def of(self, stream: str) -> str:
        return self._prefix + stream

    def stream(self, channel: str) -> str:
        return channel.removeprefix(self._prefix)

    def pattern(self, kind: str) -> str:
        """The pattern of the channels of all streams of that kind, such as ``user``."""
        return f"{self._prefix}{kind}:*"

    def kind(self, pattern: str) -> str:
        return pattern.removeprefix(self._prefix).removesuffix(":*")


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
        # Interned: rings hold thousands of events of a few types.
        events.append(Event(stream, sequence, intern(type), payload, intern(level) if level else None))
    if not events or events[-1].sequence != int(last):
        raise ValueError(f"{len(lines)} events do not fill {first} to {last}")
    return events, end == ["end"]
