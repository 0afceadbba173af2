from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.support.system import System, User

FIELDS = {
    *("task_id", "job_type", "title", "trigger", "status", "created_at", "started_at", "finished_at"),
    *("duration_seconds", "retry_count", "retry_of", "error", "counts"),
}


def ids(user: User, **filters: Any) -> list[str]:
    return [job["task_id"] for job in user.get("jobs/history", **filters)["jobs"]]


@pytest.fixture
def runs(user: User) -> dict[str, str]:
    """One of each: it worked, it failed, it was retried; oldest first."""
    made = {"phases": user.start("test_phases", count=6), "fail": user.start("test_fail")}
    user.finished(made["phases"]), user.finished(made["fail"])
    made["retry"] = user.client.post(f"/api/v2/tasks/{made['fail']}/retry").json()["task_id"]
    user.finished(made["retry"])
    return made


def test_rows_tell_duration_counts_trigger_and_error(user: User, runs: dict[str, str]) -> None:
    rows = {job["task_id"]: job for job in user.get("jobs/history")["jobs"]}

    worked, failed, again = (rows[runs[name]] for name in ("phases", "fail", "retry"))
    assert set(worked) == FIELDS
    assert worked["counts"] == {"phases": 2, "processed": 12, "errors": 2}
    assert (worked["trigger"], worked["status"], worked["error"]) == ("manual", "SUCCESS", None)
    took = datetime.fromisoformat(worked["finished_at"]) - datetime.fromisoformat(worked["started_at"])
    assert worked["duration_seconds"] == pytest.approx(took.total_seconds(), abs=0.001)
    assert worked["duration_seconds"] > 0
    assert (failed["status"], failed["error"]["type"]) == ("FAILURE", "ValueError")
    assert failed["counts"]["processed"] == 1
    assert (again["trigger"], again["retry_of"]) == ("retry", runs["fail"])


def test_what_has_not_ended_has_no_duration(system: System, user: User) -> None:
    task_id = user.start("test_echo")
    user.finished(task_id)
    system.sql("UPDATE tasks SET finished_at = NULL WHERE id = %s", task_id)

    (job,) = user.get("jobs/history")["jobs"]

    assert (job["duration_seconds"], job["counts"]) == (None, {"phases": 0, "processed": 0, "errors": 0})


def test_job_type_matches_a_job_type_or_a_trigger(system: System, user: User, runs: dict[str, str]) -> None:
    assert ids(user, job_type="manual") == [runs["fail"], runs["phases"]]
    assert ids(user, job_type="retry") == [runs["retry"]]
    assert ids(user, job_type="test_fail") == [runs["retry"], runs["fail"]]
    assert ids(user, job_type="scheduled") == []
    system.sql("UPDATE tasks SET trigger = 'scheduled' WHERE id = %s", runs["phases"])
    assert ids(user, job_type="scheduled") == [runs["phases"]]


def test_status_and_time_narrow_it_down(system: System, user: User, runs: dict[str, str]) -> None:
    assert ids(user, status="SUCCESS") == [runs["phases"]]
    assert ids(user, status="FAILURE", job_type="manual") == [runs["fail"]]
    for day, task_id in enumerate(runs.values(), 1):
        system.sql("UPDATE tasks SET created_at = %s WHERE id = %s", f"2020-01-0{day} 12:00Z", task_id)

    assert ids(user, **{"from": "2020-01-02T12:00:00Z"}) == [runs["retry"], runs["fail"]]
    assert ids(user, to="2020-01-02T12:00:00Z") == [runs["phases"]], "to is not included"
    assert ids(user, **{"from": "2020-01-02T00:00:00", "to": "2020-01-03T00:00:00Z"}) == [runs["fail"]]
    assert ids(user, **{"from": "2020-01-03T13:59:59+02:00"}) == [runs["retry"]], "offsets count"
    assert ids(user, **{"from": "2020-01-03T13:00:00+00:30"}) == []


def test_pages_join_to_the_whole_and_keep_the_filters(user: User) -> None:
    made = [user.start("test_echo") for _ in range(5)]
    user.start("test_phases")
    seen: list[str] = []
    address = "/api/v2/jobs/history?limit=2&job_type=test_echo&from=2020-01-01T00%3A00%3A00%2B02%3A00"
    while address:
        answer = user.client.get(address)
        seen += [job["task_id"] for job in answer.json()["jobs"]]
        assert ("next" in answer.links) == bool(answer.json()["next"])
        address = answer.links["next"]["url"] if answer.json()["next"] else ""

    assert seen == made[::-1]


def test_it_is_the_callers_own(user: User, other: User, runs: dict[str, str]) -> None:
    assert other.get("jobs/history") == {"jobs": [], "next": None}
