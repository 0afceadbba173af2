"""Reports of an attempt, from any kind of worker: texts are cut, names checked, and overall progress is computed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import orjson

from app.stream.event import LEVELS, Draft, clean, draft, encode, now, scrub, shortened, task_stream
from app.tasks.fold import RUNNING_PHASE, STARTED
from app.tasks.lifecycle import Claim
from app.tasks.progress_estimate import ProgressEstimate
from app.tasks.status import status_event

LINE_LIMIT = 16_384  # characters of one log message
TEXT_LIMIT = 2_000  # of any other text
NAME_LIMIT = 128
PHASE_LIMIT = 500
UNNAMED_GROUP = "group"
TRACEBACK_LIMIT = 16_000
SOURCE_LINES = 7  # around the one that failed, with it
SOURCE_LINE_LIMIT = 200
RESULT_LIMIT = 256_000  # bytes of JSON


class Reports:
    """Makes the events of one attempt and passes them to ``put``. ``progress`` is valid when ``progress_known``: the
    claim has a plan, or the job reported its progress itself. ``clock`` returns seconds and never goes back."""

    takes_only = False  # whether a run without a plan has the progress of its only phase

    def __init__(
        self, claim: Claim, put: Callable[[Draft], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.claim, self.put = claim, put
        self.fence: int | None = claim.attempt  # of all events; None where the lock of the stream is held
        self.stream = task_stream(claim.task_id)
        self.progress = 0.0
        self.eta: float | None = None  # of the whole run, as of the last event of a phase
        self.progress_known = claim.plan is not None
        self.estimate = ProgressEstimate(claim.plan, claim.usual, claim.retry_count, clock, self.takes_only)
        self.names = set(claim.phases)
        self.running: dict[str, None] = {}  # phases reported as running, also without ``progress.phase``

    def log(
        self,
        message: str,
        level: str,
        component: str | None,
        phase: str | None,
        timestamp: str | None = None,
        item_error: bool = False,
    ) -> None:
        """Appends one log line. Raises ValueError for an unknown level. The hot path of every task: keep it fast."""
        if level not in LEVELS:
            raise ValueError(f"level is {level!r}; use one of {', '.join(LEVELS)}")
        if len(message) > LINE_LIMIT:
            message = shortened(message, LINE_LIMIT)
        if phase is not None:
            phase = clean(phase)[:NAME_LIMIT]
        if component is not None:
            component = shortened(component, NAME_LIMIT)
        line = {
            "timestamp": timestamp or now(),
            "level": level,
            "message": message,
            "component": component,
            "phase": phase,
        }
        tail = encode(line | {"item_error": True} if item_error else line)
        self.put(Draft(self.stream, "log", tail, level, phase, None, self.fence))

    def phase_name(self, phase_id: str) -> str:
        """Returns the cleaned name of a phase. Raises ValueError for a name that is not printable, and for more phases
        than a task may have in all its attempts: each phase is a row, and every viewer holds all of them."""
        name = clean(phase_id)
        if not 0 < len(name) <= NAME_LIMIT or not name.isprintable():
            raise ValueError(
                f"a phase's name has 1 to {NAME_LIMIT} printable characters, not {phase_id[:200]!r}"
            )
        if name not in self.names and len(self.names) >= PHASE_LIMIT:
            raise ValueError(f"a task has at most {PHASE_LIMIT} phases; count items within one instead")
        self.names.add(name)
        return name

    def group(self, group_id: str, status: str, name: str | None, phase: str | None, at: str) -> None:
        """Appends the begin or the end of a group of lines."""
        fields: dict[str, Any] = {"timestamp": at, "group_id": clean(group_id)[:NAME_LIMIT], "status": status}
        shown = "".join(c if c.isprintable() else " " for c in clean(name or "")[:NAME_LIMIT]).strip()
        fields |= {"name": shown or UNNAMED_GROUP, "phase": clean(phase)[:NAME_LIMIT] if phase else None}
        self.put(draft(self.stream, "log_group", fields, attempt=self.fence))

    def emit(self, type: str, fields: dict[str, Any]) -> None:
        """Appends any event of this run; phase events get the progress and ETA of the whole run."""
        if type in ("phase_update", "phase_complete"):
            if fields.get("status") in RUNNING_PHASE:
                self.running[fields["phase_id"]] = None
            else:
                self.running.pop(fields["phase_id"], None)
            self.estimate.apply(fields["phase_id"], fields)
            self.raise_progress(self.estimate.progress)
            self.eta = self.estimate.eta
            fields |= {"progress": self.progress, "task_eta_seconds": self.eta}
        self.put(draft(self.stream, type, {"timestamp": now(), **fields}, attempt=self.fence))

    def status(
        self, phase: str | None, message: str | None, eta: float | None = None, at: str | None = None
    ) -> None:
        self.put(
            status_event(
                self.stream,
                STARTED,
                at or now(),
                self.fence,
                current_phase=phase,
                current_phase_message=shortened(message, TEXT_LIMIT) if message else None,
                progress=self.progress,
                progress_known=self.progress_known,
                started_at=self.claim.started_at,
                eta_seconds=self.estimate.eta if eta is None else eta,
            )
        )

    def raise_progress(self, progress: float) -> None:
        """Raises the progress, which never goes back within an attempt; only success has 100."""
        self.progress = max(self.progress, min(99.9, round(progress, 1)))


def result_json(result: Any) -> Any:
    """Returns the result as JSON stores it, or a marker when it is too large. Raises TypeError for other types."""
    try:
        text = orjson.dumps(result)
    except TypeError:  # perhaps a lone surrogate, as in some file names: no task must fail by it
        text = orjson.dumps(scrub(result))
    if len(text) > RESULT_LIMIT:
        return {"truncated": True, "bytes": len(text)}
    return orjson.loads(text)


def traceback_text(text: str) -> str:
    """Returns the end of the traceback, which names the error."""
    if len(text) <= TRACEBACK_LIMIT:
        return text
    return f"… [cut: {len(text):,} characters in all]\n{text[-TRACEBACK_LIMIT:]}"
