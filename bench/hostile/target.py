"""The target, the source address and the duration of an attack, and the responses to it."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

FROM = "127.0.0.2"  # its own address: limits by address must not affect the viewers
PATIENCE_SECONDS = 3.0
SERVED, REFUSED, CLOSED = "served", "refused", "closed"


@dataclass(slots=True)
class Order:
    """``token`` belongs to the user who owns ``tasks``; ``log`` is a task with a long log, ``run`` is the watched
    task."""

    kind: str
    address: tuple[str, int]
    token: str
    email: str
    tasks: list[str]
    log: str
    run: str
    seconds: float

    def json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Order:
        order = cls(**json.loads(text))
        order.address = (order.address[0], order.address[1])
        return order


@dataclass(slots=True)
class Target:
    order: Order
    answers: Counter[str] = field(default_factory=Counter)
    ends_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.ends_at = time.monotonic() + self.order.seconds

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.ends_at

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.order.token}"}

    def crowd(self, count: int, attack: Callable[[Target], None]) -> None:
        """Runs so many attacks at once, each repeated until the end; after the end of a connection the next one
        starts."""

        def repeat() -> None:
            while not self.over:
                try:
                    attack(self)
                except (OSError, http.client.HTTPException):
                    self.answers[CLOSED] += 1
                    time.sleep(0.01)

        threads = [threading.Thread(target=repeat, daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:  # a slow reader may still be reading
            thread.join(max(0.0, self.ends_at + PATIENCE_SECONDS - time.monotonic()))

    def connect(self, receive_buffer: int = 0) -> socket.socket:
        connection = socket.socket()
        connection.settimeout(PATIENCE_SECONDS)
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.bind((FROM, 0))
        connection.connect(self.order.address)
        return connection

    def answered(self, status: int) -> None:
        self.answers[SERVED if status < 400 else REFUSED] += 1

    def ask(self, method: str, path: str, body: bytes | None = None, signed_in: bool = True) -> int:
        """Sends one request on a new connection, reads the response to its end and returns its status."""
        connection = http.client.HTTPConnection(
            *self.order.address, timeout=4 * PATIENCE_SECONDS, source_address=(FROM, 0)
        )
        headers = self.bearer if signed_in else {}
        with contextlib.closing(connection):
            connection.request(method, path, body, headers | {"Content-Type": "application/json"})
            response = connection.getresponse()
            while response.read(1 << 16):
                continue
        self.answered(response.status)
        return response.status

    def hold(self, connection: socket.socket) -> None:
        """Reads until the server closes the connection or the attack ends."""
        while not self.over:
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1 << 16):
                    raise ConnectionResetError
        self.answers[SERVED] += 1

    def websocket(self, signed_in: bool = True, receive_buffer: int = 0) -> socket.socket:
        """Returns a WebSocket after the handshake and the sign-in; the caller reads from it."""
        connection = self.connect(receive_buffer)
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = connection.recv(1 << 12)
        if not head.startswith(b"HTTP/1.1 101"):
            raise ConnectionResetError
        if signed_in:
            connection.sendall(frame(b"40" + json.dumps({"token": self.order.token}).encode()))
            received = b""
            while b"40{" not in received:
                received += (more := connection.recv(1 << 12))
                if not more:
                    raise ConnectionResetError
        return connection


def frame(payload: bytes, opcode: int = 1, last: bool = True) -> bytes:
    """Returns a client's frame. Its mask is zero, so the payload is unchanged."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = b"\xfe" + size.to_bytes(2)
    else:
        length = b"\xff" + size.to_bytes(8)
    return bytes([(0x80 if last else 0) | opcode]) + length + bytes(4) + payload


def event(name: str, data: Any) -> bytes:
    """Returns a frame with a Socket.IO event that asks for an acknowledgement."""
    return frame(b"420" + json.dumps([name, data]).encode())
