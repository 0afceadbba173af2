"""Counts, thinning and the estimate, on a clock of the test's own."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from taskroom import held, phases
from taskroom.phases import Phase
from tests.support.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(phases, "time", clock)
    monkeypatch.setattr(held.held, "add", lambda phase: None)  # no other thread looks at this clock
    return clock


@pytest.fixture
def reports() -> list[tuple[str, dict[str, Any]]]:
    return []


def begin(reports: list[tuple[str, dict[str, Any]]], total: int | None) -> Phase:
    return Phase("work", lambda type, fields: reports.append((type, fields)), lambda: None, total, "working")


def test_the_first_and_the_last_report_are_never_thinned(clock: Clock, reports: list[Any]) -> None:
    phase = begin(reports, 1000)
    for _ in range(1000):
        phase.advance()
    phase.complete()
    assert [(type, f.get("status"), f["processed_count"]) for type, f in reports] == [
        ("phase_update", "active", 0),
        ("phase_update", "completed", 1000),
        ("phase_complete", None, 1000),
    ]


def test_at_most_ten_reports_a_second_between(clock: Clock, reports: list[Any]) -> None:
    phase = begin(reports, 10_000)
    for _ in range(10_000):
        clock.now += 0.001
        phase.advance()
    assert 95 <= len(reports) <= 101


def test_a_steady_rate_gives_a_steady_estimate(clock: Clock, reports: list[Any]) -> None:
    phase = begin(reports, 1000)
    etas = []
    for n in range(500):
        clock.now += 0.05 if n % 2 else 0.15  # 10 items a second, unevenly
        phase.advance()
        if n >= 100:
            etas.append(phase.eta + (clock.now - 1000.0))
    assert max(etas) - min(etas) < 0.1 * 100
    assert abs(phase.eta - 50) <= 5


def test_a_change_of_pace_is_followed_within_seconds(clock: Clock, reports: list[Any]) -> None:
    phase = begin(reports, 1000)
    for _ in range(200):
        clock.now += 0.01
        phase.advance()
    for _ in range(200):
        clock.now += 0.1
        phase.advance()
    assert 50 <= phase.eta <= 75


def test_there_is_no_estimate_without_a_total_or_before_the_first_items(
    clock: Clock, reports: list[Any]
) -> None:
    assert begin(reports, None).eta is None
    waiting = begin(reports, 10)
    clock.now += 60
    waiting.report()
    assert waiting.eta is None


@pytest.mark.parametrize("n", [10**400, -(10**400), 1e308, 1e-320, float("inf"), "x", None])
def test_no_number_that_is_counted_ends_a_run(clock: Clock, reports: list[Any], n: Any) -> None:
    phase = begin(reports, 1000)
    for _ in range(3):
        phase.advance(n)
        phase.error(n)
        clock.now += 1
        phase.report()
    phase.advance()
    phase.complete()

    counts = [(fields["processed_count"], fields["error_count"]) for _, fields in reports]
    assert all(-(2**53) <= count <= 2**53 for both in counts for count in both)
    assert all(fields.get("eta_seconds") is None or fields["eta_seconds"] <= 2**53 for _, fields in reports)


def test_what_came_too_soon_follows_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "time", clock := Clock())
    reports: list[tuple[Any, ...]] = []
    followed = threading.Event()

    def emit(type: str, fields: dict[str, Any]) -> None:
        reports.append((type, fields.get("status"), fields["processed_count"], fields.get("message")))
        if len(reports) > 1:
            followed.set()

    phase = Phase("work", emit, lambda: None, 10)
    phase.advance()
    phase.advance(1, "the second")
    assert reports == [("phase_update", "active", 0, "")]  # the clock stands still
    clock.now += phases.REPORT_SECONDS
    assert followed.wait(60)

    assert reports[1:] == [("phase_update", "in_progress", 2, "the second")]


def test_nothing_follows_the_end_of_a_phase(clock: Clock, reports: list[Any]) -> None:
    phase = begin(reports, 3)
    phase.advance()
    assert not phase.catch_up()  # too soon
    phase.complete()
    clock.now += 1

    assert phase.catch_up()
    assert [fields.get("status") for _, fields in reports] == ["active", "completed", None]


def test_what_was_done_before_the_phase_began_is_no_pace(clock: Clock, reports: list[Any]) -> None:
    phase = Phase("work", lambda type, fields: reports.append((type, fields)), lambda: None, 100, "", 50)
    clock.now += 10
    phase.advance(10)

    assert [fields["processed_count"] for _, fields in reports] == [50, 60]
    assert phase.eta == 40


def test_a_failed_phase_says_why_and_says_nothing_more(clock: Clock, reports: list[Any]) -> None:
    phase = begin(reports, 3)
    phase.advance()
    phase.fail("disk full")
    phase.complete()
    phase.fail("again")
    assert [(f["status"], f["message"]) for _, f in reports][1:] == [("error", "disk full")]
