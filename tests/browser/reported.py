"""Runs of a scene that others run and report."""

from __future__ import annotations

import subprocess
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.api.reporters import Part, Reporter, new_task, status
from tests.sdk.cli.command import Command
from tests.support.keys import make
from tests.support.system import System, User, wait_for

FAILURE = {
    "type": "ValueError",
    "message": "The totals of north and south differ by 12.40",
    "traceback": None,
}
# What pg_dump --verbose says, and then it takes its time.
DUMP = """
for line in 'last built-in OID is 16383' 'reading extensions' 'identifying extension members' 'reading schemas' \
    'reading user-defined tables' 'reading user-defined functions' 'reading user-defined types' 'reading indexes' \
    'reading triggers' 'reading rewrite rules' 'reading dependency data' 'saving encoding = UTF8' \
    'saving standard_conforming_strings = on' 'saving search_path = '; do echo "pg_dump: $line" >&2; done
for table in accounts addresses carts customers invoices orders payments; do
    echo "pg_dump: dumping contents of table \\"public.$table\\"" >&2
done
exec sleep 600
"""


def failed_chord(user: User) -> str:
    """Reports a chord as Celery runs it: the member that ended last has sent the body. Returns the group."""
    group, now = str(uuid.uuid4()), datetime.now(UTC)

    def ran(title: str, job_type: str, begin: float, end: float, last: Part, **more: str) -> Part:
        """A task that ran between two times, in seconds before now."""
        times = [(now - timedelta(seconds=before)).isoformat() for before in (begin, end)]
        events = status("STARTED", timestamp=times[0]), last | {"timestamp": times[1]}
        return new_task(*events, title=title, job_type=job_type, **more)

    regions = [
        ran(f"Report of the {name}", "shop.report.region", begin, end, status("SUCCESS"), group_id=group)
        for name, begin, end in (("north", 58, 36.6), ("south", 57.9, 31.3), ("west", 57.8, 23.1))
    ]
    total = "shop.report.total"
    where = {"parent_id": regions[-1]["task_id"]}
    body = ran(f"Chord body: {total}", total, 23, 18.4, status("FAILURE", error=FAILURE), **where)
    mail = ran("Tell accounting", "shop.mail", 19, 18.2, status("SUCCESS"), parent_id=body["task_id"])
    Reporter(user).accepted(*regions, body, mail)
    return group


def running_command(system: System, user: User) -> tuple[str, subprocess.Popen[bytes]]:
    """Runs a command by ``taskroom run``; returns its run once its lines are there, and the process."""
    command = Command(system.url, make(user, "report", name="backup")["key"], Path("none"))
    argv, nowhere = command.argv("run", "--name", "backup", "--", "sh", "-c", DUMP), subprocess.DEVNULL
    process = subprocess.Popen(argv, env=command.env, stdin=nowhere, stdout=nowhere, stderr=nowhere)

    def run() -> str | None:
        found = [task for task in user.get("tasks")["tasks"] if task["job_type"] == "backup"]
        logs = user.get(f"tasks/{found[0]['task_id']}/logs")["logs"] if found else []
        return found[0]["task_id"] if any("payments" in line["message"] for line in logs) else None

    return wait_for("the lines of the command", run, 60), process
