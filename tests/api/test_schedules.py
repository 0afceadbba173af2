"""What beats run: of those who report, with how the last run ended."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.api.answers import problem
from tests.api.reporters import DONE, PENDING, Reporter, new_task
from tests.support.system import System, User

AT, NEXT = "2026-11-30T02:00:00+01:00", "2026-12-01T01:00:00Z"


def entry(name: str = "shop.nightly", **more: Any) -> dict[str, Any]:
    return {"name": name, "job_type": "shop.sums", "schedule": "0 2 * * *"} | more


def mine(user: User) -> list[dict[str, Any]]:
    return [row for row in user.get("schedules", limit=200)["schedules"] if not row["own"]]


def test_an_entry_is_listed_as_it_was_reported_last(user: User) -> None:
    reporter = Reporter(user)
    reporter.send(schedules=[entry(last_error="the broker is away")])
    reporter.send(schedules=[entry(last_run_at=AT, next_run_at=NEXT)])

    (row,) = mine(user)

    assert row.pop("seen_at").endswith("Z")
    assert row == entry(
        own=False,
        reporter=None,
        last_run_at="2026-11-30T01:00:00.000000Z",
        next_run_at="2026-12-01T01:00:00.000000Z",
        last_task_id=None,
        last_status=None,
        last_error=None,
        beat_seconds=10,
        alive=True,
    )


def test_the_last_run_is_the_task_that_was_sent(user: User, other: User) -> None:
    """A reader of the entry who may not read the run does not learn of it."""
    reporter, name = Reporter(user), f"beat {uuid.uuid4()}"  # no UUID: an id of the reporter's own
    sent = new_task(PENDING, task_id=name, attempt=None)
    (made,) = reporter.accepted(sent)
    reporter.send(schedules=[entry(last_run_at=AT, last_task_id=name)])
    (queued,) = mine(user)
    failed = {
        "type": "task_status",
        "status": "FAILURE",
        "error": {"type": "KeyError", "message": "no such sum"},
    }
    reporter.send(
        {"task_id": name, "attempt": "one", "events": [{"type": "task_status", "status": "STARTED"}, failed]}
    )
    (row,) = mine(user)

    assert (queued["last_task_id"], queued["last_status"]) == (made["task_id"], "PENDING")
    assert (row["last_status"], row["last_error"]) == ("FAILURE", "no such sum")
    assert mine(other) == []


def test_a_run_of_somebody_else_is_not_told(user: User, other: User) -> None:
    foreign = new_task(DONE)
    Reporter(other).accepted(foreign)

    Reporter(user).send(schedules=[entry(last_task_id=foreign["task_id"])])

    (row,) = mine(user)
    assert (row["last_task_id"], row["last_status"]) == (None, None)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"last_run_at": "2026-11-30T02:00:00"}, "schedules.0.last_run_at"),
        ({"next_run_at": "soon"}, "schedules.0.next_run_at"),
        ({"name": ""}, "schedules.0.name"),
        ({"cron": "* * * * *"}, "schedules.0.cron"),
    ],
)
def test_what_is_wrong_is_named(user: User, wrong: dict[str, Any], field: str) -> None:
    problem(Reporter(user).post(schedules=[entry() | wrong]), 422, field)


def test_texts_are_cut_and_a_silent_beat_is_not_alive(system: System, user: User) -> None:
    said = entry("n" * 300, job_type="j" * 300, schedule="s" * 300, last_error="e\0" * 300)
    Reporter(user).send(schedules=[said, entry("shop.slow", beat_seconds=60)])
    system.sql("UPDATE schedule_reports SET seen_at = now() - interval '31 s' WHERE user_id = %s", user.id)

    cut, slow = mine(user)

    assert [len(cut[name]) for name in ("name", "job_type", "schedule", "last_error")] == [255, 155, 255, 300]
    assert (cut["alive"], slow["alive"]) == (False, True)
    problem(user.client.get("/api/v2/schedules?cursor=nonsense"), 422, "cursor")
    first = user.client.get("/api/v2/schedules", params={"limit": 1})
    assert first.json()["next"] and "Link" in first.headers
