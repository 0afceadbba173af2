"""Runs of a scene that others run and report."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path

from tests.api.reporters import Reporter, new_task, status
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
    group = str(uuid.uuid4())
    begun, ended = status("STARTED"), status("SUCCESS")
    regions = [
        new_task(begun, ended, job_type="shop.report.region", title=f"Report of the {name}", group_id=group)
        for name in ("north", "south", "west")
    ]
    total = "shop.report.total"
    failed = new_task(
        *(begun, status("FAILURE", error=FAILURE)),
        job_type=total,
        title=f"Chord body: {total}",
        parent_id=regions[-1]["task_id"],
    )
    mail = new_task(begun, ended, job_type="shop.mail", title="Tell accounting", parent_id=failed["task_id"])
    Reporter(user).accepted(*regions, failed, mail)
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
