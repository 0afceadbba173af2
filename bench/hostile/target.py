"""What is attacked, from where and for how long, and how the attacker was answered."""

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

FROM = "127.0.0.2"  # an address of its own: what is counted against it is not the viewers'
PATIENCE_SECONDS = 3.0
SERVED, REFUSED, CLOSED = "served", "refused", "closed"


@dataclass(slots=True)
class Order:
    """``token`` is a user's who owns ``tasks``; ``log`` is one with a long log, ``run`` the one that is watched."""

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
        """So many at once, each again and again until the end; a connection that ends begins the next."""

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
        for thread in threads:  # one that reads slowly may be in the middle of it
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
        """One request on a connection of its own, read to its end; its status."""
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
        """Reads until the server closes, or the end."""
        while not self.over:
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1 << 16):
                    raise ConnectionResetError
        self.answers[SERVED] += 1

    def websocket(self, signed_in: bool = True, receive_buffer: int = 0) -> socket.socket:
        """A WebSocket after its handshake, and after the sign-in; what comes on it is for whoever has it."""
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
            said = b""
            while b"40{" not in said:
                said += (more := connection.recv(1 << 12))
                if not more:
                    raise ConnectionResetError
        return connection


def frame(payload: bytes, opcode: int = 1, last: bool = True) -> bytes:
    """A client's; the mask is zero, which leaves the payload as it is."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = b"\xfe" + size.to_bytes(2)
    else:
        length = b"\xff" + size.to_bytes(8)
    return bytes([(0x80 if last else 0) | opcode]) + length + bytes(4) + payload


def event(name: str, data: Any) -> bytes:
    """A Socket.IO event that asks for an acknowledgement, as a frame."""
    return frame(b"420" + json.dumps([name, data]).encode())
