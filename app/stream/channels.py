"""What streams are called in Redis."""

from __future__ import annotations

import redis


class Channels:
    """The channels of one installation: ``taskroom:<stream>``, ``control`` for what is no event, and ``socketio``, the
    library's own, for what outside emitters send.

    Redis keeps the keys of its databases apart, but not their channels: two installations on one server would hear each
    other's ``broadcast``, and one would take the other's numbers for its own and miss events. So every database but the
    first has its number in the names: ``taskroom/7:<stream>``.
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
        """Of all streams of that kind, such as ``user``."""
        return f"{self._prefix}{kind}:*"

    def kind(self, pattern: str) -> str:
        return pattern.removeprefix(self._prefix).removesuffix(":*")
