"""The run that a reporter begins because it was asked to start an ended one again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from taskroom.cli.api import Api, Refused, Unreachable
from taskroom.cli.faults import Fault, say
from taskroom.cli.text import moment

LOOK_SECONDS = 1.0
PAGE, MOST_PAGES = 200, 20


class StartedAgain:
    """Made before the reporter is asked: what began before is not the run that is meant."""

    def __init__(self, api: Api, task: Mapping[str, Any]) -> None:
        """``task`` has the fields of the ended run."""
        self._api = api
        self._query = {"job_type": task["job_type"], "limit": PAGE, "scope": "tenant"}
        try:
            api.get("tasks", **self._query)
        except Refused as refused:
            if refused.status != 403:  # it is 403 of an account that does not read its tenant
                raise
            self._query["scope"] = "own"
        self._last = self._last_retry(task)

    def wait(self) -> str:
        """Returns the id of the new run once it is there. Raises Fault when its reporter cannot start it."""
        said = False
        while True:
            try:
                for row in self._page(None)["tasks"]:
                    if row["retry_of"] == self._last:
                        return str(row["task_id"])
                if not self._api.get(f"tasks/{self._last}/status")["task"]["can_retry"]:
                    raise Fault(
                        "who reports the run cannot start it again any more; start it where it was started first"
                    )
            except (Refused, Unreachable) as error:
                if isinstance(error, Refused) and not error.is_temporary:
                    raise
                if not said:
                    say(f"asking again: {error}")
                said = True
            time.sleep(LOOK_SECONDS)

    def _last_retry(self, task: Mapping[str, Any]) -> str:
        """The id of the last run that is a retry of the task, or a retry of such a one: an attempt of the task is a
        retry of that. The task's own id when there is none."""
        last = str(task["task_id"])
        for row in reversed(list(self._since(moment(task["finished_at"] or task["created_at"])))):
            if row["retry_of"] == last:
                last = str(row["task_id"])
        return last

    def _since(self, end: datetime) -> Iterator[dict[str, Any]]:
        """Yields the runs of the type, newest first, back to the time."""
        cursor = None
        for _ in range(MOST_PAGES):
            page = self._page(cursor)
            yield from page["tasks"]
            cursor = page["next"]
            if cursor is None or (page["tasks"] and moment(page["tasks"][-1]["created_at"]) < end):
                return

    def _page(self, cursor: str | None) -> dict[str, Any]:
        return self._api.get("tasks", **self._query, cursor=cursor)
