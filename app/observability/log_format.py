"""The log format of each process: one line a record on stderr, with the id of the request or task, without secrets."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson

from app.stream.event import clean

# Tokens, API keys, share tokens and query strings: exceptions and the server quote requests.
_SECRETS = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*|tr[ks]_[\w.~+/=-]+|(?<=[?&])[^\s\"']+")

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)  # of the current greenlet
REQUEST_ID = "taskroom.request_id"  # in the environment of a request: its id
_task: ContextVar[dict[str, Any] | None] = ContextVar("task", default=None)


@contextmanager
def request(id: str | None) -> Iterator[None]:
    """Adds the id of a request to the records that are logged in the block. An event of a socket runs in a greenlet of
    its own, which does not know of the handshake."""
    token = request_id.set(id)
    try:
        yield
    finally:
        request_id.reset(token)


@contextmanager
def task(**fields: Any) -> Iterator[None]:
    """Adds these fields to the records that are logged in the block, and in the threads that are started in it."""
    token = _task.set(fields)
    try:
        yield
    finally:
        _task.reset(token)


def context() -> dict[str, Any]:
    current = request_id.get()
    return ({"request_id": current} if current else {}) | (_task.get() or {})


def redact(text: str) -> str:
    return _SECRETS.sub("…", text)


class RedactingFormatter(logging.Formatter):
    """Removes secrets from the records of every library: a safety net, for our own code logs none."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Makes one line: a line break in a URL or a name must not forge a record."""
        record.message = record.message.replace("\r", "\\r").replace("\n", "\\n")
        fields = " ".join(f"{name}={value}" for name, value in context().items())
        return super().formatMessage(record) + (f" [{fields}]" if fields else "")


class JsonLines(RedactingFormatter):
    """One JSON object a line, for log collectors."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(clean(record.getMessage())),
            "process": record.process,
            **context(),
        }
        if record.exc_info:
            line["exception"] = redact(clean(self.formatException(record.exc_info)))
        return orjson.dumps(line, default=str).decode()


def formatter(json: bool) -> logging.Formatter:
    return JsonLines() if json else RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")


def configure_logging(json: bool) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(json))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # These would log query strings, which hold tickets. Without a level, the Socket.IO server adds a handler of its
    # own.
    for name in (
        "engineio",
        "engineio.server",
        "socketio",
        "socketio.server",
        "httpx",
        "werkzeug",
        "alembic",
    ):
        logging.getLogger(name).setLevel(logging.WARNING)
