"""One attempt of a task, as its code sees it: where reports go, and whether to stop."""

from __future__ import annotations

import os
import time
from typing import Any

from app.stream.event import LEVELS, shortened
from app.stream.writer import Writer
from app.tasks.lifecycle import Claim
from app.tasks.reports import PHASE_LIMIT, TEXT_LIMIT, Reports
from workers import values
from workers.errors import AttemptSuperseded, TaskCancelled
from workers.phases import REPORT_SECONDS, Phase

FURTHER = "further phases"


class Run(Reports):
    """What is reported goes to the writer. ``cancelled`` and ``superseded`` are set by the writer's thread."""

    def __init__(self, claim: Claim, writer: Writer) -> None:
        super().__init__(claim, writer.put)
        self.cancelled = False
        self.superseded = False
        self.over = False  # the job's code has ended; threads that it left behind report no more
        self.pid = os.getpid()
        self.parent_progress = -1.0  # the progress that was reported to the parent task
        self._open: list[Phase] = []
        self._left_early: list[Phase] = []  # phases of loops that ended before their last item
        self._reported: dict[str, float] = {}
        self._warned: set[str] = set()

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
        """Reports a line, under the open phase unless ``phase`` names another. The hot path of every task: what is a
        text already passes as it is."""
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
        """The level as events hold it; INFO, and a warning in the task's log, for an unknown one."""
        found = values.level(level)
        if found is None:
            shown = values.text(level)[:100]
            self.warn_once("level", f"{shown!r} is no level; use one of {', '.join(LEVELS)}")
        return found or "INFO"

    def phase_name(self, phase_id: Any) -> str:
        """The name as events hold it. All phases beyond the limit share one name."""
        name = values.name(phase_id)
        if name not in self.names and len(self.names) >= PHASE_LIMIT:
            shared = f"a task has at most {PHASE_LIMIT} phases, the others are {FURTHER!r}"
            self.warn_once("phases", f"{shared}; count items within one instead")
            return FURTHER
        return super().phase_name(name)

    def emit(self, type: str, fields: dict[str, Any]) -> None:
        """Reports an event, with counts and times as Postgres stores them: rows and a viewer's fold must be equal."""
        super().emit(type, values.normalized(fields))

    def warn_once(self, kind: str, message: str) -> None:
        """Writes a warning about the job's code into the task's log, the first of each kind only."""
        if kind not in self._warned:
            self._warned.add(kind)
            super().log(message, "WARNING", "taskroom", None)

    def begin(self, phase_id: str, total: int | None, message: str) -> Phase:
        self.check()
        self._complete_left_early()
        name, message = self.phase_name(phase_id), values.text(message)
        self.status(name, message)
        phase = Phase(name, self.emit, self.check, total, message)
        self._open.append(phase)
        return phase

    def end(self, phase: Phase) -> None:
        if phase in self._open:
            self._complete_left_early()
            phase.complete()
            self._open.remove(phase)

    def fail(self, phase: Phase, reason: str) -> None:
        """Ends a phase, and those still open within it, as failed."""
        while phase in self._open:
            self._open.pop().fail(shortened(reason, TEXT_LIMIT))

    def leave_early(self, phase: Phase) -> None:
        """Closes a phase whose loop ended before its last item. It is complete once the job's code begins another
        phase or succeeds; otherwise it ends as the attempt does."""
        if phase in self._open:
            self._open.remove(phase)
            self._left_early.append(phase)

    def finish(self, success: bool) -> list[str]:
        """Closes all phases when the job's code has ended. Returns those that the end of the attempt has to end."""
        if success:
            self._complete_left_early()
        for phase in (*self._open, *self._left_early):
            phase.open = False
        self._open.clear()
        return list(self.running)

    def _complete_left_early(self) -> None:
        while self._left_early:
            self._left_early.pop(0).complete()

    def due(self, phase_id: str, processed: int | None, total: int | None) -> bool:
        """Whether to send an in_progress report that the job's code makes itself: the last one, and at most ten a
        second."""
        at = time.monotonic()
        last = processed is not None and processed == total
        if not last and at - self._reported.get(phase_id, 0.0) < REPORT_SECONDS:
            return False
        self._reported[phase_id] = at
        return True

    def set_progress(self, progress: Any, message: Any) -> None:
        """Raises the progress to what the job's code says. From then on it is known, also without a plan."""
        found = values.number(progress)
        if found is not None:
            self.raise_progress(found)
            self.progress_known = True
        self.status(self.current_phase, values.text(message))
