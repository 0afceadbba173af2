"""The target, the source address and the length of an attack, and the responses to it."""

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
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

FROM = "127.0.0.2"  # its own address: limits by address must not affect the viewers
PATIENCE_SECONDS = 3.0
SERVED, REFUSED, CLOSED = "served", "refused", "closed"


@dataclass(slots=True)
class Order:
    """``token`` belongs to the user who owns ``tasks``; ``log`` is a task with a long log, ``run`` is the watched
    task. ``reporter`` is the token of a worker, and ``reports`` are tasks that wait for it.

    The attack ends after ``seconds``. With ``rounds`` each loop of it ends after so many rounds: the amount of work is
    the same on any machine.
    """

    kind: str
    address: tuple[str, int]
    token: str
    email: str
    tasks: list[str]
    log: str
    run: str
    reporter: str
    reports: list[str]
    seconds: float
    rounds: int = 0
    patience: float = PATIENCE_SECONDS  # seconds to wait for a response

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
    statuses: Counter[int] = field(default_factory=Counter)  # of HTTP responses
    ends_at: float = field(init=False)
    _released: threading.Event = field(default_factory=threading.Event)
    _turns: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.ends_at = time.monotonic() + self.order.seconds

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.ends_at

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.order.token}"}

    def turn(self) -> int:
        """Returns 0, 1, 2 …: attackers that run at once each do something else."""
        return next(self._turns)

    def rounds(self) -> Iterator[int]:
        """Yields the rounds of one loop."""
        for number in count():
            if self.over or (self.order.rounds and number >= self.order.rounds):
                return
            yield number

    def hold(self) -> None:
        """Waits for the end of the attack, with connections that the server must keep or close."""
        self._released.wait(max(0.0, self.ends_at - time.monotonic()))

    def release(self) -> None:
        """Ends the waits before the time is over."""
        self._released.set()

    def crowd(self, count: int, attack: Callable[[Target], None]) -> None:
        """Runs so many attacks at once, each in rounds; after the end of a connection the next one starts."""

        def repeat() -> None:
            for _ in self.rounds():
                try:
                    attack(self)
                except (OSError, http.client.HTTPException):
                    self.answers[CLOSED] += 1
                    time.sleep(0.01)

        threads = [threading.Thread(target=repeat, daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:  # a slow reader may still be reading
            thread.join(max(0.0, self.ends_at + self.order.patience - time.monotonic()))

    def connect(self, receive_buffer: int = 0) -> socket.socket:
        connection = socket.socket()
        connection.settimeout(self.order.patience)
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.bind((FROM, 0))
        connection.connect(self.order.address)
        return connection

    def answered(self, status: int) -> None:
        self.statuses[status] += 1
        self.answers[SERVED if status < 400 else REFUSED] += 1

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> int:
        """Sends one request on a new connection, reads the response to its end and returns its status. The token is
        sent unless there are other headers."""
        return self.exchange(method, path, body, self.bearer if headers is None else headers)[0]

    def exchange(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        """The same; returns the response's body too."""
        connection = http.client.HTTPConnection(
            *self.order.address, timeout=4 * self.order.patience, source_address=(FROM, 0)
        )
        with contextlib.closing(connection):
            connection.request(method, path, body, headers | {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
        self.answered(response.status)
        return response.status, answer

    def request(self, path: str) -> bytes:
        """Returns a request for a stream."""
        return (
            f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n"
            f"Authorization: Bearer {self.order.token}\r\n\r\n"
        ).encode()

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
            until(connection, b"40{")
        return connection


def until(connection: socket.socket, wanted: bytes, times: int = 1) -> None:
    """Reads until ``wanted`` has come so many times. Raises OSError when the server closes or says nothing."""
    found, rest = 0, b""
    while found < times:
        more = connection.recv(1 << 16)
        if not more:
            raise ConnectionResetError
        rest += more
        found += rest.count(wanted)
        rest = rest[-len(wanted) + 1 :] if len(wanted) > 1 else b""


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
