"""An event is encoded once: Postgres keeps, Redis carries and a viewer reads the same bytes."""

from __future__ import annotations

import http.client
import threading
from urllib.parse import urlsplit

from redis import Redis

from app.stream.event import json_prefix
from app.stream.message import Channels, decode_batch
from tests.support.system import System, User, wait_for

TEXT = 'quote \' " back\\slash \t\r\n \u0085\u2028\u2029 \U0001f600 \u8868 {"type":"end"} data: x'


def test_stored_published_and_sent_are_the_same_bytes(system: System, user: User) -> None:
    published: list[bytes] = []
    channels = Channels(system.redis_url)
    with Redis.from_url(system.redis_url) as redis, redis.pubsub() as pubsub:
        pubsub.psubscribe(channels.pattern("task"))
        wait_for("the subscription", lambda: pubsub.get_message(timeout=0.1))
        task_id = user.start("test_echo", text=TEXT)
        stream = f"task:{task_id}"
        sent = read_to_the_end(system.url, user.token, task_id)
        user.finished(task_id)
        stored = system.sql(
            "SELECT payload FROM events JOIN streams ON streams.id = stream_id WHERE name = %s ORDER BY seq",
            stream,
        )

        while (message := pubsub.get_message(ignore_subscribe_messages=True, timeout=2.0)) is not None:
            if message["channel"].decode() == channels.of(stream):
                events, _ = decode_batch(stream, message["data"].decode())
                published.extend(e.payload.encode() for e in events)

    payloads = [payload.encode() for (payload,) in stored]
    assert any(b"back\\\\slash" in payload for payload in payloads)
    assert sent == payloads
    # A hint may be lost while the machine is slow; what is heard is the same bytes, in their order.
    assert published and published == [payload for payload in payloads if payload in published]


def read_to_the_end(url: str, token: str, task_id: str) -> list[bytes]:
    """The data of the task's events over SSE, as bytes; those of the stream's own control events left out."""
    at = urlsplit(url)
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=60)
    guard = threading.Timer(60, connection.close)  # a stream that never ends must not hang the test
    guard.start()
    try:
        connection.request(
            "GET",
            f"/api/v2/tasks/{task_id}/stream?since_sequence=0",
            headers={"Authorization": f"Bearer {token}", "Accept": "text/event-stream"},
        )
        frames = connection.getresponse().read().split(b"\n\n")
    finally:
        guard.cancel()
        connection.close()
    fields = [dict(line.split(b": ", 1) for line in f.split(b"\n") if b": " in line) for f in frames]
    head = json_prefix(f"task:{task_id}").encode()
    return [f[b"data"] for f in fields if f.get(b"data", b"").startswith(head)]
