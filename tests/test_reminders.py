"""Reminders: once a subject and day, by a clock that the tests turn."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app import cli
from app.inbox.store import unread_count
from app.notifications import reminders
from app.notifications.reminders import remind_of_approvals, warn_of_trials
from app.stream.event import user_stream
from app.stream.store import Store
from app.tasks.approvals import Approval
from app.tasks.lifecycle import decide_approval
from tests.stream.helpers import in_threads, sql
from tests.support.system import ROOT, SECRET, System, User, wait_for
from tests.tasks.helpers import Tasks

NINE = datetime(2030, 5, 6, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def waiting(tasks: Tasks, asked_at: datetime, **more: Any) -> str:
    """A task that has waited for approval since then."""
    task_id = tasks.create(approval=Approval.of("budget", "The budget", "high", 3.0), **more)
    sql(tasks.database, "UPDATE approvals SET asked_at = %s WHERE task_id = %s", asked_at, task_id)
    return task_id


def account(tasks: Tasks, tenant: str, role: str = "operator") -> str:
    return str(
        sql(
            tasks.database,
            "INSERT INTO users (email, password_hash, role, tenant) VALUES (%s, 'x', %s, %s) RETURNING id::text",
            *(f"{uuid.uuid4().hex}@example.org", role, tenant),
        )[0][0]
    )


def trial(tasks: Tasks, ends: datetime) -> str:
    """The name of a tenant whose trial ends then."""
    name = uuid.uuid4().hex
    sql(tasks.database, "INSERT INTO tenants (name, trial_ends_at) VALUES (%s, %s)", name, ends)
    return name


def told(tasks: Tasks, user_id: str, type: str) -> list[dict[str, Any]]:
    events = Store(tasks.connect).after(user_stream(user_id), 0)
    payloads = [e.decoded() for e in events if e.type == "notification"]
    return [
        p for p in payloads if p["notification_type"] == type and p["title"].startswith(("Pend", "Trial"))
    ]


def approvals_told(tasks: Tasks) -> list[dict[str, Any]]:
    return told(tasks, tasks.user_id, "approval_required")


def test_a_task_that_waits_for_three_days_is_told_of(here: Tasks) -> None:
    old = waiting(here, NINE - 3 * DAY, title="Publish it")
    waiting(here, NINE - 3 * DAY + timedelta(minutes=1))

    assert remind_of_approvals(here.of_any_thread, NINE) == 1

    (notice,) = approvals_told(here)
    assert notice["title"] == "Pending approval"
    assert notice["message"] == "Task 'Publish it' is waiting for 3+ days"
    assert (notice["related_type"], notice["related_id"]) == ("task", old)


def test_twice_a_day_says_it_once_and_a_day_later_again(here: Tasks) -> None:
    waiting(here, NINE - 5 * DAY)

    assert [
        remind_of_approvals(here.of_any_thread, NINE),
        remind_of_approvals(here.of_any_thread, NINE + timedelta(hours=14)),
    ] == [1, 0]
    assert remind_of_approvals(here.of_any_thread, NINE + DAY) == 1

    assert len(approvals_told(here)) == 2
    with here.connect() as connection, connection.cursor() as cur:
        assert unread_count(cur, here.user_id) == 3, "with the first one, when it was asked"


@pytest.mark.parametrize("end", ["approved", "rejected", "cancelled"])
def test_what_waits_no_more_is_told_of_no_more(here: Tasks, end: str) -> None:
    task_id = waiting(here, NINE - 5 * DAY)

    if end == "cancelled":
        here.cancel(task_id)
    else:
        with here.transaction() as tx:
            decide_approval(tx, task_id, end == "approved", "a@example.org")

    assert remind_of_approvals(here.of_any_thread, NINE) == 0
    assert approvals_told(here) == []


def test_what_is_decided_while_the_page_is_read_is_not_told_of(
    here: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = waiting(here, NINE - 5 * DAY)
    lock = reminders.lock_shared

    def decided_first(cur: Any, names: set[str]) -> Any:
        with here.of_any_thread() as tx:
            decide_approval(tx, task_id, True, "a@example.org")
        return lock(cur, names)

    monkeypatch.setattr(reminders, "lock_shared", decided_first)

    assert remind_of_approvals(here.of_any_thread, NINE) == 0


@pytest.mark.slow
def test_many_are_told_in_pages_each_once_though_several_do_it_at_once(
    here: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "PAGE", 7)
    owners = [here.user_id, account(here, ""), account(here, "")]
    for n in range(30):  # of one moment, too: a page may end between them
        waiting(here, NINE - (4 + n // 10) * DAY, user_id=owners[n % 3])

    in_threads([lambda: remind_of_approvals(here.of_any_thread, NINE)] * 4)

    assert [len(told(here, owner, "approval_required")) for owner in owners] == [10, 10, 10]


@pytest.mark.parametrize(("left", "title"), [(3, "Trial ends in 3 days"), (1, "Trial ends in 1 day")])
def test_a_trial_that_ends_in_three_days_or_one_is_told_to_the_tenants_admins(
    here: Tasks, left: int, title: str
) -> None:
    tenant = trial(here, NINE.replace(hour=23) + left * DAY)
    admins = {account(here, tenant, "admin"), account(here, tenant, "admin")}
    others = {account(here, tenant), account(here, "elsewhere", "admin")}

    assert [warn_of_trials(here.of_any_thread, NINE), warn_of_trials(here.of_any_thread, NINE)] == [2, 0]

    for admin in admins:
        (notice,) = told(here, admin, "trial_expiring")
        assert (notice["title"], notice["tenant"]) == (title, tenant)
        assert f"{NINE + left * DAY:%Y-%m-%d}" in notice["message"]
    assert not any(told(here, other, "trial_expiring") for other in others)


@pytest.mark.parametrize("left", [-1, 0, 2, 4])
def test_on_other_days_nobody_is_told(here: Tasks, left: int) -> None:
    account(here, trial(here, NINE + left * DAY), "admin")

    assert warn_of_trials(here.of_any_thread, NINE) == 0


def test_a_tenant_without_admins_is_told_as_a_whole_but_for_programs(
    here: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "PAGE", 2)
    tenant = trial(here, NINE + DAY)
    people = [account(here, tenant, role) for role in ("operator", "viewer", "operator", "viewer")]
    program = account(here, tenant, "worker")

    in_threads([lambda: warn_of_trials(here.of_any_thread, NINE)] * 3)

    assert [len(told(here, person, "trial_expiring")) for person in people] == [1, 1, 1, 1]
    assert told(here, program, "trial_expiring") == []


ENTRIES = {
    "approval-reminder-daily": "send_approval_reminder",
    "trial-expiry-check": "send_trial_expiry_warning",
}


def celery(system: System, script: str) -> Any:
    """What the script prints as JSON, in a process with Celery's configuration as beat has it."""
    source = (
        f"import json\nfrom workers.celery_app import celery\nschedule = celery.conf.beat_schedule\n{script}"
    )
    command = [sys.executable, "-c", source]
    done = subprocess.run(command, cwd=ROOT, env=system.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")


@pytest.mark.slow
def test_the_schedule_has_the_names_and_the_hours(system: System) -> None:
    entries, zone, known = celery(
        system,
        """celery.loader.import_default_modules()
rows = {n: (e["task"], min(e["schedule"].hour), str(e["schedule"]), e["options"]["queue"]) for n, e in schedule.items()
        if "reminder" in n or "trial" in n}
print(json.dumps((rows, (celery.conf.timezone, celery.conf.enable_utc), sorted(celery.tasks))))""",
    )

    assert zone == ["UTC", True]
    assert set(entries) == set(ENTRIES)
    for (name, function), hour in zip(ENTRIES.items(), (9, 10), strict=True):
        task, at, cron, queue = entries[name]
        assert task.endswith(f".{function}") and task in known
        assert (at, queue) == (hour, "quick")
        assert f"0 {hour} * * *" in cron


@pytest.mark.slow
def test_a_worker_does_what_beat_asks_for(system: System, user: User, other: User) -> None:
    # What is told depends on the day. Where midnight comes between, the worker is asked again, on the new one, and of
    # somebody else: who has come to a tenant is signed out.
    assert told_by_a_worker(system, user, today()) or told_by_a_worker(system, other, today())


def today() -> date:
    return datetime.now(UTC).date()


def told_by_a_worker(system: System, user: User, day: date) -> bool:
    """Whether it tells of an approval and of a trial, each once, while that day lasts."""
    approval = {"title": "The budget", "risk_level": "low", "estimated_cost": 1}
    started = user.client.post("/api/v2/agent/start", json={"job_type": "test_echo", "approval": approval})
    task_id = started.json()["task_id"]
    system.sql("UPDATE approvals SET asked_at = now() - interval '73 hours' WHERE task_id = %s", task_id)
    tenant = uuid.uuid4().hex
    system.sql("INSERT INTO tenants VALUES (%s, now() + interval '1 day')", tenant)
    system.sql("UPDATE users SET tenant = %s WHERE id = %s", tenant, user.id)

    celery(
        system,
        f"""for entry in [schedule[name] for name in {list(ENTRIES)}] * 2:
    celery.send_task(entry["task"], **entry["options"])""",
    )

    titles = ["Pending approval", "Trial ends in 1 day"]

    def both() -> bool:
        rows = system.sql(
            """SELECT title FROM notifications WHERE user_id = %s AND related_id = ANY(%s) AND title = ANY(%s)
               ORDER BY title""",
            *(user.id, [task_id, tenant], titles),
        )
        return rows == [(title,) for title in titles]

    wait_for("both reminders", lambda: both() or today() != day)
    return both()


@pytest.mark.slow
def test_the_command_says_when_a_trial_ends(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = uuid.uuid4().hex
    settings = {"DATABASE_URL": database, "REDIS_URL": "redis://x", "SECRET_KEY": SECRET}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    def command(ends: str) -> list[tuple[Any, ...]]:
        monkeypatch.setattr(sys, "argv", ["app.cli", "tenant", tenant, "--trial-ends", ends])
        cli.main()
        return sql(database, "SELECT trial_ends_at FROM tenants WHERE name = %s", tenant)

    assert command("2026-12-01") == [(datetime(2026, 12, 1, tzinfo=UTC),)]
    assert command("2026-12-01T12:00+02:00") == [(datetime(2026, 12, 1, 10, tzinfo=UTC),)]
    with pytest.raises(SystemExit, match=r"^taskroom: [^\n]+$"):  # which says it and ends with 1
        command("soon")
    assert command("never") == [(None,)]
