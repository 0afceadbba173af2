"""An observed task within a batch: its state under the lock of its stream, after what the batch did so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.db.clock import seconds_between
from app.stream.background import with_pauses
from app.stream.event import Draft, draft, task_stream
from app.tasks.attempt_events import attempt_events
from app.tasks.endings import CAME_LATE, WORKER_LOST, ending, task_error
from app.tasks.fold import RETRY, STARTED, TASK_FIELDS, TERMINAL, State
from app.tasks.lifecycle import Claim
from app.tasks.observed.reports import ObservedReports
from app.tasks.plan import Forecast
from app.tasks.reported import ReportedEvent, Status, is_bare_start
from app.tasks.reported_drafts import EventClock, ReportedDrafts, restore

EVENTS_IN_A_TURN = 100
UNKNOWN = "unknown"  # the job type of a task that only its children have named
GROUP = "group"
SUPERSEDED = task_error("Superseded", "Another attempt of the task began")
_FIELDS = frozenset(TASK_FIELDS)


@dataclass(slots=True, eq=False)
class ObservedTask:
    """``first_id`` is the id under which its attempts are counted. ``drafts`` takes the drafts of all tasks of the
    batch, in their order. ``last_seq``, ``attempt``, ``closed`` and ``cancel_requested`` are those of the stream."""

    task_id: str
    first_id: str
    tenant: str | None
    state: State
    drafts: list[Draft]
    stream_id: int = 0
    last_seq: int = 0
    began_seq: int = 0  # the last sequence before the attempt
    attempt: int = 0
    closed: bool = False
    cancel_requested: bool = False
    lease_seconds: int | None = None
    heard: bool = True  # a reporter has named it as its own, and not only as a parent
    was_heard: bool = False  # before this batch
    is_new: bool = False
    lease_due: bool = False  # its lease begins anew, or has other rounds
    retry_in: float | None = None  # seconds until the next attempt, as this batch has said
    _made: ReportedDrafts | None = field(default=None, init=False)
    _added: int = field(default=0, init=False)  # drafts, by this batch

    @property
    def stream(self) -> str:
        return task_stream(self.task_id)

    @property
    def fields(self) -> State:
        found: State = self.state["task"]
        return found

    @property
    def runs(self) -> bool:
        """Whether an attempt runs. A group only waits for its members."""
        return self.fields["status"] == STARTED and not self.is_group

    @property
    def is_group(self) -> bool:
        return bool(self.fields["job_type"] == GROUP and not self.heard)

    @property
    def was_lost(self) -> bool:
        """Whether the task has ended because nothing was heard of its reporter for as long as its lease."""
        error: Mapping[str, Any] = self.fields["error"] or {}
        # It may have its phase, too.
        return self.closed and any(error.items() >= lost.items() for lost in (WORKER_LOST, CAME_LATE))

    def put(self, item: Draft) -> None:
        """Adds a draft, and keeps what it changes of the task. Phases are the business of the reports."""
        self.drafts.append(item)
        self._added += 1
        if item.type == "task_status" and item.data is not None:
            task = self.fields | {name: value for name, value in item.data.items() if name in _FIELDS}
            self.state = self.state | {"task": task}
            self.closed = self.closed or item.closes

    def change(self, at: str, **changes: Any) -> None:
        """Adds an event that changes fields of the task, and nothing of its course."""
        same = {name: self.fields[name] for name in ("status", "is_running")}
        self.put(draft(self.stream, "task_status", {"timestamp": at, **same, "updated_at": at, **changes}))

    def begin(self, worker: str, at: str, now: str, expected: Callable[[], Forecast]) -> None:
        """Begins the next attempt, which ends one that still runs."""
        if self.runs:
            self.end_attempt(RETRY, SUPERSEDED, now)
        task = self.fields
        self.attempt += 1
        self.began_seq = self.last_seq + self._added
        kept = Forecast(task["plan"], task["usual"])
        if kept == Forecast():
            kept = expected()
        began = self.attempt, worker, at, task["started_at"]
        for item in attempt_events(self.stream, task["job_type"], *began, kept, task["retry_count"]):
            self.put(item)
        names = self._made.reports.names if self._made else {p["phase_id"] for p in self.state["phases"]}
        clock = EventClock(at)
        self._made = self._drafts(
            ObservedReports(self._claim(frozenset(names), at), self.put, clock), clock, now
        )

    def end_attempt(self, status: str, error: Mapping[str, Any], now: str) -> None:
        """Ends the attempt that runs."""
        made, task = self._made or self._restored(now), self.fields
        for item in ending(
            self.stream,
            status,
            job_type=task["job_type"],
            progress=made.reports.progress,
            phases=made.reports.running,
            error=error,
            retry_count=task["retry_count"] + (status == RETRY),
            run_ms=seconds_between(task["started_at"], now) * 1000,
            at=now,
        ):
            self.put(item)
        made.runs = False

    def warn(self, message: str, now: str) -> None:
        """Adds a line of this installation to the log of the attempt that runs."""
        (self._made or self._restored(now)).reports.log(message, "WARNING", "taskroom", None, now)

    def report(self, events: Sequence[ReportedEvent], now: str, begins: bool) -> None:
        """Adds the events. ``begins``: they are the first of an attempt that has begun with them."""
        made = self._made or self._restored(now)
        for n, event in enumerate(with_pauses(events, EVENTS_IN_A_TURN)):
            if isinstance(event, Status):
                if event.status == "PENDING" or (n == 0 and begins and is_bare_start(event)):
                    continue
                if event.status == RETRY and self.cancel_requested:
                    event = Status(status="REVOKED", timestamp=event.timestamp)
                if event.status == RETRY:
                    self.retry_in = event.retry_in
            made.add(event)
        if made.over and made.over not in TERMINAL:
            made.runs = False

    def release(self) -> None:
        """Drops the reports, which refer to this object: a batch of a thousand events is not to wait for a collection
        of garbage."""
        self._made = None

    def _restored(self, now: str) -> ReportedDrafts:
        names = frozenset(phase["phase_id"] for phase in self.state["phases"])
        at = self.fields["updated_at"] or now
        clock = EventClock(at)
        reports = ObservedReports(self._claim(names), self.put, clock)
        # Phases of earlier attempts say nothing of the progress of this one.
        of_attempt = [p for p in self.state["phases"] if p["sequence"] > self.began_seq or not p["sequence"]]
        restore(reports, self.state | {"phases": of_attempt}, at)
        self._made = self._drafts(reports, clock, now)
        return self._made

    def _drafts(self, reports: ObservedReports, clock: EventClock, now: str) -> ReportedDrafts:
        task = self.fields
        current = task["current_phase"], task["current_phase_message"]
        return ReportedDrafts(reports, clock, now, *current, runs=self.runs)

    def _claim(self, names: frozenset[str], at: str | None = None) -> Claim:
        task = self.fields
        return Claim(
            *(self.task_id, self.attempt, task["job_type"], task["params"], task["retry_count"]),
            task["started_at"] or at or task["created_at"],
            plan=task["plan"],
            usual=task["usual"],
            phases=names,
            claimed_at=at,
        )
