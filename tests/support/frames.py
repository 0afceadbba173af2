"""Reads an event stream and keeps its bytes, to compare them with a dialect's messages."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tests.realtime.test_event_stream import Message, parse
from tests.support.system import User, wait_for
from tests.support.threads import joined


class Frames:
    """``GET path`` as ``user``; ``body`` has all bytes so far, without the chunk frames."""

    def __init__(self, url: str, user: User | None, path: str, **headers: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self._connection.connect()
        self._socket = self._connection.sock
        if user:
            headers["Authorization"] = f"Bearer {user.token}"
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request("GET", path, headers=headers)
        self._response = self._connection.getresponse()
        self.status, self.headers = self._response.status, self._response.headers
        self.body = b""
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Frames:
        return self

    def __exit__(self, *_: Any) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        joined(self._thread)

    @property
    def messages(self) -> list[Message]:
        """The messages that a client dispatches, each with the last id at that point."""
        return parse(self.body.rpartition(b"\n\n")[0] + b"\n\n")[0]

    @property
    def data(self) -> list[dict[str, Any]]:
        return [json.loads(message.data) for message in self.messages]

    @property
    def last_id(self) -> str:
        """The id that a client would send as Last-Event-ID."""
        ids = [line[4:] for line in self.body.decode().split("\n") if line.startswith("id: ")]
        return ids[-1] if ids else ""

    def wait(self, what: str, condition: Callable[[Frames], Any], seconds: float = 120.0) -> Any:
        return wait_for(f"{what} on the stream", lambda: condition(self), seconds)

    def events(self, count: int) -> list[Message]:
        """Waits for so many events and returns all events."""
        self.wait(f"{count} events", lambda _: len(events_in(self.messages)) >= count)
        return events_in(self.messages)

    def _read(self) -> None:
        try:
            while chunk := self._response.read1(65536):
                self.body += chunk
        except (http.client.HTTPException, OSError):
            pass  # closed here
        finally:
            self._response.close()
            self._connection.close()
            self.ended.set()


def events_in(messages: list[Message]) -> list[Message]:
    """Returns the messages without greetings and heartbeats."""
    return [
        message
        for message in messages
        if message.type not in ("connected", "heartbeat", "ping")
        and json.loads(message.data).get("type") != "connected"
    ]
