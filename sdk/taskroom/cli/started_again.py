"""The run that a reporter begins because it was asked to start an ended one again."""

from __future__ import annotations

import time

from taskroom.cli.api import Api, Refused, Unreachable
from taskroom.cli.faults import Fault, say

LOOK_SECONDS = 1.0
NEWEST = 200


def started_again(api: Api, last: str) -> str:
    """Waits for the run that is a retry of ``last``, and returns its id. Raises Fault when its reporter cannot start
    it."""
    said, query = False, {"limit": NEWEST, "scope": "tenant"}
    while True:
        try:
            task = api.get(f"tasks/{last}/status")["task"]
            rows = api.get("tasks", job_type=task["job_type"], **query)["tasks"]
            for row in rows:
                if row["retry_of"] == last:
                    return str(row["task_id"])
            if not task["can_retry"]:
                raise Fault(
                    "who reports the run cannot start it again any more; start it where it was started first"
                )
        except (Refused, Unreachable) as error:
            if isinstance(error, Refused) and error.status == 403 and query["scope"] == "tenant":
                query["scope"] = "own"  # of an account that does not read its tenant
                continue
            if isinstance(error, Refused) and not error.is_temporary:
                raise
            if not said:
                say(f"asking again: {error}")
            said = True
        time.sleep(LOOK_SECONDS)
