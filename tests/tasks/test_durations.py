"""Each duration is by one clock: a process whose clock is wrong gives no task a wrong duration."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from app.db.clock import later, seconds_between
from app.tasks import approvals, creation, endings, lifecycle, parents
from tests.tasks.families import delegated_parent, run, steps
from tests.tasks.helpers import Tasks


@pytest.fixture
def skewed(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets this process's clock wrong by a number of hours."""

    def set_wrong(hours: float) -> None:
        def now() -> str:
            at = datetime.now(UTC) + timedelta(hours=hours)
            return at.isoformat(timespec="microseconds").replace("+00:00", "Z")

        for module in (approvals, creation, endings, lifecycle, parents):
            if hasattr(module, "now"):
                monkeypatch.setattr(module, "now", now)

    return set_wrong


def seconds(tasks: Tasks, task_id: str, begin: str = "started_at", end: str = "finished_at") -> float:
    task = tasks.state(task_id)["task"]
    took = datetime.fromisoformat(task[end]) - datetime.fromisoformat(task[begin])
    return took.total_seconds()


@pytest.mark.parametrize(("claims", "ends"), [(1, 0), (0, -1), (-1, 1)])
def test_a_wrong_clock_does_not_change_the_duration_of_a_lost_task(
    tasks: Tasks, skewed: Callable[[float], None], claims: float, ends: float
) -> None:
    skewed(claims)
    task_id = tasks.started()
    skewed(ends)
    tasks.expire_lease(task_id)

    assert 0 <= seconds(tasks, task_id) < 1_800, "the hour is the clock's error"
    assert 0 <= seconds(tasks, task_id, "created_at", "started_at") < 1_800


SKEWS = pytest.mark.parametrize(("begins", "ends"), [(1, 0), (0, 1)])


@SKEWS
def test_a_wrong_clock_does_not_change_the_duration_of_a_cancelled_retry(
    tasks: Tasks, skewed: Callable[[float], None], begins: float, ends: float
) -> None:
    skewed(begins)
    task_id = tasks.started()
    tasks.end(task_id, "RETRY", retry_in=600)
    skewed(ends)
    tasks.cancel(task_id)

    assert 0 <= seconds(tasks, task_id) < 1_800


@SKEWS
def test_a_wrong_clock_does_not_change_the_duration_of_a_parent(
    tasks: Tasks, skewed: Callable[[float], None], begins: float, ends: float
) -> None:
    skewed(begins)
    parent = delegated_parent(tasks, {"job_type": "emit_load", "params": {}, "on_failure": "stop"})
    skewed(ends)
    run(tasks, steps(tasks, parent)[0])

    assert 0 <= seconds(tasks, parent) < 1_800
    (took,) = [e["execution_time_ms"] for e in tasks.events(parent) if e["type"] == "agent_completed"]
    assert 0 <= took < 1_800_000


def test_an_end_is_the_time_of_the_claim_plus_the_duration(tasks: Tasks) -> None:
    task_id = tasks.create()
    claim = tasks.claim(task_id)

    assert claim and claim.claimed_at == tasks.state(task_id)["task"]["started_at"]
    assert later("2026-11-29T23:59:59.500000Z", 0.75) == "2026-11-30T00:00:00.250000Z"
    assert later("2026-11-29T23:59:59.500000Z", 0.5) == "2026-11-30T00:00:00.000000Z"


def test_no_duration_is_negative() -> None:
    assert seconds_between("2026-11-29T10:00:01.000000Z", "2026-11-29T10:00:00.000000Z") == 0.0
    assert seconds_between("2026-11-29T10:00:00.000000Z", "2026-11-29T10:00:01.250000Z") == 1.25
