"""Viewers like those of users: over SSE, and with the official Python Socket.IO client. A test can cut each without a
close; the viewer resumes from the last sequence that it saw."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from abc import ABC, abstractmethod
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
import socketio

from tests.support.cuttable import CuttableAdapter
from tests.support.system import User, wait_for

PATHS = {"task": "tasks/{}/stream", "events": "events/stream", "notifications": "notifications/stream"}
CONTROLS = frozenset({"connected", "joined", "heartbeat", "resync", "end", "token_expired", "transport"})


class Viewer(ABC):
    """Collects ``events`` (the payload with its ``type``) and ``controls`` (type, data, id).

    ``room`` is "task", or one of the user's rooms: "events" or "notifications".
    """

    def __init__(self, url: str, user: User, task_id: str, room: str = "task") -> None:
        self.url, self.user, self.task_id, self.room = url, user, task_id, room
        self.events: list[dict[str, Any]] = []
        self.controls: list[tuple[str, dict[str, Any], str | None]] = []
        self.closed = threading.Event()

    @abstractmethod
    def open(self, since: int | str | None = None) -> None: ...

    @abstractmethod
    def cut(self) -> None:
        """Ends the connection without a close, like a network fault."""

    @abstractmethod
    def close(self) -> None: ...

    def resume(self) -> None:
        self.open(self.events[-1]["sequence"] if self.events else 0)

    def receive(self, type: str, data: dict[str, Any], id: str | None = None) -> None:
        if type in CONTROLS:
            self.controls.append((type, data, id))
        else:
            self.events.append({"type": type, **data})

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether the server has accepted it; it may have been cut since."""

    @property
    def sequences(self) -> list[int]:
        return [event["sequence"] for event in self.events]

    @property
    def ended(self) -> bool:
        return any(type == "end" for type, _, _ in self.controls)

    def control(self, type: str) -> dict[str, Any]:
        """Waits for the first control message of that type and returns it."""
        return wait_for(
            f"{type} on {self.__class__.__name__}",
            lambda: next(
                ((data | {"id": id}) for kind, data, id in list(self.controls) if kind == type), None
            ),
        )

    def wait_events(self, count: int, seconds: float = 120.0) -> None:
        wait_for(f"{count} events on {self.__class__.__name__}", lambda: len(self.events) >= count, seconds)


