"""The plan of a run, from the phases that its job declares and from the durations of earlier runs."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from app.tasks.history import EarlierRun, Span, earlier_run
from app.tasks.plan import Plan, plan_from, usual_from

JOB = "thumbnails"


def run(
    totals: Mapping[str, float] | None = None, outside: float = 0, lost: float = 0, **seconds: float
) -> EarlierRun:
    """Makes an earlier run with one phase after the other, the first after ``lost`` seconds of another attempt."""
    spans, at = list[Span](), 1000.0 + lost
    for position, (name, took) in enumerate(seconds.items()):
        spans.append(Span(name, position, at, at := at + took, (totals or {}).get(name)))
    found = earlier_run(spans, 1000.0, at + outside, 1 if lost else 0, 1000.0 + lost)
    assert found
    return found


def planned(plan: Plan | None) -> list[tuple[str, float, float | None]]:
    return [(phase["phase_id"], phase["weight"], phase["seconds"]) for phase in plan or []]


def test_shares_and_seconds_are_medians_of_earlier_runs() -> None:
    runs = [run(scan=1, resize=2), run(scan=10, resize=20), run(scan=2, resize=4), run(scan=50, resize=1)]

    assert planned(plan_from({}, runs[:3])) == [("scan", 0.3333, 2), ("resize", 0.6667, 4)]
    assert planned(plan_from({"scan": None, "resize": None}, runs))[0][1] == pytest.approx(1 / 3, abs=1e-3)


def test_declared_weights_are_kept_and_seconds_are_medians() -> None:
    weights = {"scan": 1, "resize": 3}

    assert planned(plan_from(weights, [])) == [("scan", 0.25, None), ("resize", 0.75, None)]
    assert planned(plan_from(weights, [run(scan=5, resize=5)])) == [("scan", 0.25, 5), ("resize", 0.75, 5)]


def test_without_phases_and_runs_there_is_no_plan() -> None:
    assert plan_from({}, []) is None
    assert plan_from({"scan": None, "resize": None}, []) is None
    assert plan_from({"scan": 0, "resize": 0}, []) is None
    assert plan_from({}, [run(scan=0, resize=0)]) is None


def test_a_phase_that_few_runs_had_is_not_expected() -> None:
    runs = [run(scan=1, repair=7, resize=1), run(scan=1, resize=1)]

    assert planned(plan_from({}, runs)) == [("scan", 0.5, 1), ("resize", 0.5, 1)]
    assert planned(plan_from(dict.fromkeys(("scan", "repair", "resize")), runs))[1] == ("repair", 0, 0)


def test_a_phase_within_another_counts_no_time_of_its_own() -> None:
    nested = [Span("all", 0, 0, 9), Span("read", 1, 0, 4), Span("write", 2, 4, 9), Span("tell", 3, 9, 12)]
    nest = earlier_run(nested, 0, 12)

    assert nest and planned(plan_from({}, [nest])) == [("all", 0.75, 9), ("tell", 0.25, 3)]


def test_of_three_runs_on_their_shares_count_more_than_declared_weights() -> None:
    runs = [run(scan=1, resize=4)] * 3

    assert planned(plan_from({"scan": 1, "resize": 1}, runs[:2])) == [("scan", 0.5, 1), ("resize", 0.5, 4)]
    assert planned(plan_from({"scan": 1, "resize": 1}, runs)) == [("scan", 0.2, 1), ("resize", 0.8, 4)]


def test_what_a_phase_takes_is_learnt_by_its_total_where_that_says_more() -> None:
    linear = [run({"scan": n}, scan=n / 10) for n in (10, 20, 60)]
    constant = [run({"scan": n}, scan=took) for n, took in ((10, 3.0), (20, 3.1), (60, 2.9))]
    growing = [run({"scan": n}, scan=n * n / 100) for n in (10, 20, 60)]
    alike = [run({"scan": 100}, scan=took) for took in (1.0, 5.0, 2.0)]

    learnt = [(plan_from({}, runs) or [{}])[0] for runs in (linear, constant, growing, alike)]
    assert [(phase["seconds"], phase["total"], phase["power"]) for phase in learnt] == [
        (2, 20, 1),
        (3, 20, 0),
        (4, 20, 2),
        (2, 100, 1),
    ]


def test_a_phase_that_counts_nothing_grows_with_the_run_only_where_its_runs_show_it() -> None:
    grows = [run({"scan": n}, scan=n / 10, write=n / 5) for n in (10, 20, 60)]
    stays = [run({"scan": n}, scan=n / 10, write=4) for n in (10, 20, 60)]

    assert [(plan_from({}, runs) or [{}, {}])[1]["scales"] for runs in (grows, stays)] == [True, False]
    assert planned(plan_from({}, grows))[1][2] == planned(plan_from({}, stays))[1][2] == 4


def test_the_usual_duration_is_the_median_with_the_95th_percentile_and_what_attempts_lose() -> None:
    runs = [run(scan=10, outside=1), run(scan=20, outside=3, lost=6), run(scan=30, outside=2, lost=8)]

    assert usual_from([]) is None
    assert usual_from(runs) == {
        "runs": 3,
        "seconds": 29,
        "p95_seconds": 38.9,
        "outside_seconds": 2,
        "retry_seconds": [6],
    }
