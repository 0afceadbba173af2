"""Publishes events to each peer, as a worker process would."""

from __future__ import annotations

import http.client
import socket
from typing import Any

import redis
from flask_socketio import SocketIO

from bench.publish import fields, payload


class RedisSink:
    """Publishes with Redis pub/sub; the channel is the room's name."""

    def __init__(self, redis_url: str) -> None:
        self._redis = redis.Redis.from_url(redis_url)

    def send(self, stream: str, sequence: int) -> None:
        self._redis.publish(stream, payload(stream, sequence))

    def finish(self) -> None:
        """Does nothing: each event is sent at once."""


class EmitterSink:
    """Publishes with Flask-SocketIO's write-only server on the same message queue."""

    def __init__(self, redis_url: str) -> None:
        self._socketio = SocketIO(message_queue=redis_url)

    def send(self, stream: str, sequence: int) -> None:
        task_id = stream.partition(":")[2]
        head = {"stream": stream, "task_id": task_id, "sequence": sequence}
        self._socketio.emit("log", head | fields(stream, sequence), to=stream)

    def finish(self) -> None:
        """Does nothing: each event is sent at once."""


class NchanSink:
    """Sends a POST for each event on one connection; nchan responds after it has passed the event on."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def send(self, stream: str, sequence: int) -> None:
        path = f"/tasks/{stream.partition(':')[2]}/publish"
        self._connection.request("POST", path, payload(stream, sequence))
        response = self._connection.getresponse()
        response.read()
        if response.status not in (201, 202):
            raise SystemExit(f"nchan answered {response.status}")

    def finish(self) -> None:
        self._connection.close()


class LimitSink:
    """Sends a line for each event on one connection to ``limit.c``."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(b"PUBLISH")

    def send(self, stream: str, sequence: int) -> None:
        self._socket.sendall(payload(stream, sequence).encode() + b"\n")

    def finish(self) -> None:
        self._socket.close()


SINKS: dict[str, Any] = {
    "redis": RedisSink,
    "flask-socketio": EmitterSink,
    "nchan": NchanSink,
    "limit": LimitSink,
}
