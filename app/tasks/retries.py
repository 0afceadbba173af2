"""Starts an ended task again, as a new task with its owner and its parameters, or asks its reporter to."""

from __future__ import annotations

from typing import NamedTuple

from app.errors import Conflict
from app.jobs import BULK
from app.stream.transaction import Transaction
from app.tasks import approvals, lifecycle
from app.tasks.budget import check
from app.tasks.creation import Origin
from app.tasks.fold import TERMINAL, State
from app.tasks.observed import resends
from app.tasks.secret_params import params_with_secrets


class Retried(NamedTuple):
    """A new task. ``waits``: for approval, so no message is sent for it."""

    task_id: str
    job_type: str
    waits: bool


def may_retry(task: State) -> None:
    """Raises Conflict for a task that has not ended, or that nobody starts again."""
    if task.get("status") not in TERMINAL:
        raise Conflict(f"The task has not ended: {task.get('status')}; cancel it, or wait for its end")
    if task["job_type"] == BULK and not task["observed"]:
        raise Conflict("A bulk action is not started again; select the runs again")


def refuse_older(tx: Transaction, task: State) -> None:
    """Raises Conflict for a task that was started again, however that went: by a retry of it, or by a later retry of
    the task that it is one of. Of many tasks, of which some are retries of others, each chain is so started once."""
    # Two arms, each the end of a range of an index: an OR would sort all.
    tx.cur.execute(
        """SELECT id::text FROM (
               (SELECT id, created_at FROM tasks WHERE retry_of = %(task)s ORDER BY created_at DESC, id DESC LIMIT 1)
               UNION ALL
               (SELECT id, created_at FROM tasks WHERE retry_of = %(first)s
                    AND (created_at, id) > (SELECT created_at, id FROM tasks WHERE id = %(task)s)
                ORDER BY created_at DESC, id DESC LIMIT 1)
           ) AS later ORDER BY created_at DESC, id DESC LIMIT 1""",
        {"task": task["task_id"], "first": task["retry_of"]},
    )
    if row := tx.cur.fetchone():
        raise Conflict(f"It was started again as {row[0]}")


def retry(tx: Transaction, old: State, daily_bytes: int) -> Retried:
    """Creates the retry of a task of ours that has ended. Raises Conflict while another retry has not ended, and
    TooMany when the owner has stored ``daily_bytes`` today."""
    cur, owner = tx.cur, old["user_id"]
    _refuse_second(tx, old["task_id"])
    check(cur, owner, daily_bytes)
    approval = approvals.start_approval(cur, old["task_id"])
    new_id = lifecycle.create(
        tx,
        user_id=owner,
        job_type=old["job_type"],
        title=old["title"],
        intent=old["intent"],
        params=old["params"],
        secret_params=params_with_secrets(cur, old),
        origin=Origin("retry", retry_of=old["task_id"]),
        approval=approval,
    )
    return Retried(new_id, old["job_type"], approval is not None)


def ask_reporter(tx: Transaction, task_id: str) -> tuple[str, str]:
    """Asks the reporter of an observed task to start it again; returns its last run, of which the new one will be a
    retry, and that run's status. Raises Conflict when it cannot, and while another retry has not ended."""
    last = resends.last_run(tx.cur, task_id)
    _refuse_second(tx, last)
    return last, resends.ask(tx.cur, last)


def _refuse_second(tx: Transaction, task_id: str) -> None:
    if unfinished := lifecycle.unfinished_retry(tx, task_id):
        raise Conflict(f"A retry of the task has not ended: {unfinished}; wait for its end")
