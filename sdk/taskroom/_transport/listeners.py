"""Whom an answer of the server concerns: the runs that are cancelled or superseded, and who starts tasks again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from taskroom._transport.batches import Batch, BrokenBatch
from taskroom._transport.recent import Recent

logger = logging.getLogger("taskroom")

CANCELLED, SUPERSEDED = "cancelled", "superseded"
MOST = 10_000  # of what is remembered of each kind; the oldest is forgotten first
OnCancel = Callable[[str], object]
OnResend = Callable[[str], object]


class _Run:
    """Who hears of one task. ``attempt`` is the one that its process reports, once it is known."""

    __slots__ = ("attempt", "callback", "heard")

    def __init__(self, callback: OnCancel, attempt: str | None) -> None:
        self.callback, self.attempt = callback, attempt
        self.heard: str | None = None  # what it was told last: the server says it in each answer


class Listeners:
    """Callbacks are called by the thread that sends; one that fails is logged."""

    def __init__(self) -> None:
        self._runs: Recent[str, _Run] = Recent(MOST)
        self._names: Recent[str, str] = Recent(MOST)  # that this process has for ids of the server
        self._pages: Recent[str, str] = Recent(MOST)
        self._on_resend: OnResend | None = None

    def on_cancel(self, task_id: str, callback: OnCancel, attempt: str | None = None) -> None:
        """Calls ``callback`` once with "cancelled" when the task should stop, and once with "superseded" when another
        attempt has begun or the task has ended."""
        self._runs.put(task_id, _Run(callback, attempt))

    def on_resend(self, callback: OnResend) -> None:
        """Calls ``callback`` with the id of each task that somebody wants to be started again."""
        self._on_resend = callback

    def begins(self, task_id: str, attempt: str | None) -> None:
        """What comes next from this process is of this attempt."""
        run = self._runs.get(task_id)
        if run is not None and run.attempt is None:
            run.attempt = attempt

    def ended(self, task_id: str) -> None:
        """Nobody has to hear of the task any more."""
        self._runs.pop(task_id)

    def page(self, task_id: str) -> str | None:
        """The address of the task's page, once the server has said it."""
        return self._pages.get(task_id)

    def heard(self, batch: Batch, answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Calls whom the answer of a batch concerns. Returns what was refused, by the ids of this process."""
        for row in _rows(answer, "tasks"):
            self._learn(row)
        refused = {self._own(str(row.get("task_id"))): row for row in _rows(answer, "refused")}
        for task_id in _texts(
            answer, "cancel"
        ):  # first: an attempt that begins after the cancel is refused too
            self._stop(self._own(task_id), CANCELLED)
        for task_id, row in refused.items():
            if row.get("status") == 409:
                self._superseded(batch, task_id)
        for task_id in _texts(answer, "resend"):
            if self._on_resend is not None:
                _call(self._on_resend, self._own(task_id))
        return refused

    def _learn(self, row: dict[str, Any]) -> None:
        task_id = str(row.get("task_id"))
        own = row.get("id") or row.get("retry_of")
        if own:
            own = self._own(str(own))
            self._names.put(task_id, own)
        if row.get("url"):
            self._pages.put(own or task_id, str(row["url"]))

    def _own(self, task_id: str) -> str:
        return self._names.get(task_id) or task_id

    def _superseded(self, batch: Batch, task_id: str) -> None:
        run = self._runs.get(task_id)
        if run is None:
            return
        try:
            attempt = batch.attempts.get(task_id)
        except BrokenBatch:
            attempt = None
        if run.attempt in (None, attempt):  # else a later attempt runs in this process, and is not meant
            self._stop(task_id, SUPERSEDED)

    def _stop(self, task_id: str, why: str) -> None:
        run = self._runs.get(task_id)
        if run is not None and run.heard not in (why, SUPERSEDED):
            run.heard = why
            _call(run.callback, why)


def _rows(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = answer.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _texts(answer: dict[str, Any], name: str) -> list[str]:
    texts = answer.get(name)
    return [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []


def reason(row: dict[str, Any]) -> str:
    """Why the server has refused a task, by its row of ``refused``."""
    return f"{row.get('title')} {row.get('errors', '')}".rstrip()


def named(answer: dict[str, Any], name: str) -> dict[str, list[str]]:
    """The lists of texts that an object of the answer has, without empty ones."""
    lists = answer.get(name)
    if not isinstance(lists, dict):
        return {}
    return {kind: texts for kind in lists if (texts := _texts(lists, kind))}


def _call(callback: Callable[[str], object], argument: str) -> None:
    try:
        callback(argument)
    except Exception:  # this thread sends for every other task too
        logger.exception("a callback failed")
