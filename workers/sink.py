"""The sink of runs in Taskroom's own workers: the writer of the process stores what they report."""

from __future__ import annotations

from collections.abc import Callable

from app.stream.event import Draft
from app.tasks.lifecycle import Claim
from app.tasks.reports import Reports
from taskroom.sink import Stop


class WriterSink:
    """Passes on what one attempt reports to ``put``, as drafts."""

    def __init__(self, claim: Claim, put: Callable[[Draft], None]) -> None:
        self.reports = Reports(claim, put)
        self.stop: Stop = None
        self.log = self.reports.log  # the hot path of every task: no call between
        self.event = self.reports.emit

    def status(
        self, phase: str | None, message: str | None, progress: float | None, eta_seconds: float | None
    ) -> None:
        if progress is not None:
            self.reports.raise_progress(progress)
            self.reports.progress_known = True
        self.reports.status(phase, message, eta_seconds)
