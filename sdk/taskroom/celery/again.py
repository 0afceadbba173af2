"""A task that sends its own message again, to retry or to be replaced: its attempt ends before the next one can begin.

What an attempt says after the next one has begun is refused, and the next one may begin in another process at once.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import wraps
from typing import Any

from celery.app.task import Task
from celery.utils.time import maybe_iso8601

from taskroom.celery import attempts, ends
from taskroom.celery.attempts import Attempt

FLUSH_SECONDS = 1.0  # how long a task waits at most for the disk; for the server it waits a moment
SOON = timedelta(seconds=FLUSH_SECONDS)

_installed = False


def install() -> None:
    """Keeps why a task retries: no signal says it before the message is sent. A second call does nothing."""
    global _installed
    if _installed:
        return
    _installed = True
    original = Task.retry

    @wraps(original)
    def retry(
        self: Any, args: Any = None, kwargs: Any = None, exc: Any = None, *rest: Any, **more: Any
    ) -> Any:
        attempt = attempts.of(self.request.id)
        if attempt is not None:
            attempt.cause = exc or sys.exc_info()[1]
        return original(self, args, kwargs, exc, *rest, **more)

    Task.retry = retry


def end_before(attempt: Attempt, headers: Mapping[str, Any]) -> None:
    """Reports the end of an attempt whose task is about to send itself again. It waits for that to be stored, but no
    longer than a moment, when the next attempt may begin at once."""
    due = due_time(headers.get("eta"))
    if (headers.get("retries") or 0) > (attempt.task.request.retries or 0):
        seconds = max(0.0, (due - datetime.now(timezone.utc)).total_seconds()) if due else 0.0
        attempt.report_end(ends.again(attempt.cause, seconds, attempt))
    else:
        attempt.line("The task replaces itself by another one, which has its id", "INFO")
        attempt.report_end(ends.again(None, 0.0, attempt))
    if due is None or due < datetime.now(timezone.utc) + SOON:
        attempt.flush(FLUSH_SECONDS)


def due_time(eta: Any) -> datetime | None:
    """The time of a message's ``eta``; None for none, and for one that has no time zone."""
    try:
        found = maybe_iso8601(eta) if eta else None
    except (TypeError, ValueError):
        return None
    return found if isinstance(found, datetime) and found.tzinfo is not None else None
