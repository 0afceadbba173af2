"""Overall progress and remaining time of a run, computed from its plan and the reports of its phases."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.db.clock import seconds_between
from app.tasks.fold import RUNNING_PHASE
from app.tasks.history import Span
from app.tasks.plan import Plan, Usual, size_of

MAX_BY_TIME = 0.95  # the largest fraction that a phase without counts gets from its elapsed time
STEADY = 0.2  # by how much the bend of a phase whose items take about as long as each other differs from 1
MOST_SPREAD = (
    2.0  # how many times the median the slow runs may take where only the time of the whole is known
)


@dataclass(slots=True)
class _Phase:
    """The last report of a phase that has begun. ``began`` and ``ended`` are by the estimate's clock."""

    began: float
    ended: float = math.inf
    status: str = "active"
    done: float = 0
    total: float | None = None
    eta: float | None = None

    @property
    def runs(self) -> bool:
        return self.status in RUNNING_PHASE


class ProgressEstimate:
    """Progress and ETA of one attempt that begins now, after so many ``retries``. ``clock`` returns seconds and never
    goes back. With ``takes_only`` a run without a plan has the progress of its only phase, as long as there is one."""

    def __init__(
        self,
        plan: Plan | None,
        usual: Usual | None = None,
        retries: int = 0,
        clock: Callable[[], float] = time.monotonic,
        takes_only: bool = False,
    ) -> None:
        self._plan = plan or []
        self._by_name = {planned["phase_id"]: planned for planned in self._plan}
        self._usual, self._retries = usual, retries
        self._takes_only = takes_only and not self._plan
        self._clock = clock
        self._phases: dict[str, _Phase] = {}
        self._began = clock()
        self._inside = 0.0  # seconds in phases that have ended, up to the present gap or phase
        self._entered: float | None = None  # when the phases that run now began, the first of them

    def apply(self, phase_id: str, fields: Mapping[str, Any]) -> None:
        """Takes in a ``phase_update`` or a ``phase_complete``, which has no status."""
        status, now = fields.get("status", "completed"), self._clock()
        phase = self._phases.get(phase_id)
        if phase is None or status == "active":
            phase = self._phases[phase_id] = _Phase(now)
        phase.status = status
        phase.ended = math.inf if phase.runs else min(now, phase.ended)
        if fields.get("processed_count") is not None:
            phase.done = fields["processed_count"]
        if fields.get("total_count") is not None:
            phase.total = fields["total_count"]
        phase.eta = fields.get("eta_seconds")
        if phase.runs:
            self._entered = now if self._entered is None else self._entered
        elif self._entered is not None and not any(other.runs for other in self._phases.values()):
            self._inside, self._entered = self._inside + now - self._entered, None

    def restore(self, phases: Iterable[Mapping[str, Any]], began: str | None, at: str) -> None:
        """Restores an attempt that ``began`` then, at the time ``at``, from its phases as the fold has them."""
        now = self._clock()
        self._began = now - (seconds_between(began, at) if began else 0.0)
        for fields in phases:
            if began and fields["updated_at"] < began:
                continue  # an earlier attempt left it
            self.apply(fields["phase_id"], fields)
            phase = self._phases[fields["phase_id"]]
            if not phase.runs:
                phase.ended = now - seconds_between(fields["updated_at"], at)
                phase.began = phase.ended - (fields["duration_seconds"] or 0.0)
            if fields["started_at"]:
                phase.began = now - seconds_between(fields["started_at"], at)
        self._inside, self._entered, last = 0.0, None, -math.inf
        for phase in sorted(self._phases.values(), key=lambda phase: phase.began):
            if phase.runs and self._entered is None:
                self._entered = max(last, phase.began)
            if self._entered is None:
                self._inside += max(0.0, phase.ended - max(last, phase.began))
            last = max(last, phase.ended)

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
        """Seconds until the run ends: what is left of the current phases, the phases ahead, the usual time outside of
        phases, and what attempts that fail usually take. None without earlier runs, when one of the phases is unknown,
        and when the run takes longer than usual where nothing says how much longer."""
        left = self._rest_of_phases() if self._plan else 0.0
        if left is None or (not self._plan and not self._regular):
            return None
        if self._usual:
            left += max(0.0, self._usual["outside_seconds"] - self._outside())
            if left > 0 and self._retries < len(self._usual["retry_seconds"]):
                left += self._usual["retry_seconds"][self._retries]
        if left <= 0:
            return None
        return float(math.ceil(left)) if left >= 10 else round(left, 1) or None

    @property
    def _regular(self) -> bool:
        """Whether the earlier runs took about as long as each other."""
        usual = self._usual
        return usual is not None and usual["p95_seconds"] <= MOST_SPREAD * usual["seconds"]

    def _outside(self) -> float:
        """Returns the seconds of the attempt that lay in no phase; without a plan, all of them."""
        now = self._clock()
        if not self._plan:
            return now - self._began
        inside = self._inside + (now - self._entered if self._entered is not None else 0.0)
        return now - self._began - inside

    def _rest_of_phases(self) -> float | None:
        running = {name for name, phase in self._phases.items() if phase.runs}
        if running and not running & self._by_name.keys():
            return None  # the plan does not have the running phases
        left, last, size = 0.0, self._last(), self._size()
        for n, planned in enumerate(self._plan):
            rest = self._rest(n, last, planned, size)
            if rest is None:
                return None
            left += rest
        return left

    def _size(self) -> float:
        """Returns how large this run is compared with the usual one, as its phases so far show."""
        begun = {
            name: Span(name, 0, phase.began, phase.ended, phase.total)
            for name, phase in self._phases.items()
            if phase.status != "error"
        }
        return size_of(self._by_name, begun)

    def _rest(self, n: int, last: int, planned: Mapping[str, Any], size: float) -> float | None:
        phase = self._phases.get(planned["phase_id"])
        seconds: float | None = planned["seconds"]
        if phase is None:
            if n < last:
                return 0.0
            return seconds * size if seconds is not None and planned.get("scales") else seconds
        if not phase.runs:
            return 0.0
        usual = _of_total(planned, phase.total)
        if usual is None:
            usual = seconds * size if seconds is not None and planned.get("scales") else seconds
        elapsed = self._clock() - phase.began
        done = min(1.0, phase.done / phase.total) if phase.total else 0.0
        if not usual or not phase.total:
            if phase.eta is None and done:
                return elapsed * (1 - done) / done
            if phase.eta is not None or not usual:
                return phase.eta
        rest = usual - elapsed
        if not done:
            return rest if rest > 0 else None
        bend: float = planned.get("bend", 1)
        passed = done**bend
        pace: float = elapsed * (1 - passed) / passed
        if phase.eta is not None and abs(bend - 1) < STEADY:
            pace = phase.eta
        # At first earlier runs know better how long it takes, soon its own pace does.
        trust: float = min(1.0, max(passed, elapsed / usual)) ** 0.5
        return (1 - trust) * max(0.0, rest) + trust * pace

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


def _of_total(planned: Mapping[str, Any], items: float | None) -> float | None:
    """Returns how long the phase usually takes with so many items; None where that is not known."""
    if not items or not planned.get("total") or planned["seconds"] is None:
        return None
    return float(planned["seconds"] * (items / planned["total"]) ** planned["power"])
