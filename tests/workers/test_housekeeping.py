"""What beat starts now and then: of all that is written nothing stays for ever."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.storage.files import FileStorage
from app.stream.event import draft, now, task_stream
from app.tasks.outputs import key_of, output_event
from tests.stream.helpers import sql
from tests.support.system import ROOT, System
from tests.tasks.helpers import Tasks

pytestmark = pytest.mark.slow

# By the names in the schedule, as a worker gets them from beat.
RUN = """
from workers.celery_app import celery
celery.loader.import_default_modules()
for entry in ("housekeeping", "sums", "retention"):
    celery.tasks[celery.conf.beat_schedule[entry]["task"]]()
"""


def ended(tasks: Tasks, days_ago: int) -> str:
    task_id = tasks.started()
    fields = {"timestamp": now(), **output_event("report.csv", 1)}
    tasks.append([draft(task_stream(task_id), "output", fields, attempt=1)])
    tasks.end(task_id)
    sql(
        tasks.database,
        "UPDATE tasks SET finished_at = now() - make_interval(days => %s) WHERE id = %s",
        *(days_ago, task_id),
    )
    return task_id


def test_what_is_too_old_goes_with_what_beat_starts(
    here: Tasks, other_redis_url: str, tmp_path: Path
) -> None:
    year = ended(here, days_ago=400)
    month, today = ended(here, days_ago=40), ended(here, days_ago=0)
    sql(
        here.database,
        """UPDATE notifications SET created_at = now() - interval '40 days' WHERE related_id <> %s;
           INSERT INTO sessions (user_id, expires_at) SELECT id, now() - interval '1 day' FROM users;
           INSERT INTO task_counts (user_id, status, number) SELECT id, 'FAILURE', 1
               FROM users, generate_series(1, 60);
           INSERT INTO stored_bytes (user_id, day, bytes) SELECT id, '2020-01-01', 7 FROM users""",
        today,
    )
    outputs = tmp_path / "data" / "outputs"
    for task_id in (year, month, today):
        key = key_of(task_id, 1, "report.csv")
        FileStorage(outputs).put(key, io.BytesIO(b"x"), 10)
        os.utime(outputs / key[:2] / key, (0, 0))

    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=ROOT,
        env=System(here.database, other_redis_url, tmp_path).environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    left = {
        "tasks": "SELECT array_agg(id::text) FROM tasks",
        "events of the month's": f"""SELECT count(*) FROM events JOIN streams ON streams.id = stream_id
            WHERE name = 'task:{month}'""",
        "notifications": "SELECT array_agg(DISTINCT related_id) FROM notifications",
        "sessions": "SELECT count(*) FROM sessions",
        "counts": "SELECT array_agg(number) FROM task_counts WHERE status = 'FAILURE'",
        "days": "SELECT count(*) FROM stored_bytes WHERE day = '2020-01-01'",
    }
    found = {what: sql(here.database, question)[0][0] for what, question in left.items()}
    assert {*found.pop("tasks")} == {month, today}
    assert found == {
        "events of the month's": 1,  # how it ended
        "notifications": [today],
        "sessions": 0,
        "counts": [60],
        "days": 0,
    }
    assert {path.parent.name for path in outputs.rglob("1-*")} == {month, today}
