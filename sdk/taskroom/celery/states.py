"""``update_state`` and what uses it, such as the ProgressRecorder of celery-progress, become phases and progress."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import wraps
from typing import Any

from celery import states
from celery.app.task import Task

from taskroom.celery import attempts
from taskroom.celery.attempts import Attempt
from taskroom.limits import NAME_LIMIT, TEXT_LIMIT
from taskroom.phases import Phase
from taskroom.texts import cut
from taskroom.values import count, number, text

# Names in ``meta``, in the order in which they count.
DONE = ("current", "processed", "done")
TOTAL = ("total",)
PERCENT = ("percent", "percentage", "progress")
MESSAGE = ("message", "description", "status")
PHASE = ("phase", "stage", "step")

logger = logging.getLogger("taskroom")

_installed = False
_CELERYS = states.ALL_STATES


class StateReports:
    """What one attempt says by its states."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._phase: Phase | None = None
        self._name = ""
        self._percent: float | None = None
        attempt.before_end.append(self._end)

    def take(self, state: Any, meta: Any) -> None:
        """Reports a state. Raises TaskCancelled or AttemptSuperseded once the task should stop."""
        self._attempt.last_state = None if state is None else text(state), meta
        if state is None or state in _CELERYS:
            return
        said: Mapping[Any, Any] = meta if isinstance(meta, Mapping) else {"message": meta}
        done, percent = _first(said, DONE), number(_first(said, PERCENT))
        total = _first(said, TOTAL)
        if done is None and percent is not None:
            done, total = percent, 100
        message = cut(text(_first(said, MESSAGE)), TEXT_LIMIT)
        name = _first(said, PHASE)
        if not (isinstance(name, str) and name):
            name = text(state).replace("_", " ").lower()
        self._percent = percent
        processed = number(done) or 0
        phase = self._phase
        if phase is None or name != self._name:
            self._begin(name, processed, total, message)
            return
        phase.processed, phase.total, phase.message = processed, total, message
        if phase.total is not None and count(processed) == phase.total:
            phase.report()
        else:
            phase.report_when_due()

    def _begin(self, name: str, processed: float, total: Any, message: str) -> None:
        """Begins the phase of this name. Another one is complete with it."""
        if self._phase is not None:
            self._attempt.end(self._phase)
        phase = self._attempt.begin(name[:NAME_LIMIT], total, message, processed)
        self._name, self._phase, phase.after_report = name, phase, self._say_percent
        self._say_percent()

    def _say_percent(self) -> None:
        """Reports the progress of the whole, where the task says it."""
        if self._phase is not None and self._percent is not None:
            self._attempt.sink.status(self._phase.id, self._phase.message or None, self._percent, None)

    def _end(self, success: bool) -> None:
        """The last counts of the attempt, which may not have been due."""
        if self._phase is not None and self._phase.open:
            if success:
                self._attempt.end(self._phase)
            else:
                self._phase.report()


def install() -> None:
    """Makes ``update_state`` of all tasks of this process report. A second call does nothing."""
    global _installed
    if _installed:
        return
    _installed = True
    original = Task.update_state

    @wraps(original)
    def update_state(
        self: Any, task_id: str | None = None, state: str | None = None, meta: Any = None, **kwargs: Any
    ) -> Any:
        attempt = attempts.of(task_id or self.request.id)
        if attempt is not None:
            _report(attempt, state, meta)
        return original(self, task_id, state, meta, **kwargs)

    Task.update_state = update_state


def _report(attempt: Attempt, state: Any, meta: Any) -> None:
    attempt.check()
    if attempt.take_state is None:
        attempt.take_state = StateReports(attempt).take
    try:
        attempt.take_state(state, meta)
    except Exception:  # code of a value's own; the task's own state is stored whatever becomes of the report
        logger.exception("a state could not be reported")


def _first(said: Mapping[Any, Any], names: tuple[str, ...]) -> Any:
    return next((said[name] for name in names if said.get(name) is not None), None)
