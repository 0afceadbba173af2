"""One phase of a run: its counts, when to report them, and a steady estimate of the time that is left."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from taskroom import held, values

REPORT_SECONDS = 0.1
RATE_SECONDS = 5.0  # the rate is an average of about so long

Emit = Callable[[str, dict[str, Any]], None]


class Phase:
    """Counts items, and reports the start, the end, and the counts at most ten times a second in between; the last of
    those that came too soon follows by itself.

    ``phase`` and ``track`` make it. ``total`` may be set when it becomes known. ``after_report`` is called after each
    report of counts.
    """

    def __init__(
        self,
        phase_id: str,
        emit: Emit,
        check: Callable[[], None],
        total: int | None = None,
        message: str = "",
        processed: float = 0,
    ) -> None:
        self.id = phase_id
        self.total = total
        self.message = message
        self.processed = processed
        self.errors: float = 0
        self.open = True
        self.after_report: Callable[[], object] | None = None
        self._emit, self._check = emit, check
        self._started = self._reported = time.monotonic()
        self._first = self._counted = processed
        self._rate: float | None = None
        self._held_by: held.Held | None = None  # who reports later what came too soon
        self._report("active")

    @property
    def total(self) -> int | None:
        return self._total

    @total.setter
    def total(self, value: Any) -> None:
        """Takes any value; what is no count is None."""
        self._total = values.count(value)

    def advance(self, n: float = 1, message: str | None = None) -> None:
        """Counts ``n`` more items as processed. Raises when the task was asked to stop."""
        self._check()
        self.processed = values.total(self.processed, n)
        if message is not None:
            self.message = message
        self.report_when_due()

    def error(self, n: float = 1) -> None:
        """Counts ``n`` items as failed; ``advance`` counts them as processed."""
        self.errors = values.total(self.errors, n)

    def due(self) -> bool:
        """Whether the last report is long enough ago."""
        return time.monotonic() - self._reported >= REPORT_SECONDS

    def report_when_due(self) -> None:
        """Reports the counts, now or a moment later."""
        if self.due():
            self.report()
        elif self._held_by is not held.held:  # nor in the parent of this process
            self._held_by = held.held
            held.held.add(self)

    def catch_up(self) -> bool:
        """Makes the report that came too soon, if it is due. Whether nothing is left to report."""
        with held.held.lock:
            if self.open and self._held_by is not None:
                if not self.due():
                    return False
                self.report()
            return True

    def report(self) -> None:
        """Reports the counts at once."""
        with held.held.lock:
            self._held_by = None
            self._measure(time.monotonic())
            self._report("in_progress")
            if self.after_report is not None:
                self.after_report()

    def close(self) -> None:
        """Reports nothing any more."""
        with held.held.lock:
            self.open = False

    def complete(self) -> None:
        """Reports the end of the phase, once."""
        if self.open:
            self.close()
            self._report("completed")
            duration = round(time.monotonic() - self._started, 3)
            self._emit("phase_complete", self._counts() | {"duration_seconds": duration})

    def fail(self, message: str) -> None:
        """Reports that the phase failed, once."""
        if self.open:
            self.close()
            self.message = message
            self._report("error")

    @property
    def eta(self) -> float | None:
        """Seconds until the last item at the present rate; None while that is unknown."""
        if not self.open or self.total is None or not self._rate:
            return None
        left = values.number(max(0, self.total - self.processed) / self._rate)
        if left is None:  # at a rate next to nothing
            return None
        return float(math.ceil(left)) if left >= 10 else round(left, 1)

    def _measure(self, at: float) -> None:
        """Updates the rate. It is smoothed over RATE_SECONDS, so that the estimate does not jump."""
        passed = max(at - self._reported, 1e-3)
        rate = (self.processed - self._counted) / passed
        weight = 1.0 - math.exp(-passed / RATE_SECONDS)
        average = (self.processed - self._first) / max(at - self._started, 1e-3)
        self._rate = average if self._rate is None else self._rate + weight * (rate - self._rate)
        self._reported, self._counted = at, self.processed

    def _report(self, status: str) -> None:
        reported = {"status": status, "message": self.message, "eta_seconds": self.eta}
        self._emit("phase_update", self._counts() | reported)

    def _counts(self) -> dict[str, Any]:
        counts = {"processed_count": self.processed, "total_count": self.total, "error_count": self.errors}
        return {"phase_id": self.id, **counts}
