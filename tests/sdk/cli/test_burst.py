"""A script that says more than a server takes while it runs: all of it is on the page, and its end."""

from __future__ import annotations

import subprocess
import sys

from tests.sdk.cli.command import Command
from tests.sdk.cli.runs import log_of
from tests.support.system import User, wait_for

LINES = 30_000
SCRIPT = f"""
import taskroom
with taskroom.run("burst", stdout=False) as run:
    for n in range({LINES}): run.log(str(n))
print(run.id)
"""


def test_a_burst_of_a_script_is_on_its_page(taskroom: Command, user: User) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=taskroom.env,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    run = done.stdout.strip()

    wait_for("its end", lambda: user.status(run)["task"]["status"] == "SUCCESS")
    wait_for("the process that sends to end its work", lambda: not list(taskroom.spool.glob("*.spool")))
    assert [message for _, message, _ in log_of(user, run)] == [str(n) for n in range(LINES)]
    # Where what is left may end with the script, a line says how much the server was too slow for.
    said = [line for line in done.stderr.splitlines() if not line.endswith("taskroom sync sends them")]
    assert said == []
