"""What goes wrong for an operator."""

from __future__ import annotations

from app.errors import TaskroomError


class UpError(TaskroomError):
    """One line that says what to do; ``tail`` holds the last lines of a log that show why."""

    def __init__(self, message: str, tail: str = "") -> None:
        super().__init__(" ".join(message.split()))
        self.tail = tail
