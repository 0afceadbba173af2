"""Errors for the operator."""

from __future__ import annotations

from app.errors import TaskroomError


class UpError(TaskroomError):
    """One line that says what to do; ``log_tail`` has the last lines of the log with the reason."""

    def __init__(self, message: str, log_tail: str = "") -> None:
        super().__init__(" ".join(message.split()))
        self.log_tail = log_tail
