"""The event of a task's status."""

from __future__ import annotations

from typing import Any

from app.stream.event import Draft, draft
from app.tasks.fold import STARTED


def status_event(
    stream: str, status: str, at: str, fence: int | None = None, closes: bool = False, **changed: Any
) -> Draft:
    """Returns the event, with the other fields that ``changed``; phase, message and estimate end unless they are among
    them. ``fence`` is the attempt that sends it: in any other attempt it is refused."""
    fields = {"timestamp": at, "status": status, "is_running": status == STARTED, "updated_at": at}
    ended = dict.fromkeys(("current_phase", "current_phase_message", "eta_seconds"))
    return draft(stream, "task_status", fields | ended | changed, attempt=fence, closes=closes)
