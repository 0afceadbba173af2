"""A small HTTP server that takes batches as ``POST /api/v2/events`` does, with faults as a test scripts them."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "trk_test"
PATIENCE = 180.0  # seconds: ends a test that hangs, and measures nothing
ENDS = ("SUCCESS", "FAILURE", "REVOKED")

Fault = Callable[["_Handler"], None]


@dataclass
class Request:
    """One request as it came: ``connection`` tells the connections apart."""

    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(gzip.decompress(self.body))
        return content


class Server:
    """Stores each batch once by its writer and number. ``script`` has the faults of the next requests."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.script: deque[Fault] = deque()
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.tasks: dict[str, dict[str, Any]] = {}
        self.workers: list[dict[str, Any]] = []
        self.over: set[tuple[str, str]] = set()  # tasks and attempts that are over
        self.cancelled: set[str] = set()
        self.resend: list[str] = []
        self.most_bytes = 2_000_000
        self.released = threading.Event()  # ends what ``hang`` began
        self.hangs = threading.Semaphore(0)
        self.connections = 0
        self._writers: dict[str, tuple[int, str, dict[str, Any]]] = {}
        self._changed = threading.Condition()
        server = self

        class Handler(_Handler):
            taskroom = server

        self._http = _Http(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def messages(self, task_id: str) -> list[str]:
        """The lines of the task's log, as they were stored."""
        return [event["message"] for event in self.events.get(task_id, []) if event["type"] == "log"]

    def statuses(self, task_id: str) -> list[str]:
        return [event["status"] for event in self.events.get(task_id, []) if event["type"] == "task_status"]

    def batches(self) -> list[tuple[str, int]]:
        """Writer and number of each request, in the order in which they came."""
        return [(request.content["writer"], request.content["batch"]) for request in self.requests]

    def wait_for(self, what: str, condition: Callable[[], object]) -> None:
        """Waits until the condition holds after a request."""
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE), f"{what}: not within {PATIENCE} s"

    def forget_writers(self) -> None:
        self._writers.clear()

    def took(self, request: Request) -> None:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()

    def store(self, request: Request) -> tuple[int, dict[str, Any]]:
        """The status and the body of the answer."""
        with self._changed:
            answer = self._stored(request)
            self._changed.notify_all()
        return answer

    def _stored(self, request: Request) -> tuple[int, dict[str, Any]]:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return 401, {"title": "Unknown key"}
        if len(gzip.decompress(request.body)) > self.most_bytes:
            return 413, {"title": "Too large"}
        content, digest = request.content, hashlib.sha256(request.body).hexdigest()
        rows = content["tasks"]
        assert len({row["task_id"] for row in rows}) == len(rows) <= 50
        assert sum(len(row["events"]) for row in rows) <= 2_000
        writer, number = content["writer"], content["batch"]
        last, last_digest, last_answer = self._writers.get(writer, (0, "", {}))
        if number == last:
            return (202, last_answer) if digest == last_digest else (409, {"title": "Stored otherwise"})
        if number != last + 1:
            return 409, {"title": "Wrong number", "next_batch": last + 1}
        answer = self._answer(rows, number)
        self.workers += content.get("workers", [])
        self._writers[writer] = number, digest, answer
        return 202, answer

    def _answer(self, rows: Sequence[dict[str, Any]], number: int) -> dict[str, Any]:
        told: list[dict[str, Any]] = []
        refused: list[dict[str, Any]] = []
        for row in rows:
            name, attempt = row["task_id"], row.get("attempt")
            if (name, attempt) in self.over:
                refused.append({"task_id": name, "status": 409, "title": f"Attempt {attempt} is over"})
                continue
            fields = {key: value for key, value in row.items() if key not in ("task_id", "attempt", "events")}
            if name not in self.tasks and "job_type" not in fields:
                refused.append({"task_id": name, "status": 422, "title": "Unknown task"})
                continue
            self.tasks.setdefault(name, {}).update(fields)
            self.events.setdefault(name, []).extend(
                {**event, "attempt": attempt} if attempt else event for event in row["events"]
            )
            told.append({"task_id": name, "sequence": len(self.events[name])})
        resend, self.resend = self.resend, []
        named = [row["task_id"] for row in rows if row["task_id"] in self.cancelled]
        return {
            "tasks": told,
            "refused": refused,
            "cancel": named,
            "resend": resend,
            "next_batch": number + 1,
        }


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    taskroom: Server
    request_: Request

    def setup(self) -> None:
        super().setup()
        self.taskroom.connections += 1
        self.connection_number = self.taskroom.connections

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.request_ = Request(self.path, dict(self.headers), body, self.connection_number)
        script = self.taskroom.script
        fault = script.popleft() if script else answer
        self.taskroom.took(self.request_)
        fault(self)

    def send(self, status: int, data: Any, **headers: str) -> None:
        content = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


def answer(handler: _Handler) -> None:
    """No fault."""
    handler.send(*handler.taskroom.store(handler.request_))


def status(code: int, data: Any = None, **headers: str) -> Fault:
    """Answers so, and stores nothing."""
    return lambda handler: handler.send(
        code, data if data is not None else {"title": "As scripted"}, **headers
    )


def cut(handler: _Handler) -> None:
    """Stores the batch, and closes the connection in the middle of the answer."""
    code, data = handler.taskroom.store(handler.request_)
    content = json.dumps(data).encode()
    head = f"HTTP/1.1 {code} As stored\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    handler.wfile.write(head + content[: len(content) // 2])
    handler.close_connection = True


def gone(handler: _Handler) -> None:
    """Closes the connection without a word; nothing is stored."""
    handler.close_connection = True


def stored_and_gone(handler: _Handler) -> None:
    handler.taskroom.store(handler.request_)
    handler.close_connection = True


def garbage(handler: _Handler) -> None:
    handler.wfile.write(b"\x00\xff\xfe this is no HTTP\r\n\r\n" * 3)
    handler.close_connection = True


def page(handler: _Handler) -> None:
    """The page of a portal that stands between: 200, and no answer of Taskroom."""
    handler.send(200, b"<html>Please sign in</html>", Content_Type="text/html")


def slow(handler: _Handler) -> None:
    """The answer comes a byte at a time."""
    code, data = handler.taskroom.store(handler.request_)
    content = json.dumps(data).encode()
    head = f"HTTP/1.1 {code} As stored\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    for n in range(len(head + content)):
        handler.wfile.write((head + content)[n : n + 1])
        handler.wfile.flush()


def hang(handler: _Handler) -> None:
    """Stores the batch, and does not answer until ``released``."""
    stored = handler.taskroom.store(handler.request_)
    handler.taskroom.hangs.release()
    handler.taskroom.released.wait(PATIENCE)
    handler.send(*stored)
