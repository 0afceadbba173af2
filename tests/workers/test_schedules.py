"""Our own beat: what it runs, when, and how the last runs ended."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery.schedules import crontab

from app.tasks.observed.fleet_list import list_schedules
from app.tasks.observed.own import OWN
from app.tasks.observed.schedules import ScheduleEntry, report_schedules
from tests.stream.helpers import sql
from tests.support.system import ROOT, System, User, wait_for
from tests.tasks.helpers import Tasks
from workers import schedules

BEAT = {
    "sums": {"task": "taskroom.sums", "schedule": crontab()},
    "retention": {"task": "taskroom.retention", "schedule": crontab(minute="*/10")},
}
RUN = """
from workers.celery_app import celery
celery.loader.import_default_modules()
celery.tasks[celery.conf.beat_schedule["sums"]["task"]]()
"""


@pytest.mark.slow
def test_our_beat_says_what_it_runs_and_how_that_ended(system: System, user: User, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "celery", "-A", "workers.celery_app", "beat", "--pidfile="]
    command += ["--schedule", str(tmp_path / "schedule")]
    with (tmp_path / "beat.log").open("wb") as log:
        beat = subprocess.Popen(command, cwd=ROOT, env=system.environment(), stdout=log, stderr=log)

    def entries() -> dict[str, dict[str, Any]]:
        return {row["name"]: row for row in user.get("schedules", limit=200)["schedules"] if row["own"]}

    try:
        wait_for("its report", lambda: beat.poll() is not None or entries())
        assert beat.poll() is None, (tmp_path / "beat.log").read_text()
        done = subprocess.run([sys.executable, "-c", RUN], cwd=ROOT, env=system.environment(), check=False)
        found = entries()
    finally:
        beat.terminate()
        beat.wait(60)

    assert done.returncode == 0
    assert {name: (row["job_type"], row["schedule"]) for name, row in found.items()} == {
        "housekeeping": ("taskroom.housekeeping", "17 * * * *"),
        "sums": ("taskroom.sums", "* * * * *"),
        "retention": ("taskroom.retention", "*/10 * * * *"),
        "approval-reminder-daily": ("taskroom.send_approval_reminder", "0 9 * * *"),
        "trial-expiry-check": ("taskroom.send_trial_expiry_warning", "0 10 * * *"),
    }
    assert found["sums"]["last_status"] == "SUCCESS" and found["sums"]["alive"]
    assert all(row["next_run_at"].endswith("Z") for row in found.values())


def listed(tasks: Tasks) -> list[tuple[str | None, str | None]]:
    """The outcome of each entry, by name."""
    with tasks.connect() as conn, conn.cursor() as cur:
        return [(row["last_status"], row["last_error"]) for row in rows_of(cur)]


def rows_of(cur: Any) -> list[dict[str, Any]]:
    return list_schedules(cur, {}, None, 10).rows


def test_how_a_run_ended_is_that_of_the_run_that_was_sent_last(
    here: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "runtime", lambda: SimpleNamespace(connect=here.connect))
    entry = ScheduleEntry(name="sums", job_type="taskroom.sums", schedule="* * * * *")

    def report(last_run_at: datetime | None) -> None:
        entry.last_run_at = last_run_at
        with here.connect() as conn, conn.cursor() as cur:
            assert report_schedules(cur, OWN, [entry], str) == []

    report(datetime.now(UTC) - timedelta(minutes=1))
    sent = listed(here)
    with schedules.scheduled_run(BEAT, "taskroom.sums"):
        pass
    done = listed(here)
    with pytest.raises(ValueError, match="no room"), schedules.scheduled_run(BEAT, "taskroom.sums"):
        raise ValueError("there is no room")
    failed = listed(here)
    report(datetime.now(UTC) + timedelta(minutes=1))

    assert sent == [(None, None)]
    assert done == [("SUCCESS", None)]
    assert failed == [("FAILURE", "there is no room")]
    assert listed(here) == [(None, None)], "that run has not ended yet"


def test_a_run_that_ends_before_beat_has_reported_its_entry_is_not_lost(
    here: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "runtime", lambda: SimpleNamespace(connect=here.connect))
    sent = datetime.now(UTC) - timedelta(seconds=8)

    with pytest.raises(ValueError, match="no room"), schedules.scheduled_run(BEAT, "taskroom.retention"):
        raise ValueError("there is no room")
    entry = ScheduleEntry(
        name="retention", job_type="taskroom.retention", schedule="*/10 * * * *", last_run_at=sent
    )
    with here.connect() as conn, conn.cursor() as cur:
        before = [(row["name"], row["job_type"], row["schedule"]) for row in rows_of(cur)]
        assert report_schedules(cur, OWN, [entry], str) == []

    assert before == [("retention", "taskroom.retention", "*/10 * * * *")], "the row that beat writes"
    assert listed(here) == [("FAILURE", "there is no room")]


def test_a_run_is_not_harmed_when_its_end_cannot_be_stored(
    here: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "runtime", lambda: SimpleNamespace(connect=here.connect))
    sql(here.database, "DROP TABLE schedule_reports")

    with schedules.scheduled_run(BEAT, "taskroom.sums"):
        done = True

    assert done
