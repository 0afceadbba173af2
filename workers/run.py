"""One attempt of a task, as its code sees it: where reports go, and whether to stop."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from app.stream.event import LEVELS, cut
from app.stream.store import Appended
from app.stream.transaction import Hint, Transaction
from app.stream.writer import Writer
from app.tasks.approvals import Approval
from app.tasks.dispatch import started_steps
from app.tasks.lifecycle import Claim
from app.tasks.parents import parent_progress
from app.tasks.reports import PHASE_LIMIT, TEXT_LIMIT, Reports
from workers import values
from workers.phases import REPORT_SECONDS, Phase


class TaskCancelled(BaseException):
    """Raised by phase, track and log once somebody asked the task to stop.

    Not an Exception, so that ``except Exception`` in task code does not swallow it.
    """


class AttemptSuperseded(BaseException):
    """This attempt was given up: its lease ran out, and whatever it still reports is refused."""


class ApprovalNeeded(BaseException):
    """Raised by require_approval: the attempt ends here, and the task runs again from its top once it is granted."""

    def __init__(self, approval: Approval) -> None:
        super().__init__(approval.key)
        self.approval = approval


class Delegated(BaseException):
    """Raised by delegate: the attempt ends here, and the task goes on as its steps do."""

    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        self.steps = steps


class NoRun(RuntimeError):
    """A report was made where no task of Taskroom runs."""


_current: Run | None = (
    None  # the attempt that this process has claimed: its lease and cancels are the writer's business
)
_context: ContextVar[Run | None] = ContextVar("taskroom_run", default=None)


def current() -> Run:
    """The run that this code belongs to. Raises NoRun."""
    run = find()
    if run is None:
        raise NoRun("no task runs here: report progress from inside a job")
    return run


def find() -> Run | None:
    """The run in whose context this code was started, while it lasts: a thread that an earlier task left behind
    belongs to none. The main thread runs nothing but the attempt, whatever context its code makes for itself."""
    run = _context.get()
    if run is None and threading.current_thread() is threading.main_thread():
        run = _current
    return None if run is None or run.over else run


def use(writer: Callable[[], Writer]) -> None:
    """Gives the runs of this process another writer, when there are any."""
    for run in (_current, _context.get()):
        if run is not None:
            run.put = writer().put


def enter(run: Run | None) -> None:
    """Begins an attempt in this process; with None the attempt is over, and nothing reports to it any more."""
    global _current
    if run is None and _current is not None:
        _current.over = True
    _current = run
    _context.set(run)


FURTHER = "further phases"
_NORMAL: Mapping[str, Callable[[Any], Any]] = {
    "message": lambda value: cut(values.text(value), TEXT_LIMIT),
    "processed_count": values.count,
    "total_count": values.count,
    "error_count": values.count,
    "eta_seconds": values.number,
    "duration_seconds": values.number,
}


class Run(Reports):
    def __init__(self, claim: Claim, writer: Writer) -> None:
        super().__init__(claim, writer.put)
        self.cancelled = False
        self.superseded = False
        self.over = False
        self.pid = os.getpid()
        self.queued: list[
            Hint
        ] = []  # steps that were started with what was stored: the broker is to hear of them
        self.told = -1.0  # the progress that its parent knows of
        self._open: list[Phase] = []
        self._left: list[Phase] = []
        self._reported: dict[str, float] = {}
        self._noted: set[str] = set()

    @property
    def forked(self) -> bool:
        """Whether this is a child of the process that claimed the attempt: it reports, and ends nothing."""
        return os.getpid() != self.pid

    @property
    def current_phase(self) -> str | None:
        return self._open[-1].id if self._open else None

    @property
    def innermost(self) -> Phase | None:
        return self._open[-1] if self._open else None

    def check(self) -> None:
        """Raises TaskCancelled or AttemptSuperseded once the task should stop."""
        if self.superseded:
            raise AttemptSuperseded
        if self.cancelled:
            raise TaskCancelled

    def log(
        self, message: str, level: str, component: str | None, phase: str | None, at: str | None = None
    ) -> None:
        """Under the open phase, unless it names another. The hot path of every task: texts pass as they are."""
        if phase is None:
            if self._open:
                phase = self._open[-1].id
        elif type(phase) is not str:
            phase = values.text(phase)
        if type(message) is not str:
            message = values.text(message)
        if component is not None and type(component) is not str:
            component = values.text(component)
        if type(level) is not str or level not in LEVELS:
            level = self.known_level(level)
        super().log(message, level, component, phase, at)

    def known_level(self, level: Any) -> str:
        found = values.level(level)
        if found is None:
            self.note("level", f"{values.text(level)[:100]!r} is no level; use one of {', '.join(LEVELS)}")
        return found or "INFO"

    def phase_name(self, phase_id: Any) -> str:
        """The name as events hold it; beyond the limit one that all others share."""
        name = values.name(phase_id)
        if name not in self.names and len(self.names) >= PHASE_LIMIT:
            shared = f"a task has at most {PHASE_LIMIT} phases, the others are {FURTHER!r}"
            self.note("phases", f"{shared}; count items within one instead")
            return FURTHER
        return super().phase_name(name)

    def emit(self, type: str, fields: dict[str, Any]) -> None:
        """As they are stored: Postgres would round what a viewer's fold keeps."""
        for name, known in _NORMAL.items():
            if name in fields:
                fields[name] = known(fields[name])
        super().emit(type, fields)

    def note(self, kind: str, message: str) -> None:
        """Says once in the task's log what its code reports that cannot be."""
        if kind not in self._noted:
            self._noted.add(kind)
            super().log(message, "WARNING", "taskroom", None)

    def begin(self, phase_id: str, total: int | None, message: str) -> Phase:
        """Opens a phase within the one that is open."""
        self.check()
        self._complete_left()
        name, message = self.phase_name(phase_id), values.text(message)
        self.status(name, message)
        phase = Phase(name, self.emit, self.check, total, message)
        self._open.append(phase)
        return phase

    def end(self, phase: Phase) -> None:
        if phase in self._open:
            self._complete_left()
            phase.complete()
            self._open.remove(phase)

    def fail(self, phase: Phase, why: str) -> None:
        """Ends a phase, and those still open within it, as failed."""
        while phase in self._open:
            self._open.pop().fail(cut(why, TEXT_LIMIT))

    def left(self, phase: Phase) -> None:
        """Takes a phase off whose loop was left. It is complete once the task's code goes on to another or
        succeeds; else the end of the attempt says what became of it."""
        if phase in self._open:
            self._open.remove(phase)
            self._left.append(phase)

    def leave(self, success: bool) -> list[str]:
        """The attempt ends: nothing reports from here on. Returns the phases that are still open."""
        if success:
            self._complete_left()
        for phase in (*self._open, *self._left):
            phase.open = False
        self._open.clear()
        return list(self.running)

    def _complete_left(self) -> None:
        while self._left:
            self._left.pop(0).complete()

    def due(self, phase_id: str, processed: int | None, total: int | None) -> bool:
        """Thins in_progress reports that are made by hand: the last, and at most ten a second."""
        at = time.monotonic()
        last = processed is not None and processed == total
        if not last and at - self._reported.get(phase_id, 0.0) < REPORT_SECONDS:
            return False
        self._reported[phase_id] = at
        return True

    def set_progress(self, progress: Any, message: Any) -> None:
        """What the job says of itself: from then on progress is known, also without a plan."""
        found = values.number(progress)
        if found is not None:
            self.raise_progress(found)
            self.progress_known = True
        self.status(self.current_phase, values.text(message))


