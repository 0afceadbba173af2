"""How each process logs: one line a record on stderr that says of which request or task it is, and nothing that would
let a reader in."""

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

# A token, and what stands in a query: exceptions and the server quote requests.
_SECRETS = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=[?&])[^\s\"']+")

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)  # of the greenlet that answers
_task: ContextVar[dict[str, Any] | None] = ContextVar("task", default=None)


@contextmanager
def task(**fields: Any) -> Iterator[None]:
    """Adds the fields to what is logged in the block, and in the threads that are started in it."""
    token = _task.set(fields)
    try:
        yield
    finally:
        _task.reset(token)


def context() -> dict[str, Any]:
    of_request = request_id.get()
    return ({"request_id": of_request} if of_request else {}) | (_task.get() or {})


def discreet(text: str) -> str:
    return _SECRETS.sub("…", text)


class Discreet(logging.Formatter):
    """Whoever logs, of whatever library: a net below the care that is taken elsewhere."""

    def format(self, record: logging.LogRecord) -> str:
        return discreet(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        """One line: an address or a name with a line break in it must not make up a record of its own."""
        record.message = record.message.replace("\r", "\\r").replace("\n", "\\n")
        of = " ".join(f"{name}={value}" for name, value in context().items())
        return super().formatMessage(record) + (f" [{of}]" if of else "")


class JsonLines(Discreet):
    """For whatever collects logs: an object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": discreet(clean(record.getMessage())),
            "process": record.process,
            **context(),
        }
        if record.exc_info:
            line["exception"] = discreet(clean(self.formatException(record.exc_info)))
        return orjson.dumps(line, default=str).decode()


def formatter(json: bool) -> logging.Formatter:
    return JsonLines() if json else Discreet("%(asctime)s %(levelname)s %(name)s: %(message)s")


def configure_logging(json: bool) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(json))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # Tickets stand in queries; these would log them. A server of Socket.IO that has no level adds its own handler.
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
