"""Tasks that this process sends: they wait until a worker has them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from celery import signals
from celery._state import get_current_task

from taskroom.celery import attempts, sending
from taskroom.celery.again import due_time, end_before
from taskroom.celery.depths import SENT_AT
from taskroom.celery.receivers import connect
from taskroom.celery.reporter import Reporter
from taskroom.celery.tree import PARENT, above, reported_id
from taskroom.limits import TITLE_LIMIT
from taskroom.texts import cut

UNLOCK = "celery.chord_unlock"


class Published:
    """Reports what the application has sent and the broker has taken, at best effort. What raises in here is logged by
    Celery, and the caller of ``delay`` does not notice."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._options, self._client = reporter.options, reporter.client

    def connect(self) -> None:
        connect(signals.before_task_publish, self._before)
        connect(signals.after_task_publish, self._after)

    def _before(self, sender: Any = None, headers: Any = None, properties: Any = None, **_: Any) -> None:
        """Ends the attempt of a task that sends itself again. Says in the message when it was sent, and which task is
        above it, where the sender is one that is not reported."""
        attempt = attempts.of(str(headers.get("id"))) if isinstance(headers, dict) else None
        if attempt is not None and attempt.is_open:
            end_before(attempt, headers)
        if not sending.is_by(self._reporter.app, str(sender)):
            return
        if isinstance(properties, dict):  # and not a header, which the task would see
            properties.setdefault(SENT_AT, int(time.time()))
        current = get_current_task()
        if current is not None and isinstance(headers, dict) and not self._reporter.wants(current):
            headers.setdefault(PARENT, above(current.request))

    def _after(
        self, sender: Any = None, headers: Any = None, body: Any = None, routing_key: Any = None, **more: Any
    ) -> None:
        """Only what was sent waits: before it, sending may still fail."""
        name = str(sender)
        if not self._options.wants(name) or not sending.is_by(self._reporter.app, name):
            return
        about = headers if isinstance(headers, Mapping) and headers.get("id") else body
        if not isinstance(about, Mapping) or not about.get("id"):
            return
        current = get_current_task()
        if current is not None and current.request.id == about["id"]:
            return  # the task tries again, or replaces itself: the worker that runs it reports this
        args, kwargs = (body["args"], body["kwargs"]) if isinstance(body, Mapping) else body[:2]
        task = self._reporter.app._tasks.get(name)  # without finalizing the application
        fields = self._reporter.fields(about, name, task, args, kwargs, routing_key)
        embed = body[2] if not isinstance(body, Mapping) and len(body) > 2 else None
        if embed and (embed.get("chain") or embed.get("chord")):
            fields |= self._reporter.ahead(embed)
        if is_chord_body(current, name):
            fields["title"] = cut(f"Chord body: {fields.get('title') or name}", TITLE_LIMIT)
        task_id = reported_id(about["id"])
        self._client.task(task_id, None, **fields)
        self._client.event(task_id, None, {"type": "task_status", "status": "PENDING"})
        if about.get("eta"):
            line = {"type": "log", "level": "INFO", "message": _due(about["eta"]), "component": "celery"}
            self._client.event(task_id, None, line)
        if about is headers:
            self._reporter.memory.sent(about, body, more.get("exchange"), routing_key)


def is_chord_body(sender: Any, name: str) -> bool:
    """Whether a task that ``sender`` sends is the body of a chord. The member that ends last sends it, after its
    function and its links; where the result backend cannot count members, a task of Celery's own does."""
    if sender is None or sender.name == UNLOCK:
        return sender is not None
    request = sender.request
    attempt = attempts.of(request.id) if request.chord else None
    if attempt is None or attempt.inside:
        return False
    return all(link.get("task") != name for link in request.callbacks or ())


def _due(eta: Any) -> str:
    """When a task is due, as a line says it."""
    due = due_time(eta)
    if due is None:
        return f"Due at {eta}"
    utc = due.astimezone(timezone.utc)
    seconds = max(0, round((utc - datetime.now(timezone.utc)).total_seconds()))
    return f"Due in {seconds:,} s, at {utc:%Y-%m-%d %H:%M:%S} UTC"
