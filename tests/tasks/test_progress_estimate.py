"""Overall progress and ETA of a run, by a clock that the test sets."""

from __future__ import annotations

from typing import Any

import pytest

from app.stream.event import Draft
from app.tasks.lifecycle import Claim
from app.tasks.plan import Plan, Usual
from app.tasks.progress_estimate import ProgressEstimate
from app.tasks.reports import Reports
from tests.support.clock import Clock


def plan_of(**phases: tuple[float, float | None]) -> Plan:
    return [{"phase_id": name, "weight": w, "seconds": s} for name, (w, s) in phases.items()]


# The plan after runs whose phases took 10 s and 20 s.
ONE_TO_TWO = plan_of(scan=(0.3333, 10), resize=(0.6667, 20))


class ReportedRun:
    """Reports phases to an estimate."""

    def __init__(self, plan: Plan | None, usual: Usual | None = None, retries: int = 0) -> None:
        self.clock = Clock()
        self.estimate = ProgressEstimate(plan, usual, retries, self.clock.monotonic)

    def update(self, phase_id: str, status: str = "in_progress", **fields: Any) -> None:
        self.estimate.apply(phase_id, {"status": status, **fields})

    def complete(self, phase_id: str) -> None:
        self.estimate.apply(phase_id, {})

    @property
    def now(self) -> tuple[float, float | None]:
        return round(self.estimate.progress, 1), self.estimate.eta


def test_progress_and_eta_follow_the_shares_of_the_plan() -> None:
    run = ReportedRun(ONE_TO_TWO)
    assert run.now == (0, 30)
    run.update("scan", "active", total_count=8)
    run.clock.now += 5
    run.update("scan", processed_count=4, eta_seconds=5.0)
    assert run.now == (16.7, 25)
    run.complete("scan")
    assert run.now == (33.3, 20)
    run.update("resize", "active", total_count=100)
    run.clock.now += 10
    run.update("resize", processed_count=50, eta_seconds=10.0)
    assert run.now == (66.7, 10)


def test_without_a_plan_nothing_is_known() -> None:
    run = ReportedRun(None)
    run.update("scan", "active", total_count=8)
    run.update("scan", processed_count=4, eta_seconds=5.0)

    assert run.now == (0, None)


def test_the_only_phase_of_a_run_is_as_far_as_it_came_also_when_it_has_ended() -> None:
    run = ReportedRun(None)
    run.estimate = ProgressEstimate(None, clock=run.clock.monotonic, takes_only=True)
    run.update("scan", "active", processed_count=10, total_count=100)
    run.complete("scan")
    assert run.now == (10, None)

    run.update("scan", "active", total_count=None)
    run.complete("scan")
    assert run.now == (100, None)


def test_the_rest_of_a_phase_is_by_its_median_and_more_and_more_by_its_pace() -> None:
    run = ReportedRun(ONE_TO_TWO)
    run.update("scan", "active")
    run.clock.now += 4
    assert run.now == (13.3, 26)
    run.update("scan", total_count=100, processed_count=1, eta_seconds=99.0)
    assert run.now[1] == 85, "37 % of 6 s and 63 % of 99 s, and the next phase"
    run.clock.now += 6
    run.update("scan", total_count=100, processed_count=2, eta_seconds=490.0)
    assert run.now[1] == 510, "slower than ever before"


def test_the_work_ahead_is_by_totals() -> None:
    counted = {"total": 100, "power": 1, "scales": True}
    plan = [
        {"phase_id": "scan", "weight": 0.25, "seconds": 10, **counted},
        {"phase_id": "resize", "weight": 0.5, "seconds": 20, **counted},
        {"phase_id": "report", "weight": 0.25, "seconds": 10},
    ]
    run = ReportedRun(plan)
    run.update("scan", "active", total_count=300)
    assert run.now == (0, 100), "three times the scan, three times the next phase, the report as always"
    run.complete("scan")
    run.update("resize", "active", total_count=200)
    assert run.now == (25, 50), "now its own total is known"


def test_time_outside_of_phases_and_of_attempts_that_fail_is_part_of_the_estimate() -> None:
    usual = {"runs": 3, "seconds": 40, "p95_seconds": 50, "outside_seconds": 5, "retry_seconds": [20, 8]}
    run, second = ReportedRun(ONE_TO_TWO, usual), ReportedRun(ONE_TO_TWO, usual, retries=1)
    assert [run.estimate.eta, second.estimate.eta] == [55, 43]
    run.clock.now += 2
    run.update("scan", "active")
    assert run.estimate.eta == 53
    run.clock.now += 4
    assert run.estimate.eta == 49


