"""Ends the attempt of a process that died, or that could not report its end, at once.

The worker's main process notices a dead child within milliseconds, rounds notice its lease after twenty seconds. The
lease remains for a worker whose main process died.
"""

from __future__ import annotations

import logging
import re
import threading
from typing import Any

from billiard.einfo import ExceptionWithTraceback  # type: ignore[import-untyped]
from billiard.exceptions import WorkerLostError  # type: ignore[import-untyped]
from celery.worker.request import Request

from app.errors.survived import survived
from app.tasks import lifecycle
from app.tasks.endings import WORKER_LOST
from taskroom.texts import reason
from workers import runtime
from workers.registry import may_retry_lost

logger = logging.getLogger("taskroom.lost")

_EXIT = re.compile(r"Worker exited prematurely: (.*?)\.?(?: Job: .*)?$", re.DOTALL)


class RunRequest(Request):
    """A message of the Celery task that runs jobs, in the worker's main process."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:
        """Ends the attempt of a child that died. One that returned an exception (``return_ok``) has ended its attempt
        itself, and may run another by now."""
        if not return_ok:
            error = exc_info.exception
            if isinstance(error, ExceptionWithTraceback):
                error = error.exc
            worker = f"{self.hostname}/{self.worker_pid}"
            # In a thread: Postgres may be slow, and this is the loop that feeds all other children.
            threading.Thread(target=end, args=(worker, error_of(error)), name="taskroom-lost").start()
        super().on_failure(exc_info, send_failed_event, return_ok)


def error_of(error: BaseException) -> dict[str, Any]:
    """The error that the attempt ends with."""
    if isinstance(error, WorkerLostError):
        found = _EXIT.match(reason(error))
        how = found[1] if found else reason(error)
        return WORKER_LOST | {"message": f"The process that ran this task ended: {how}"}
    return WORKER_LOST | {"message": f"The worker could not report how this task ended: {reason(error)}"}


def end(worker: str, error: dict[str, Any]) -> None:
    """Ends the attempt that ``worker`` has claimed, if any, and starts what follows from its end."""
    try:
        with runtime.runtime().transaction() as tx:
            tx.cur.execute(
                """SELECT task_id::text, attempt, job_type, retry_count FROM leases JOIN tasks ON tasks.id = task_id
                   WHERE worker = %s AND holder IS NULL LIMIT 1""",
                (worker,),
            )
            for task_id, attempt, job_type, retry_count in tx.cur.fetchall():
                if lifecycle.expire_lease(
                    tx, task_id, attempt, may_retry_lost(job_type, retry_count), error, worker
                ):
                    logger.warning("task %s: %s", task_id, error["message"])
    except Exception as problem:  # as when Postgres is away: nobody renews the lease any more, so it runs out
        survived(logger, problem, "the attempt of %s ends when its lease runs out", worker)
