"""Overall progress and remaining time of a run, computed from its plan and the reports of its phases."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.db.clock import seconds_between
from app.tasks.fold import RUNNING_PHASE
from app.tasks.plan import Plan

MAX_BY_TIME = 0.95  # the largest fraction that a phase without counts gets from its elapsed time


@dataclass(slots=True)
class _Phase:
    """The last report of a phase that has begun. ``began`` is by the estimate's clock."""

    began: float
    status: str = "active"
    done: float = 0
    total: float | None = None
    eta: float | None = None

    @property
    def runs(self) -> bool:
        return self.status in RUNNING_PHASE


class ProgressEstimate:
    """Progress and ETA of one attempt. ``clock`` returns seconds and never goes back. With ``takes_only`` a run without
    a plan has the progress of its only phase, as long as there is one."""

    def __init__(
        self, plan: Plan | None, clock: Callable[[], float] = time.monotonic, takes_only: bool = False
    ) -> None:
        self._plan = plan or []
        self._takes_only = takes_only and not self._plan
        self._clock = clock
        self._phases: dict[str, _Phase] = {}

    def apply(self, phase_id: str, fields: Mapping[str, Any]) -> None:
        """Takes in a ``phase_update`` or a ``phase_complete``, which has no status."""
        status = fields.get("status", "completed")
        phase = self._phases.get(phase_id)
        if phase is None or status == "active":
            phase = self._phases[phase_id] = _Phase(self._clock())
        phase.status = status
        if fields.get("processed_count") is not None:
            phase.done = fields["processed_count"]
        if fields.get("total_count") is not None:
            phase.total = fields["total_count"]
        phase.eta = fields.get("eta_seconds")

    def restore(self, phases: Iterable[Mapping[str, Any]], at: str) -> None:
        """Restores a running attempt at the time ``at`` from its phases as the fold has them."""
        for phase in phases:
            self.apply(phase["phase_id"], phase)
            if phase["started_at"]:
                self._phases[phase["phase_id"]].began -= seconds_between(phase["started_at"], at)

    @property
    def progress(self) -> float:
        """From 0 to 100; 0 when it is not known. Skipped phases count as done."""
        if self._takes_only:
            return self.alone or 0.0
        last = self._last()
        shares = [self._fraction(n, last) * planned["weight"] for n, planned in enumerate(self._plan)]
        whole = sum(planned["weight"] for planned in self._plan)
        return 100 * sum(shares) / whole if whole else 0.0

    @property
    def alone(self) -> float | None:
        """The progress of the only phase, where the run takes it; None without counts and with several phases."""
        if not self._takes_only or len(self._phases) != 1:
            return None
        (phase,) = self._phases.values()
        if phase.total:  # also when it has ended before its last item
            return 100 * min(1.0, phase.done / phase.total)
        return 100.0 if phase.status == "completed" else None

    @property
    def eta(self) -> float | None:
        """Seconds until the run ends: the rest of the current phase by its own ETA, else by its median duration, plus
        the medians of the phases ahead. None when one of these is unknown or already exceeded."""
        if self._takes_only and len(self._phases) == 1:
            (phase,) = self._phases.values()
            return phase.eta if phase.runs else None
        if not self._plan:
            return None
        names = {planned["phase_id"] for planned in self._plan}
        running = {name for name, phase in self._phases.items() if phase.runs}
        if running and not running & names:
            return None  # the plan does not have the running phases
        left, last = 0.0, self._last()
        for n, planned in enumerate(self._plan):
            rest = self._rest(n, last, planned)
            if rest is None:
                return None
            left += rest
        if left <= 0:
            return None
        return float(math.ceil(left)) if left >= 10 else round(left, 1) or None

    def _rest(self, n: int, last: int, planned: Mapping[str, Any]) -> float | None:
        phase = self._phases.get(planned["phase_id"])
        seconds: float | None = planned["seconds"]
        if phase is None:
            return 0.0 if n < last else seconds
        if not phase.runs:
            return 0.0
        if phase.eta is not None:
            return phase.eta
        rest = None if seconds is None else seconds - (self._clock() - phase.began)
        return rest if rest is not None and rest > 0 else None

    def _last(self) -> int:
        """The index of the plan's latest phase that has begun; -1 when none has."""
        return max(
            (n for n, planned in enumerate(self._plan) if planned["phase_id"] in self._phases), default=-1
        )

    def _fraction(self, n: int, last: int) -> float:
        planned = self._plan[n]
        phase = self._phases.get(planned["phase_id"])
        if phase is None or (n < last and not phase.runs):
            return float(n < last)
        if phase.status == "completed":
            return 1.0
        if phase.total:
            return min(1.0, phase.done / phase.total)
        if phase.runs and planned["seconds"]:
            return min(MAX_BY_TIME, (self._clock() - phase.began) / float(planned["seconds"]))
        return 0.0