def test_a_run_that_counts_nothing_has_the_time_of_the_whole_until_that_is_over() -> None:
    usual = {"runs": 3, "seconds": 40, "p95_seconds": 50, "outside_seconds": 40, "retry_seconds": []}
    run, various = ReportedRun(None, usual), ReportedRun(None, usual | {"p95_seconds": 81})
    run.clock.now += 15

    assert run.now == (0, 25) and various.now == (0, None), "earlier runs differ too much"
    run.clock.now += 25
    assert run.now == (0, None)


def test_a_phase_that_takes_longer_than_before_ends_the_estimate_not_the_progress() -> None:
    run = ReportedRun(ONE_TO_TWO)
    run.update("scan", "active")
    run.clock.now += 60

    assert run.now == (31.7, None)
    run.complete("scan")
    assert run.now == (33.3, 20)


def test_there_is_no_eta_for_unplanned_or_unmeasured_phases() -> None:
    unplanned = ReportedRun(ONE_TO_TWO)
    unplanned.update("repair", "active", total_count=3, eta_seconds=1.0)
    declared = ReportedRun(plan_of(scan=(0.5, None), resize=(0.5, None)))
    declared.update("scan", "active", total_count=2, processed_count=1, eta_seconds=3.0)
    last = ReportedRun(ONE_TO_TWO)
    last.complete("scan")
    last.update("resize", "active", total_count=2, processed_count=2, eta_seconds=0.0)

    assert unplanned.now == (0, None)
    assert declared.now == (25, None), "the median of the next phase is unknown"
    assert last.now == (100, None), "no estimate without seconds left"


def test_phases_at_the_same_time_count_by_what_each_has_done() -> None:
    run = ReportedRun(ONE_TO_TWO)
    run.update("scan", "active", total_count=2)
    run.update("resize", "active", total_count=4, processed_count=1)

    assert run.now[0] == 16.7, "the begin of the second does not end the first"


def test_a_skipped_phase_is_done_and_a_failed_one_keeps_its_progress() -> None:
    passed, failed = ReportedRun(ONE_TO_TWO), ReportedRun(ONE_TO_TWO)
    passed.update("resize", "active", total_count=2)
    failed.update("scan", "active", total_count=2, processed_count=1)
    failed.update("scan", "error")

    assert (passed.now[0], failed.now[0]) == (33.3, 16.7)
    failed.update("resize", "active", total_count=2)
    assert failed.now[0] == 33.3


def test_a_restored_attempt_goes_on_with_its_progress() -> None:
    run = ReportedRun(ONE_TO_TWO)
    at = "2026-01-01T00:00:{:02}.000000Z"
    begin = {"eta_seconds": None, "duration_seconds": None}
    of_another = {
        "phase_id": "resize",
        "status": "error",
        "started_at": at.format(0),
        "updated_at": at.format(1),
    }
    scan = {"phase_id": "scan", "status": "completed", "started_at": at.format(3), "updated_at": at.format(8)}
    resize = {
        "phase_id": "resize",
        "status": "in_progress",
        "started_at": at.format(9),
        "updated_at": at.format(12),
    }
    run.estimate.restore([begin | of_another], at.format(2), at.format(14))
    assert run.now == (0, 30)
    run.estimate.restore([begin | scan, begin | resize], at.format(2), at.format(14))
    assert run.now == (50, 15)


def test_a_restored_attempt_knows_how_long_it_was_in_no_phase() -> None:
    at = "2026-01-01T00:00:{:02}.000000Z"
    usual = {"runs": 3, "seconds": 40, "p95_seconds": 50, "outside_seconds": 8, "retry_seconds": []}
    run = ReportedRun(ONE_TO_TWO, usual)
    scan = {"phase_id": "scan", "status": "completed", "started_at": at.format(3), "updated_at": at.format(8)}
    resize = {
        "phase_id": "resize",
        "status": "in_progress",
        "started_at": at.format(9),
        "updated_at": at.format(12),
    }
    times = {"eta_seconds": None, "duration_seconds": None}

    run.estimate.restore([times | scan, times | resize], at.format(0), at.format(14))

    assert run.estimate.eta == 19, "15 s of the phase, and 4 of 8 s in none"


@pytest.mark.parametrize("plan", [ONE_TO_TWO, plan_of(scan=(0.5, None), resize=(0.5, None)), None])
def test_progress_never_goes_back_and_never_reaches_100(plan: Plan | None) -> None:
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
