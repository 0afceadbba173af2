"""How far a run is as a whole and when it ends, by a clock that the test sets."""

from __future__ import annotations

from typing import Any

import pytest

from app.stream.event import Draft
from app.tasks.lifecycle import Claim
from app.tasks.outlook import Outlook
from app.tasks.plan import Plan
from app.tasks.reports import Reports
from tests.support.clock import Clock


def plan_of(**phases: tuple[float, float | None]) -> Plan:
    return [{"phase_id": name, "weight": w, "seconds": s} for name, (w, s) in phases.items()]


# As learnt of runs that take 10 s and 20 s over them.
ONE_TO_TWO = plan_of(scan=(0.3333, 10), resize=(0.6667, 20))


class Told:
    """An outlook to which phases report."""

    def __init__(self, plan: Plan | None) -> None:
        self.clock = Clock()
        self.outlook = Outlook(plan, self.clock.monotonic)

    def update(self, phase_id: str, status: str = "in_progress", **fields: Any) -> None:
        self.outlook.apply(phase_id, {"status": status, **fields})

    def complete(self, phase_id: str) -> None:
        self.outlook.apply(phase_id, {})

    @property
    def now(self) -> tuple[float, float | None]:
        return round(self.outlook.progress, 1), self.outlook.eta


def test_a_third_of_the_work_is_a_third() -> None:
    told = Told(ONE_TO_TWO)
    assert told.now == (0, 30)
    told.update("scan", "active", total_count=8)
    told.update("scan", processed_count=4, eta_seconds=5.0)
    assert told.now == (16.7, 25)
    told.complete("scan")
    assert told.now == (33.3, 20)
    told.update("resize", "active", total_count=100)
    told.update("resize", processed_count=50, eta_seconds=10.0)
    assert told.now == (66.7, 10)


def test_without_a_plan_nothing_is_known() -> None:
    told = Told(None)
    told.update("scan", "active", total_count=8)
    told.update("scan", processed_count=4, eta_seconds=5.0)

    assert told.now == (0, None)


def test_the_rest_of_a_phase_is_by_its_pace_and_without_one_by_its_median() -> None:
    told = Told(ONE_TO_TWO)
    told.update("scan", "active")
    told.clock.now += 4
    assert told.now == (13.3, 26)
    told.update("scan", total_count=100, processed_count=1, eta_seconds=99.0)
    assert told.now[1] == 119, "slower than ever before"


def test_a_phase_that_takes_longer_than_before_ends_the_estimate_not_the_progress() -> None:
    told = Told(ONE_TO_TWO)
    told.update("scan", "active")
    told.clock.now += 60

    assert told.now == (31.7, None)
    told.complete("scan")
    assert told.now == (33.3, 20)


def test_there_is_no_estimate_of_what_nobody_planned_or_measured() -> None:
    unplanned = Told(ONE_TO_TWO)
    unplanned.update("repair", "active", total_count=3, eta_seconds=1.0)
    declared = Told(plan_of(scan=(0.5, None), resize=(0.5, None)))
    declared.update("scan", "active", total_count=2, processed_count=1, eta_seconds=3.0)
    last = Told(ONE_TO_TWO)
    last.complete("scan")
    last.update("resize", "active", total_count=2, processed_count=2, eta_seconds=0.0)

    assert unplanned.now == (0, None)
    assert declared.now == (25, None), "what comes after it is not known"
    assert last.now == (100, None), "no seconds left is no estimate"


def test_phases_at_the_same_time_count_by_what_each_has_done() -> None:
    told = Told(ONE_TO_TWO)
    told.update("scan", "active", total_count=2)
    told.update("resize", "active", total_count=4, processed_count=1)

    assert told.now[0] == 16.7, "that the second began says nothing of the first"


def test_what_was_passed_over_is_done_and_what_failed_is_as_far_as_it_came() -> None:
    passed, failed = Told(ONE_TO_TWO), Told(ONE_TO_TWO)
    passed.update("resize", "active", total_count=2)
    failed.update("scan", "active", total_count=2, processed_count=1)
    failed.update("scan", "error")

    assert (passed.now[0], failed.now[0]) == (33.3, 16.7)
    failed.update("resize", "active", total_count=2)
    assert failed.now[0] == 33.3


def test_an_attempt_is_taken_up_where_it_stands() -> None:
    told = Told(ONE_TO_TWO)
    at = "2026-01-01T00:00:{:02}.000000Z"
    scan = {"phase_id": "scan", "status": "completed", "started_at": at.format(0), "eta_seconds": None}
    resize = {"phase_id": "resize", "status": "in_progress", "started_at": at.format(9), "eta_seconds": None}
    told.outlook.restore([scan, resize], at.format(14))

    assert told.now == (50, 15)


@pytest.mark.parametrize("plan", [ONE_TO_TWO, plan_of(scan=(0.5, None), resize=(0.5, None)), None])
def test_progress_never_goes_back_and_is_never_whole(plan: Plan | None) -> None:
    drafts = list[Draft]()
    claim = Claim("00000000-0000-4000-8000-000000000001", 1, "t", {}, 0, "2026-01-01T00:00:00Z", plan=plan)
    reports = Reports(claim, drafts.append)
    seen = list[float]()
    for phase, status, done in (
        *(("scan", "active", 0), ("scan", "in_progress", 3), ("scan", "completed", 4)),
        *(("scan", "active", 0), ("resize", "active", 0), ("repair", "active", 0), ("resize", "error", 1)),
        *(("resize", "active", 0), ("resize", "completed", 4), ("scan", "completed", 4)),
    ):
        fields = {"phase_id": phase, "status": status, "processed_count": done, "total_count": 4}
        reports.emit("phase_update", fields)
        seen.append(reports.progress)

    assert seen == sorted(seen)
    assert seen[-1] == (99.9 if plan else 0)
    assert reports.progress_known is (plan is not None)
