"""All job types with what their runs were like lately, as a client asks for them: observed ones and our own alike."""

from __future__ import annotations

import base64
import json
import uuid
from contextlib import ExitStack, closing
from typing import Any

import pytest

from tests.api.answers import problem
from tests.api.reporters import DONE, PENDING, STARTED, Part, Reporter, new_task, status
from tests.support.system import System, User

FAILED = status("FAILURE", error={"type": "ValueError", "message": "no width"})
NO_ENDS = {"counts": {"SUCCESS": 0, "FAILURE": 0, "REVOKED": 0}, "failure_rate": None}


def reported(user: User, job_type: str, *ends: Part | None) -> list[str]:
    """Reports a run for each end; None: it waits. Returns their ids."""
    parts = [new_task(*((STARTED, end) if end else (PENDING,)), job_type=job_type) for end in ends]
    Reporter(user).accepted(*parts)
    return [part["task_id"] for part in parts]


def names(page: dict[str, Any]) -> list[str]:
    return [job["job_type"] for job in page["jobs"]]


def test_a_row_says_how_the_runs_of_a_job_are(user: User) -> None:
    ids = reported(user, "shop/mail.send", DONE, FAILED, DONE, None, None)

    (row,) = user.get("jobs/stats", q="MAIL")["jobs"]

    assert row["job_type"] == "shop/mail.send"
    ends = {"counts": {"SUCCESS": 2, "FAILURE": 1, "REVOKED": 0}, "failure_rate": pytest.approx(1 / 3)}
    assert row["day"] == row["week"] == ends | {"before": NO_ENDS}
    assert 0 < row["duration"]["p50"] <= row["duration"]["p95"]
    assert row["open"] == {"PENDING": 2}
    assert {run["task_id"]: run["status"] for run in row["runs"]} == dict(
        zip(ids, ("SUCCESS", "FAILURE", "SUCCESS"), strict=False)
    )
    assert user.get("jobs/stats", q="MAIL")["complete"] is True


def test_what_needs_a_look_is_first_and_what_did_not_run_last(user: User) -> None:
    reported(user, "c.once", FAILED)
    reported(user, "d.mostly", DONE, FAILED, FAILED, FAILED)
    reported(user, "a.waits", None)
    reported(user, "b.fine", DONE)

    found = names(user.get("jobs/stats", limit=200))

    assert found[:3] == ["d.mostly", "c.once", "b.fine"], "one of one is less certain than three of four"
    assert found[3:] == sorted(found[3:]) and {"a.waits", "test_echo"} <= set(found[3:])


def test_a_job_that_fails_since_an_hour_is_before_one_that_fails_more_often_in_the_day(
    system: System, user: User
) -> None:
    reported(user, "a.some", *[DONE] * 6, FAILED, FAILED)
    reported(user, "b.broke", *[FAILED] * 5)
    system.sql(
        """INSERT INTO job_sums (user_id, job_type, hour, succeeded, phases, positions, buckets, numbers, is_new)
           VALUES (%s, 'b.broke', date_trunc('hour', now()) - interval '12 h', 200, '{}', '{}', '{}', '{}', false)""",
        user.id,
    )

    first, second = user.get("jobs/stats", limit=2)["jobs"]

    assert [first["job_type"], second["job_type"]] == ["b.broke", "a.some"]
    assert first["day"]["failure_rate"] < 0.03 < second["day"]["failure_rate"]


def test_pages_have_each_job_once(user: User) -> None:
    for number in range(3):
        reported(user, f"shop.{number}", FAILED)
    reported(user, "shop.fine", DONE)
    whole, found, query = names(user.get("jobs/stats", limit=200)), list[str](), dict[str, Any]()

    while True:
        page = user.get("jobs/stats", limit=2, **query)
        found += names(page)
        if page["next"] is None:
            break
        query["cursor"] = page["next"]

    assert found == whole and len(set(found)) == len(found)
    mark = json.loads(base64.b64decode(query["cursor"] + "=="))[0]
    for position in ([1, 2], [0, 0, "5", "a"], [0, 0, 10**20, "a"], [0, "x", "1", "a"], [0, 0, "1", "\0"]):
        cursor = base64.urlsafe_b64encode(json.dumps([mark, *position]).encode()).decode()
        problem(user.client.get("/api/v2/jobs/stats", params={"cursor": cursor}), 422, "cursor")
    odd = base64.urlsafe_b64encode(json.dumps([mark, "nan", "-1e999", "1", "a"]).encode()).decode()
    assert user.get("jobs/stats", cursor=odd)["next"] is None


def test_of_a_tenant_for_those_who_read_it(system: System, user: User) -> None:
    tenant = uuid.uuid4().hex
    with ExitStack() as stack:
        one, two, worker = (system.user(role, tenant) for role in ("operator", "viewer", "worker"))
        for each in (one, two, worker):
            stack.enter_context(closing(each.client))
        reported(one, "shop.mail", DONE)

        assert names(two.get("jobs/stats", scope="tenant"))[0] == "shop.mail"
        assert "shop.mail" not in names(two.get("jobs/stats", limit=200))
        problem(worker.client.get("/api/v2/jobs/stats?scope=tenant"), 403)
    problem(user.client.get("/api/v2/jobs/stats?scope=tenant"), 403)
    problem(user.client.get("/api/v2/jobs/stats?scope=all"), 403)


def test_an_admin_of_all_reads_those_of_all(system: System, user: User) -> None:
    job_type = f"shop.{uuid.uuid4().hex}"
    (done,) = reported(user, job_type, DONE)
    with closing((admin := system.user("global_admin")).client):
        (row,) = admin.get("jobs/stats", scope="all", q=job_type)["jobs"]

    assert row["day"]["counts"]["SUCCESS"] == 1
    assert [run["task_id"] for run in row["runs"]] == [done]
