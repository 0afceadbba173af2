"""Statistics of a job type, as a client asks for them."""

from __future__ import annotations

import uuid
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta

import pytest

from tests.api.answers import problem
from tests.api.reporters import DONE, PENDING, STARTED, Reporter, new_task, phase
from tests.support.system import System, User


def test_ended_runs_are_counted_at_once_also_of_observed_tasks(user: User) -> None:
    task_id = user.start("test_echo", text="x")
    user.finished(task_id)
    failed = user.start("test_fail", text="x")
    user.finished(failed)
    Reporter(user).accepted(new_task(STARTED, DONE, job_type="shop/mail.send"))

    echo, fail, mail = (user.get(f"jobs/{job}/stats") for job in ("test_echo", "test_fail", "shop/mail.send"))

    assert echo["counts"] == {"SUCCESS": 1, "FAILURE": 0, "REVOKED": 0}
    assert (echo["job_type"], echo["unit"], echo["failure_rate"]) == ("test_echo", "hour", 0)
    assert 0 < echo["duration"]["p50"] == echo["duration"]["p95"]
    assert [run["task_id"] for run in echo["runs"]] == [task_id]
    (error,) = fail["errors"]
    assert (error["number"], error["task_id"]) == (1, failed)
    assert error["type"] == user.status(failed)["task"]["error"]["type"]
    assert error["place"].endswith(":fail")
    assert mail["counts"]["SUCCESS"] == 1


def test_a_job_type_without_runs_has_empty_statistics_and_an_unknown_one_is_404(user: User) -> None:
    found = user.get("jobs/test_lines/stats")

    assert found["counts"] == {"SUCCESS": 0, "FAILURE": 0, "REVOKED": 0}
    assert found["times"] == found["errors"] == found["phases"] == found["runs"] == []
    problem(user.client.get("/api/v2/jobs/nobody.knows/stats"), 404)


@pytest.mark.parametrize(
    ("window", "unit", "hours", "most"),
    [("24h", "hour", 24, 1), ("7d", "hour", 168, 1), ("8d", "day", 192, 24)],
)
def test_the_window_begins_with_an_hour_or_with_a_day(
    user: User, window: str, unit: str, hours: int, most: int
) -> None:
    found = user.get("jobs/test_lines/stats", window=window)

    since, until = (datetime.fromisoformat(found[name]) for name in ("since", "until"))
    assert found["unit"] == unit
    assert (since.minute, since.second, since.microsecond) == (0, 0, 0)
    assert timedelta(hours=hours) <= until - since < timedelta(hours=hours + most)
    assert timedelta() <= datetime.now(UTC) - until < timedelta(minutes=10)


@pytest.mark.parametrize(
    "window", ["7", "d", "-1d", "0h", "1.5h", "7w", "367d", "9999h", "99999d", "7d ", "٧d"]
)
def test_another_window_is_422_and_named(user: User, window: str) -> None:
    problem(user.client.get("/api/v2/jobs/test_lines/stats", params={"window": window}), 422, "window")


@pytest.mark.parametrize("path", ["jobs/a%00b/stats", "queues/a%00b/pause", "workers/%ED%A0%80/drain"])
def test_an_address_that_postgres_could_not_hold_is_404(user: User, path: str) -> None:
    method = "GET" if path.endswith("stats") else "PUT"
    problem(user.client.request(method, f"/api/v2/{path}"), 404)


def test_of_a_tenant_for_those_who_read_it(system: System, user: User) -> None:
    tenant = uuid.uuid4().hex
    with ExitStack() as stack:
        one, two, worker = (system.user(role, tenant) for role in ("operator", "viewer", "worker"))
        for each in (one, two, worker):
            stack.enter_context(closing(each.client))
        one.finished(one.start("test_echo"))

        assert two.get("jobs/test_echo/stats", scope="tenant")["counts"]["SUCCESS"] == 1
        assert two.get("jobs/test_echo/stats")["counts"]["SUCCESS"] == 0
        problem(worker.client.get("/api/v2/jobs/test_echo/stats?scope=tenant"), 403)
        problem(user.client.get("/api/v2/jobs/test_echo/stats?scope=tenant"), 403)


def test_a_job_whose_runs_all_wait_has_them(user: User) -> None:
    Reporter(user).accepted(*(new_task(PENDING, job_type="shop.mail") for _ in range(3)))

    found = user.get("jobs/shop.mail/stats")

    assert (found["open"], found["complete"], found["runs"]) == ({"PENDING": 3}, True, [])


def test_phases_of_observed_runs_are_summed_up_as_our_own(user: User) -> None:
    done = [phase("read"), phase("read", "completed"), phase("write"), DONE]
    Reporter(user).accepted(*(new_task(STARTED, *done, job_type="shop.mail") for _ in range(2)))

    found = user.get("jobs/shop.mail/stats", window="24h")["phases"]

    assert [(each["phase_id"], each["runs"]) for each in found] == [("read", 2), ("write", 2)]
    assert all(0 < each["median_seconds"] <= each["p95_seconds"] for each in found)