class SseViewer(Viewer):
    """Reads an event stream by section 9.2 of the HTML standard."""

    def __init__(self, url: str, user: User, task_id: str, room: str = "task", **query: str) -> None:
        super().__init__(url, user, task_id, room)
        self.query = query
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.comments = 0
        self.retry: int | None = None
        self._socket: socket.socket | None = None
        self._connection: http.client.HTTPConnection | None = None
        self._thread: threading.Thread | None = None

    def open(self, since: int | str | None = None, headers: dict[str, str] | None = None) -> None:
        self.closed.clear()
        query = self.query if since is None else self.query | {"since_sequence": str(since)}
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=120)
        connection.connect()
        self._connection, self._socket = connection, connection.sock
        connection.request(
            "GET",
            f"/api/v2/{PATHS[self.room].format(self.task_id)}?{urlencode(query)}",
            headers={"Authorization": f"Bearer {self.user.token}"} if headers is None else headers,
        )
        response = connection.getresponse()
        self.status, self.headers = response.status, response.getheaders()
        self._thread = threading.Thread(target=self._read, args=(connection, response), daemon=True)
        self._thread.start()

    @property
    def is_open(self) -> bool:
        return self.status == 200

    def cut(self) -> None:
        if self._socket:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        if self._thread:
            self._thread.join(60)

    def close(self) -> None:
        self.cut()

    def _read(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        buffer = b""
        try:
            while chunk := response.read1(65536):
                buffer += chunk
                *frames, buffer = buffer.split(b"\n\n")
                for frame in frames:
                    self._frame(frame.decode())
                while buffer.startswith(b":") and b"\n" in buffer:  # a comment with no blank line
                    buffer = buffer.partition(b"\n")[2]
                    self.comments += 1
        except (http.client.HTTPException, OSError):
            pass  # cut; an incomplete event comes again
        finally:
            response.close()
            connection.close()
            self.closed.set()

    def _frame(self, frame: str) -> None:
        fields: dict[str, str] = {}
        for line in frame.split("\n"):
            name, _, value = line.partition(":")
            if not name:
                self.comments += 1
            elif name == "retry":
                self.retry = int(value)
            else:
                assert name not in fields, f"{name} twice in {frame!r}"
                fields[name] = value.removeprefix(" ")
        if "data" in fields:
            self.receive(fields["event"], json.loads(fields["data"]), fields.get("id"))


class SocketViewer(Viewer):
    """The official Python client. By default it starts a thread for each message, which loses the order; here handlers
    run in the reading thread, so that the order is that of the server."""

    def __init__(
        self,
        url: str,
        user: User,
        task_id: str,
        transports: tuple[str, ...] = ("websocket",),
        room: str = "task",
        batch: bool = False,
    ) -> None:
        super().__init__(url, user, task_id, room)
        self.transports, self.batch = list(transports), batch
        self.ack: dict[str, Any] = {}
        self._http = CuttableAdapter()
        self.client = self.new_client()

    def new_client(self) -> socketio.Client:
        self._http, session = CuttableAdapter(), requests.Session()
        session.mount("http://", self._http)
        return socketio.Client(reconnection=False, http_session=session)

    def connect(self) -> socketio.Client:
        self.closed.clear()
        self.client = client = self.new_client()
        client.on("*", lambda type, data: self.receive(type, data))
        if self.batch:
            client.on("events", self._receive_batch)
        client.on("disconnect", lambda *_: self.closed.set())
        in_thread = client.eio.start_background_task

        def start(target: Any, *args: Any, **kwargs: Any) -> Any:
            if target == client.eio.handlers.get("message") and str(args[0]).startswith("2"):  # an event
                return target(*args, **kwargs)
            return in_thread(target, *args, **kwargs)

        client.eio.start_background_task = start
        auth = {"token": self.user.token, "batch": self.batch}
        client.connect(self.url, auth=auth, transports=self.transports, wait_timeout=60)
        return client

    def _receive_batch(self, batch: list[tuple[str, dict[str, Any]]]) -> None:
        for type, data in batch:
            self.receive(type, data)

    def open(self, since: int | str | None = None) -> None:
        self.connect()
        self.ack = self.join(since)

    @property
    def is_open(self) -> bool:
        return bool(self.ack.get("ok"))

    def join(self, since: int | str | None = None) -> dict[str, Any]:
        data: dict[str, Any] = {"task_id": self.task_id} if self.room == "task" else {}
        if since is not None:
            data["since_sequence"] = since
        return self.client.call(f"join_{self.room}", data, timeout=60)  # type: ignore[no-any-return]

    def cut(self) -> None:
        websocket = getattr(self.client.eio, "ws", None)
        if websocket is not None and websocket.sock is not None:
            with contextlib.suppress(OSError):
                websocket.sock.shutdown(socket.SHUT_RDWR)
        else:
            self.client.eio.disconnect(abort=True)
            self.client.eio.queue.put(None)  # else its writing thread waits for half a minute,
            self._http.cut()  # and its reading thread until the server sends something
        assert self.closed.wait(60), "the client did not notice the cut"
        self._wait()
        if websocket is not None:
            websocket.shutdown()

    def close(self) -> None:
        if self.client.connected:
            self.client.disconnect()
        else:
            self._http.cut()  # a refused client may still poll until the server sends something
        self._wait()

    def _wait(self) -> None:
        """Waits until its threads have ended. The client's own ``wait`` takes a second more, for a reconnection."""
        self.client.eio.wait()
