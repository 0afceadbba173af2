"""A client that keeps what it is given, instead of sending it to a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Event = dict[str, Any]


class MemoryClient:
    def __init__(self) -> None:
        self.tasks: dict[str, Event] = {}
        self.events: list[tuple[str, str, Event]] = []
        self.lingers = False
        self.flushed: list[tuple[float, float | None]] = []
        self._cancels: dict[str, Callable[[str], object]] = {}

    def task(self, task_id: str, attempt: str | None, **fields: Any) -> None:
        self.tasks[task_id] = {"attempt": attempt, **fields}

    def begin(
        self, task_id: str, attempt: str, on_cancel: Callable[[str], object], event: Event, **fields: Any
    ) -> None:
        self.on_cancel(task_id, on_cancel)
        self.task(task_id, attempt, **fields)
        self.event(task_id, attempt, event)

    def event(self, task_id: str, attempt: str, event: Event) -> None:
        self.events.append((task_id, attempt, event))

    def on_cancel(self, task_id: str, callback: Callable[[str], object]) -> None:
        self._cancels[task_id] = callback

    def linger(self) -> None:
        self.lingers = True

    def page(self, task_id: str) -> str:
        return f"https://rooms.example/runs/{task_id}"

    def flush(self, timeout: float, patience: float | None = None) -> bool:
        self.flushed.append((timeout, patience))
        return True

    def cancel(self, task_id: str, why: str = "cancelled") -> None:
        """What an answer of the server does."""
        self._cancels[task_id](why)

    def of(self, task_id: str, type: str | None = None) -> list[Event]:
        """The events of a task, of one type or of all."""
        return [event for of, _, event in self.events if of == task_id and type in (None, event["type"])]

    def lines(self, task_id: str) -> list[tuple[str, str, str | None]]:
        """Level, message and component of each line of the task's log."""
        return [(line["level"], line["message"], line["component"]) for line in self.of(task_id, "log")]

    def statuses(self, task_id: str) -> list[str]:
        return [event["status"] for event in self.of(task_id, "task_status") if "current_phase" not in event]
