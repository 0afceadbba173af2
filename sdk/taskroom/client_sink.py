"""The sink of a run that reports to a server: it makes events, and hands them to the client of this process."""

from __future__ import annotations

import time
from typing import Any

from taskroom.limits import LINE_LIMIT, NAME_LIMIT, TEXT_LIMIT
from taskroom.server import Client
from taskroom.sink import Stop
from taskroom.texts import cut

_second: tuple[int, str] = (-1, "")  # seconds since 1970, and their text


def now() -> str:
    """The time as events carry it: RFC 3339, UTC, with microseconds."""
    global _second
    second, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    known, shown = _second
    if second != known:
        shown = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        _second = second, shown
    return f"{shown}.{nanoseconds // 1000:06d}Z"


class ClientSink:
    """Reports one attempt of a task. The server computes progress and estimates from what the phases report."""

    def __init__(self, client: Client, task_id: str, attempt: str) -> None:
        self.stop: Stop = None
        self._client, self._task_id, self._attempt = client, task_id, attempt

    def ask_to_stop(self, why: str) -> None:
        """Called by the client's thread when an answer of the server says so."""
        if self.stop != "superseded":
            self.stop = "superseded" if why == "superseded" else "cancelled"

    def log(
        self,
        message: str,
        level: str,
        component: str | None,
        phase: str | None,
        timestamp: str | None = None,
        item_error: bool = False,
    ) -> None:
        line: dict[str, Any] = {
            "timestamp": timestamp or now(),
            "level": level,
            "message": cut(message, LINE_LIMIT),
            "component": component and cut(component, NAME_LIMIT),
            "phase": phase and phase[:NAME_LIMIT],
        }
        if item_error:
            line["item_error"] = True
        self._send("log", line)

    def event(self, type: str, fields: dict[str, Any]) -> None:
        self._send(type, {"timestamp": now(), **fields})

    def status(
        self, phase: str | None, message: str | None, progress: float | None, eta_seconds: float | None
    ) -> None:
        fields: dict[str, Any] = {
            "timestamp": now(),
            "status": "STARTED",
            "current_phase": phase,
            "current_phase_message": cut(message, TEXT_LIMIT) if message else None,
        }
        if progress is not None:
            fields["progress"] = min(progress, 100.0)
        if eta_seconds is not None:
            fields["eta_seconds"] = eta_seconds
        self._send("task_status", fields)

    def start(self, **fields: Any) -> None:
        """Reports the beginning of the attempt. ``fields``: what the server should know of the task."""
        started = {"type": "task_status", "timestamp": now(), "status": "STARTED"}
        self._client.begin(self._task_id, self._attempt, self.ask_to_stop, started, **fields)

    def end(self, status: str, **fields: Any) -> None:
        """Reports the end of the attempt: SUCCESS, FAILURE with its ``error``, or REVOKED."""
        self._send("task_status", {"timestamp": now(), "status": status, **fields})

    def _send(self, type: str, fields: dict[str, Any]) -> None:
        self._client.event(self._task_id, self._attempt, {"type": type, **fields})
