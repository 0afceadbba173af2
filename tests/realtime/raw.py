"""Clients that read only when they are told to, with small buffers: what a slow network looks like to a server."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import websocket

from tests.support.system import User

SMALL = 4096
SMALL_BUFFER = ((socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL),)


class RawSse:
    """``received`` is all that was read so far, its head first."""

    def __init__(
        self, url: str, user: User, task_id: str, since: int = 0, version: str = "1.1", more: str = ""
    ) -> None:
        address = urlsplit(url)
        self.socket = socket.socket()
        self.socket.setsockopt(*SMALL_BUFFER[0])
        self.socket.settimeout(60)
        self.socket.connect((str(address.hostname), int(address.port or 80)))
        self.socket.sendall(
            f"GET /api/v2/tasks/{task_id}/stream?since_sequence={since} HTTP/{version}\r\nHost: {address.netloc}\r\n"
            f"Authorization: Bearer {user.token}\r\n{more}\r\n".encode()
        )
        self.received = b""

    def read(self, events: int) -> None:
        while len(self.sequences) < events:
            more = self.socket.recv(SMALL)
            assert more, "the server closed"
            self.received += more

    def read_all(self) -> None:
        """Until the server closes."""
        parts = []
        try:
            while more := self.socket.recv(65536):
                parts.append(more)
        except ConnectionResetError:  # what was not sent yet is lost, as it may be
            pass
        self.received += b"".join(parts)

    @property
    def head(self) -> dict[str, str]:
        lines = self.received.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    @property
    def body(self) -> bytes:
        return self.received.partition(b"\r\n\r\n")[2]

    @property
    def sequences(self) -> list[int]:
        """Of the events that are whole."""
        whole = self.body.rpartition(b"\n\n")[0] + b"\n\n"
        return [
            int(event.partition(b"id: ")[2].partition(b"\n")[0])
            for event in whole.split(b"\n\n")
            if b'"sequence":' in event
        ]

    def close(self) -> None:
        self.socket.close()


class RawSocket:
    """Engine.IO over a WebSocket, by hand. It answers pings while it reads, and only then."""

    def __init__(self, url: str, user: User, headers: list[str] | None = None, batch: bool = False) -> None:
        address = f"ws{url.removeprefix('http')}/socket.io/?EIO=4&transport=websocket"
        self.ws = websocket.create_connection(address, timeout=60, sockopt=SMALL_BUFFER, header=headers)
        self.messages: list[Any] = []
        self.pings = self.largest = 0  # of a message: its events
        assert self.ws.recv()[0] == "0"
        self.ws.send("40" + json.dumps({"token": user.token, "batch": batch}))
        assert self.ws.recv().startswith("40")

    def join(self, task_id: str, since: int = 0) -> None:
        self.ws.send("420" + json.dumps(["join_task", {"task_id": task_id, "since_sequence": since}]))
        self.read_until(lambda: any("ok" in m for m in self.messages))

    def send(self, *messages: str | bytes) -> bool:
        """In their order; False when the server closed before the last, as it may when it refuses one."""
        try:
            for message in messages:
                self.ws.send(message) if isinstance(message, str) else self.ws.send_binary(message)
        except (websocket.WebSocketException, OSError):
            return False
        return True

    def read(self) -> bool:
        """One message; False when the server has closed."""
        try:
            text = self.ws.recv()
        except (websocket.WebSocketException, OSError):
            return False
        if text == "2":
            self.pings += 1
            self.ws.send("3")
        elif text.startswith("42"):
            type, data = json.loads(text[2:])
            events = data if type == "events" else [(type, data)]
            self.messages += [{"type": each, **event} for each, event in events]
            self.largest = max(self.largest, len(events))
        elif text.startswith("43"):
            self.messages.append(json.loads(text.partition("[")[2].rpartition("]")[0]))
        return bool(text)

    def read_until(self, condition: Any) -> None:
        while not condition():
            assert self.read(), "the server closed"

    def read_all(self) -> None:
        while self.read():
            continue

    @property
    def sequences(self) -> list[int]:
        return [m["sequence"] for m in self.messages if "type" in m and "sequence" in m]

    @property
    def ended(self) -> bool:
        return any(m.get("type") == "end" for m in self.messages)

    def close(self) -> None:
        self.ws.close()
