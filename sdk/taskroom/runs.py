"""One attempt of a task, as its code sees it: where reports go, and whether to stop."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from taskroom import failures, values
from taskroom.errors import AttemptSuperseded, Suspended, TaskCancelled
from taskroom.groups import Groups
from taskroom.limits import PHASE_LIMIT, TEXT_LIMIT
from taskroom.phases import REPORT_SECONDS, Phase
from taskroom.sink import Sink
from taskroom.source import SECRETS
from taskroom.texts import cut, reason
from taskroom.values import LEVELS

FURTHER = "further phases"
UNNAMED_GROUP = "group"

Item = TypeVar("Item")


class Run:
    """Reports to ``sink`` what its code does. ``log``, ``phase``, ``track`` and ``progress`` raise TaskCancelled or
    AttemptSuperseded once the run should stop.

    ``names`` are the task's phases, also those of earlier attempts: their number is limited. ``source_lines``: whether
    the run's error may have lines of source; texts in a line with one of the words ``secrets`` are not shown.
    """

    source_lines: bool = True
    secrets: tuple[str, ...] = SECRETS

    def __init__(self, id: str, sink: Sink, names: set[str] | None = None) -> None:
        self.id, self.sink = id, sink
        self.names = set[str]() if names is None else names
        self.outer: Run | None = None  # in whose code this run began
        self.over = False  # its code has ended; threads that it left behind report no more
        self._groups = Groups(self.emit, self.warn_once)
        self._open: list[Phase] = []
        self._left_early: list[Phase] = []  # phases of loops that ended before their last item
        self._thrown: list[Phase] = []  # those of them that an exception has left
        self._reported: dict[str, float] = {}
        self._warned: set[str] = set()

    @property
    def url(self) -> str | None:
        """The address of the run's page, where that is known."""
        return None

    @property
    def current_phase(self) -> str | None:
        return self._open[-1].id if self._open else None

    def check(self) -> None:
        """Raises TaskCancelled or AttemptSuperseded once the run should stop."""
        if self.sink.stop == "superseded":
            raise AttemptSuperseded("another attempt of the task has taken over, or the task has ended")
        if self.sink.stop is not None:
            raise TaskCancelled("somebody has cancelled the task")

    def log(
        self, message: str, level: str = "INFO", component: str | None = None, phase: str | None = None
    ) -> None:
        """Writes a line into the log, under the open phase unless ``phase`` names another."""
        self.check()
        self.line(message, level, component, phase)

    @contextmanager
    def phase(self, name: str, total: int | None = None, message: str = "") -> Iterator[Phase]:
        """Opens a phase for the length of the block, and gives it: call its ``advance`` and ``error``."""
        opened = self.begin(name, total, message)
        try:
            yield opened
        except Suspended:
            raise
        except BaseException as error:
            failures.leaves(error, self._thrown[-1].id if self._thrown else opened.id)
            self.fail(opened, reason(error))
            raise
        self.end(opened)

    def track(
        self, items: Iterable[Item], phase: str, message: str = "", total: int | None = None
    ) -> Iterator[Item]:
        """Yields the items, and counts each when the loop asks for the next. ``message`` may use {n}, {total} and
        {item}."""
        opened = self.begin(phase, values.length(items) if total is None else total, "")
        without_item = "{item" not in values.text(message)
        try:
            for n, item in enumerate(items, 1):
                yield item
                self.check()
                opened.processed = n
                if message and (without_item or opened.due()):  # the text of an item may cost much
                    opened.message = values.filled(message, n=n, total=opened.total, item=item)
                opened.report_when_due()
        except GeneratorExit:
            self.leave_early(opened, thrown=not failures.loop_was_broken())
            return
        if message and opened.processed:
            opened.message = values.filled(message, n=opened.processed, total=opened.total, item="")
        self.end(opened)

    def group(self, name: str) -> AbstractContextManager[None]:
        """Puts the lines of the block into a group, which can be folded; groups may be within one another. For a
        heading over some lines: a part of the work that has a progress is a ``phase``."""
        self.check()
        return self._groups.group(values.name(name, UNNAMED_GROUP), self.current_phase)

    def item_error(self, message: str | None = None) -> None:
        """Counts the current item of the innermost phase as failed, and logs ``message`` as a warning."""
        if self._open:
            self._open[-1].error()
        if message:
            self.check()
            self.sink.log(values.text(message), "WARNING", None, self.current_phase, item_error=True)

    def progress(self, percent: float, message: str = "") -> None:
        """Raises the progress of the whole run, from 0 to 100. From then on it is what the run's code says."""
        self.check()
        self.sink.status(self.current_phase, values.text(message), values.number(percent), None)

    def line(
        self,
        message: str,
        level: str,
        component: str | None = None,
        phase: str | None = None,
        timestamp: str | None = None,
    ) -> None:
        """As ``log``, whether or not the run should stop. The hot path of every run: a text passes as it is."""
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
        self.sink.log(message, level, component, phase, timestamp)

    def known_level(self, level: Any) -> str:
        """The level as events hold it; INFO, and a warning in the run's log, for an unknown one."""
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
        self.names.add(name)
        return name

    def emit(self, type: str, fields: dict[str, Any]) -> None:
        """Reports an event, with counts and times as a server stores them: rows and a viewer's fold must be equal."""
        self.sink.event(type, values.normalized(fields))

    def warn_once(self, kind: str, message: str) -> None:
        """Writes a warning about the run's code into its log, the first of each kind only."""
        if kind not in self._warned:
            self._warned.add(kind)
            self.sink.log(message, "WARNING", "taskroom", None)

    def begin(self, phase_id: str, total: int | None, message: str, processed: float = 0) -> Phase:
        """Opens a phase within the one that is open."""
        self.check()
        self._complete_left_early()
        name, message = self.phase_name(phase_id), values.text(message)
        self.sink.status(name, message, None, None)
        phase = Phase(name, self.emit, self.check, total, message, processed)
        self._open.append(phase)
        return phase

    def end(self, phase: Phase) -> None:
        """Completes a phase."""
        if phase in self._open:
            self._complete_left_early()
            phase.complete()
            self._open.remove(phase)

    def fail(self, phase: Phase, reason: str) -> None:
        """Ends a phase, and those still open within it, as failed."""
        while phase in self._open:
            self._open.pop().fail(cut(reason, TEXT_LIMIT))

    def leave_early(self, phase: Phase, thrown: bool) -> None:
        """Closes a phase whose loop ended before its last item: by an exception (``thrown``) or a break. It is complete
        once the run's code begins another phase or succeeds; one that was thrown else ends as the attempt does."""
        if phase in self._open:
            self._open.remove(phase)
            self._left_early.append(phase)
            if thrown:
                self._thrown.append(phase)

    def phase_of(self, error: BaseException) -> str | None:
        """The phase in which an exception came that has left the run's code; None when it came between phases."""
        left = failures.phase_left(error)
        if left is None and (inner := self._thrown or self._open):
            left = inner[-1].id
        return left

    def close_phases(self, success: bool) -> None:
        """Closes all phases when the run's code has ended; the end of the attempt ends those that are not complete."""
        thrown = [] if success else self._thrown
        self._complete_left_early(but=thrown)
        for phase in (*self._open, *thrown):
            phase.close()
        self._open.clear()

    def due(self, phase_id: str, processed: int | None, total: int | None) -> bool:
        """Whether to send an in_progress report that the run's code makes itself: the last one, and at most ten a
        second."""
        at = time.monotonic()
        last = processed is not None and processed == total
        if not last and at - self._reported.get(phase_id, 0.0) < REPORT_SECONDS:
            return False
        self._reported[phase_id] = at
        return True

    def _complete_left_early(self, but: Sequence[Phase] = ()) -> None:
        left, self._left_early = self._left_early, []
        for phase in left:
            if phase not in but:
                phase.complete()
        self._thrown = []
