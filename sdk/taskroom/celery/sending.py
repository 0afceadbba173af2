"""Which application of the process sends a message: Celery's signals are those of all of them, and tell the name of
the task only."""

from __future__ import annotations

from contextvars import ContextVar
from functools import wraps
from typing import Any

from celery import Celery

_sends: ContextVar[Any] = ContextVar("taskroom_sends", default=None)

_installed = False


def install() -> None:
    """Keeps the application while it sends: ``delay``, canvases and retries come by its ``send_task`` too. A second
    call does nothing."""
    global _installed
    if _installed:
        return
    _installed = True
    original = Celery.send_task

    @wraps(original)
    def send_task(self: Any, *args: Any, **options: Any) -> Any:
        token = _sends.set(self)
        try:
            return original(self, *args, **options)
        finally:
            _sends.reset(token)

    Celery.send_task = send_task


def is_by(app: Any, name: str) -> bool:
    """Whether the application sends the task of this name, in a receiver of a signal of sending. Of a message that
    came by no ``send_task`` it is the one that has the task."""
    sender = _sends.get()
    return name in app._tasks if sender is None else sender is app