def heard(appended: Appended) -> None:
    """The writer tells what a commit brought back about this process's run."""
    run = _current
    if run is not None:
        run.cancelled |= run.stream in appended.cancel_requested
        run.superseded |= run.stream in appended.refused
        run.queued += started_steps(appended.events)


def renew(tx: Transaction) -> None:
    """Renews the lease, looks whether the task should stop and tells its parent how far it is; about once a second
    or oftener, beside the writing. A forked child only looks: it may live on when the process that claimed is gone."""
    run, cur = _current, tx.cur
    if run is None:
        return
    if not run.forked:
        cur.execute(
            "UPDATE leases SET missed = 0 WHERE task_id = %s AND attempt = %s AND missed > 0",
            (run.claim.task_id, run.claim.attempt),
        )
    cur.execute("SELECT attempt, closed, cancel_requested FROM streams WHERE name = %s", (run.stream,))
    row = cur.fetchone()
    if row is None or row[0] != run.claim.attempt or row[1]:
        run.superseded = True
    elif row[2]:
        run.cancelled = True
    elif (
        run.claim.parent
        and not run.forked
        and run.progress >= run.told + 1
        and (drafts := parent_progress(cur, run.claim.task_id, run.progress))
    ):
        run.told = run.progress
        tx.append(drafts)
