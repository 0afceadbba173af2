"""Reminders: one for each subject and day, by a time that the tests give."""

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
from app.tasks.approvals import ApprovalRequest
from app.tasks.lifecycle import decide_approval
from tests.stream.helpers import in_threads, sql
from tests.support.system import ROOT, SECRET, System, User, wait_for
from tests.tasks.helpers import Tasks

NINE = datetime(2030, 5, 6, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def waiting(tasks: Tasks, asked_at: datetime, **more: Any) -> str:
    """Creates a task that has waited for approval since ``asked_at``."""
    task_id = tasks.create(approval=ApprovalRequest.of("budget", "The budget", "high", 3.0), **more)
    sql(tasks.database, "UPDATE approvals SET asked_at = %s WHERE task_id = %s", asked_at, task_id)
    return task_id


def trial(tasks: Tasks, ends: datetime) -> str:
    """Inserts a tenant whose trial ends at ``ends``; returns its name."""
    name = uuid.uuid4().hex
    sql(tasks.database, "INSERT INTO tenants (name, trial_ends_at) VALUES (%s, %s)", name, ends)
    return name


def reminders_for(tasks: Tasks, user_id: str, type: str) -> list[dict[str, Any]]:
    events = Store(tasks.connect).after(user_stream(user_id), 0)
    payloads = [e.decoded() for e in events if e.type == "notification"]
    return [
        p for p in payloads if p["notification_type"] == type and p["title"].startswith(("Pend", "Trial"))
    ]


def approval_reminders(tasks: Tasks) -> list[dict[str, Any]]:
    return reminders_for(tasks, tasks.user_id, "approval_required")


def test_the_owner_of_a_task_that_waits_for_three_days_is_reminded(here: Tasks) -> None:
    old = waiting(here, NINE - 3 * DAY, title="Publish it")
    waiting(here, NINE - 3 * DAY + timedelta(minutes=1))

    assert remind_of_approvals(here.of_any_thread, NINE) == 1

    (notice,) = approval_reminders(here)
    assert notice["title"] == "Pending approval"
    assert notice["message"] == "Task 'Publish it' is waiting for 3+ days"
    assert (notice["related_type"], notice["related_id"]) == ("task", old)


def test_two_runs_a_day_remind_once_and_the_next_day_again(here: Tasks) -> None:
    waiting(here, NINE - 5 * DAY)

    assert [
        remind_of_approvals(here.of_any_thread, NINE),
        remind_of_approvals(here.of_any_thread, NINE + timedelta(hours=14)),
    ] == [1, 0]
    assert remind_of_approvals(here.of_any_thread, NINE + DAY) == 1

    assert len(approval_reminders(here)) == 2
    with here.connect() as connection, connection.cursor() as cur:
        assert unread_count(cur, here.user_id) == 1, "the reminders take the place of the request"


@pytest.mark.parametrize("end", ["approved", "rejected", "cancelled"])
def test_a_task_that_waits_no_more_is_not_reminded_of(here: Tasks, end: str) -> None:
    task_id = waiting(here, NINE - 5 * DAY)

    if end == "cancelled":
        here.cancel(task_id)
    else:
        with here.transaction() as tx:
            decide_approval(tx, task_id, end == "approved", "a@example.org")

    assert remind_of_approvals(here.of_any_thread, NINE) == 0
    assert approval_reminders(here) == []


def test_a_task_decided_while_the_page_is_read_is_not_reminded_of(
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
def test_many_are_reminded_in_pages_and_once_by_runs_at_once(
    here: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "PAGE", 7)
    owners = [here.user_id, here.add_user(""), here.add_user("")]
    for n in range(30):  # some with equal times: a page may end between them
        waiting(here, NINE - (4 + n // 10) * DAY, user_id=owners[n % 3])

    in_threads([lambda: remind_of_approvals(here.of_any_thread, NINE)] * 4)

    assert [len(reminders_for(here, owner, "approval_required")) for owner in owners] == [10, 10, 10]


@pytest.mark.parametrize(("left", "title"), [(3, "Trial ends in 3 days"), (1, "Trial ends in 1 day")])
def test_admins_are_warned_three_days_and_one_day_before_a_trial_ends(
    here: Tasks, left: int, title: str
) -> None:
    tenant = trial(here, NINE.replace(hour=23) + left * DAY)
    admins = {here.add_user(tenant, "admin"), here.add_user(tenant, "admin")}
    others = {here.add_user(tenant), here.add_user("elsewhere", "admin")}

    assert [warn_of_trials(here.of_any_thread, NINE), warn_of_trials(here.of_any_thread, NINE)] == [2, 0]

    for admin in admins:
        (notice,) = reminders_for(here, admin, "trial_expiring")
        assert (notice["title"], notice["tenant"]) == (title, tenant)
        assert f"{NINE + left * DAY:%Y-%m-%d}" in notice["message"]
    assert not any(reminders_for(here, other, "trial_expiring") for other in others)


@pytest.mark.parametrize("left", [-1, 0, 2, 4])
def test_on_other_days_nobody_is_warned(here: Tasks, left: int) -> None:
    here.add_user(trial(here, NINE + left * DAY), "admin")

    assert warn_of_trials(here.of_any_thread, NINE) == 0


def test_all_users_but_programs_of_a_tenant_without_admins_are_warned(
    here: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "PAGE", 2)
    tenant = trial(here, NINE + DAY)
    people = [here.add_user(tenant, role) for role in ("operator", "viewer", "operator", "viewer")]
    program = here.add_user(tenant, "worker")

    in_threads([lambda: warn_of_trials(here.of_any_thread, NINE)] * 3)

    assert [len(reminders_for(here, person, "trial_expiring")) for person in people] == [1, 1, 1, 1]
    assert reminders_for(here, program, "trial_expiring") == []


ENTRIES = {
    "approval-reminder-daily": "send_approval_reminder",
    "trial-expiry-check": "send_trial_expiry_warning",
}


def celery(system: System, script: str) -> Any:
    """Returns the JSON that the script prints in a process with the Celery configuration of beat."""
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
def test_a_worker_runs_the_scheduled_reminders(system: System, user: User, other: User) -> None:
    # Reminders depend on the day. When midnight comes during the test, it runs again with another user, for the first
    # one is signed out by the move to a tenant.
    assert reminded_by_a_worker(system, user, today()) or reminded_by_a_worker(system, other, today())


def today() -> date:
    return datetime.now(UTC).date()


def reminded_by_a_worker(system: System, user: User, day: date) -> bool:
    """Returns whether the worker sends the reminders of an approval and a trial, each once, before the day ends."""
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
    with pytest.raises(SystemExit, match=r"^taskroom: [^\n]+$"):  # a message, and the exit status 1
        command("soon")
    assert command("never") == [(None,)]
