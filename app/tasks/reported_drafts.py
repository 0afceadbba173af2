"""Makes the drafts of what a worker of another kind reports of one attempt."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from msgspec import UNSET

from app.db.clock import seconds_between
from app.stream.event import LEVELS, clean, shortened
from app.tasks.endings import cancelled_error, ending
from app.tasks.fold import FAILURE, RETRY, REVOKED, RUNNING_PHASE, TERMINAL, State, open_phases
from app.tasks.reported import (
    Error,
    Group,
    Line,
    PhaseComplete,
    PhaseUpdate,
    ReportedEvent,
    Source,
    Status,
    folded_level,
    time_text,
)
from app.tasks.reports import (
    NAME_LIMIT,
    RESULT_LIMIT,
    SOURCE_LINE_LIMIT,
    SOURCE_LINES,
    TEXT_LIMIT,
    Reports,
    result_json,
    traceback_text,
)

LARGEST = 2**53  # a browser represents integers exactly up to this one


class EventClock:
    """The time of the event that was taken in last, in seconds: what arrives late is estimated by when it was."""

    def __init__(self, at: str) -> None:
        self._now = datetime.fromisoformat(at).timestamp()

    def __call__(self) -> float:
        return self._now

    def advance(self, at: str) -> None:
        """Goes on to this time, and never back."""
        self._now = max(self._now, datetime.fromisoformat(at).timestamp())


def restore(reports: Reports, state: State, at: str) -> None:
    """Continues the reports of a running attempt from the state of its task at the time ``at``."""
    task = state["task"]
    reports.progress, reports.progress_known = task["progress"], task["progress_known"] is not False
    reports.estimate.restore(state["phases"], task["attempt_started_at"], at)
    reports.running = dict.fromkeys(open_phases(state))


class ReportedDrafts:
    """Passes the drafts of an attempt's events to its reports. ``now`` is Postgres's time: no event is later.

    ``over`` is the status with which the attempt has ended. ``runs`` is false before the first attempt and between
    two.
    """

    def __init__(
        self,
        reports: Reports,
        clock: EventClock,
        now: str,
        phase: str | None,
        message: str | None,
        runs: bool = True,
    ) -> None:
        self.reports, self.runs, self._clock, self._now = reports, runs, clock, now
        self._phase, self._message = phase, message  # the current ones
        self.over: str | None = None

    def add(self, event: ReportedEvent) -> None:
        """Adds an event. Raises ValueError for a phase that the reports refuse."""
        if isinstance(event, Line):
            level = event.level
            if not isinstance(level, str) or level not in LEVELS:
                level = folded_level(level)
            at = self._time_of(event)
            self.reports.log(event.message, level, event.component, event.phase, at, event.item_error)
        elif isinstance(event, Status):
            if event.status in TERMINAL or event.status == RETRY:
                self._end(event)
            else:
                self._status(event)
        elif isinstance(event, Group):
            at = self._time_of(event)
            self.reports.group(event.group_id, event.status, event.name, event.phase, at)
        elif isinstance(event, PhaseUpdate):
            fields = _fields(event, "processed_count", "total_count", "error_count", "eta_seconds")
            message = shortened(event.message, TEXT_LIMIT) if event.message else ""
            self._emit(event, fields | {"status": event.status, "message": message})
        else:
            names = "processed_count", "total_count", "error_count", "duration_seconds"
            self._emit(event, _fields(event, *names))

    def time(self, moment: datetime) -> str:
        """Returns the time in the format of events, never in the future."""
        return min(time_text(moment), self._now)

    def _time_of(self, event: ReportedEvent) -> str:
        """One that does not say its time is not later than the end of the attempt, which may come with it."""
        return self.time(event.timestamp) if event.timestamp else self._now

    def _emit(self, event: PhaseUpdate | PhaseComplete, fields: dict[str, Any]) -> None:
        fields["phase_id"] = phase_id = self.reports.phase_name(event.phase_id)
        fields["timestamp"] = self._time_of(event)
        self._clock.advance(fields["timestamp"])
        if fields.get("status") in RUNNING_PHASE:
            self._phase, self._message = phase_id, fields["message"]
        alone, known = self.reports.estimate.alone, self.reports.progress_known
        type = "phase_update" if isinstance(event, PhaseUpdate) else "phase_complete"
        self.reports.emit(type, fields)
        if self._knows_progress(alone) != known:
            self.reports.progress_known = not known
            self.reports.status(self._phase, self._message, at=fields["timestamp"])

    def _knows_progress(self, before: float | None) -> bool:
        """Whether the progress of the run is known after a phase's report. It is that of the only phase until another
        one begins. ``before``: the progress of the only phase before the report."""
        reports = self.reports
        if reports.estimate.alone is not None:
            return True
        was_of_phase = before is not None and reports.progress == min(99.9, round(before, 1))
        return reports.progress_known and not was_of_phase

    def _status(self, event: Status) -> None:
        if event.current_phase is not UNSET:
            self._phase = event.current_phase and event.current_phase[:NAME_LIMIT]
        if event.current_phase_message is not UNSET:
            self._message = event.current_phase_message
        if event.progress is not None:
            self.reports.raise_progress(max(0.0, event.progress))
            self.reports.progress_known = True
        at = self._time_of(event)
        self._clock.advance(at)
        self.reports.status(self._phase, self._message, _number(event.eta_seconds), at)

    def _end(self, event: Status) -> None:
        claim, status = self.reports.claim, event.status
        began = claim.started_at
        at = self.time(event.timestamp) if event.timestamp else max(self._now, began or self._now)
        run_ms = _number(event.execution_time_ms)
        if not self.runs:
            run_ms = None
        elif run_ms is None:
            run_ms = seconds_between(claim.claimed_at or began, at) * 1000
        for draft in ending(
            self.reports.stream,
            status,
            job_type=claim.job_type,
            progress=self.reports.progress,
            phases=self.reports.running,
            result=_result(bytes(event.result)),
            error=_error(status, event.error),
            retry_count=claim.retry_count + (status == RETRY),
            retry_in=(_number(event.retry_in) or 0) if status == RETRY else None,
            run_ms=run_ms,
            attempt=self.reports.fence,
            at=at,
        ):
            self.reports.put(draft)
        self.reports.running = {}
        self.over = status


def _fields(event: PhaseUpdate | PhaseComplete, *names: str) -> dict[str, Any]:
    """Returns counts as whole numbers and times as numbers, each from 0 to LARGEST."""
    found: dict[str, Any] = {}
    for name in names:
        value = _number(getattr(event, name))
        found[name] = int(value) if value is not None and name.endswith("_count") else value
    return found


def _number(value: int | float | None) -> int | float | None:
    return None if value is None else min(max(value, 0), LARGEST)


def _error(status: str, given: Error | None) -> dict[str, Any] | None:
    if status == REVOKED and given is None:
        return cancelled_error()
    if status not in (FAILURE, RETRY, REVOKED):
        return None
    if given is None and status == RETRY:
        return None
    trace = given and given.traceback
    error: dict[str, Any] = {
        "type": shortened((given and given.type) or "TaskFailed", NAME_LIMIT),
        "message": shortened((given and given.message) or "The worker gave no reason", TEXT_LIMIT),
        "traceback": trace and traceback_text(trace),
        "source": _source(given.source if given else None),
    }
    if given and given.phase is not UNSET:
        error["phase"] = given.phase and clean(given.phase)[:NAME_LIMIT]
    return error


def _source(given: Source | None) -> dict[str, Any] | None:
    if given is None:
        return None
    line, first = (min(max(number, 1), LARGEST) for number in (given.line, given.first_line))
    return {
        "file": shortened(given.file, TEXT_LIMIT),
        "line": line,
        "function": given.function and shortened(given.function, NAME_LIMIT),
        "first_line": first,
        "lines": [shortened(text, SOURCE_LINE_LIMIT) for text in given.lines[:SOURCE_LINES]],
    }


def _result(raw: bytes) -> Any:
    if len(raw) > 2 * RESULT_LIMIT:  # it may have spaces
        return {"truncated": True, "bytes": len(raw)}
    return result_json(orjson.loads(raw))
