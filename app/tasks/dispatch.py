"""Sending hints to workers. The queue is Postgres; a message only says that there is something to claim."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

from app.stream.store import Appended, Connect
from app.tasks.fold import PENDING
from app.tasks.snapshot import message_id

logger = logging.getLogger("taskroom.dispatch")

SEND_SECONDS = 2.0  # whoever asked waits no longer for the broker
RESEND_LIMIT_SECONDS = 600
RESEND_BATCH = 200
RESEND_MOST = 2_000  # in one round, which is to end before the next


class Hint(NamedTuple):
    """That there is attempt ``number`` of a task to claim."""

    task_id: str
    number: int
    job_type: str


class BrokerDown(Exception):
    """The broker did not take the message in time."""


Send = Callable[[str, str, tuple[str, int], float], None]
"""(message id, queue, (task id, dispatch number), countdown in seconds). Raises BrokerDown."""


def queued(appended: Appended) -> Iterator[Hint]:
    """The steps that were started by what was appended: nobody else will tell the broker of them."""
    for event in appended.events:
        if event.sequence == 1 and event.type == "task_status":
            task = event.decoded()
            if task["parent_id"] and task["status"] == PENDING:
                yield Hint(task["task_id"], 1, task["job_type"])


class Dispatcher:
    """``queue_of`` a job type is None when no Celery worker serves it: its tasks are claimed over REST, and a message
    that nobody takes would stay in Redis for ever."""

    def __init__(self, send: Send, queue_of: Callable[[str], str | None]) -> None:
        self._send, self._queue_of = send, queue_of

    def dispatch(self, task_id: str, number: int, job_type: str, countdown: float = 0.0) -> bool:
        """Sends one hint; False when none is needed. Raises BrokerDown."""
        queue = self._queue_of(job_type)
        if queue is None:
            return False
        self._send(message_id(task_id, number), queue, (task_id, number), countdown)
        return True

    def hint(self, task_id: str, number: int, job_type: str, countdown: float = 0.0) -> bool:
        """As dispatch, where nothing hangs on it: what the broker does not take now is sent again when it is back.
        False when the broker did not take it."""
        try:
            self.dispatch(task_id, number, job_type, countdown)
        except BrokerDown as error:
            logger.warning("task %s will be sent again when the broker is back: %s", task_id, error)
            return False
        return True

    def hints(self, hints: Iterable[Hint]) -> bool:
        """Many of them, up to the first that the broker does not take: it may be seconds for each."""
        return all(self.hint(*hint) for hint in hints)

    def resend(self, connect: Connect, everything: bool, most: int = RESEND_MOST) -> int:
        """Sends again what nobody claimed, ``most`` at a time: all that is due after Redis lost its data, else with
        back-off. What is left is due at the next round.

        The number stays the same: one message or another claims it. What is held, because its user has as many as one
        may have, is left to whoever ends one of those (see ``turns``).
        """
        sent = taken = 0
        if everything:
            with connect() as conn, conn.cursor() as cur:
                cur.execute("UPDATE dispatches SET next_send_at = now() WHERE due_at <= now()")
        while taken < most:
            limit = min(RESEND_BATCH, most - taken)
            with connect() as conn, conn.cursor() as cur:
                due = self._take_due(cur, limit)
            taken += len(due)
            for n, (task_id, number, job_type, held) in enumerate(due):
                try:
                    sent += not held and self.dispatch(task_id, number, job_type)
                except BrokerDown as error:
                    logger.warning("sending again stops after %d tasks: %s", sent, error)
                    self._put_back(connect, [row[0] for row in due[n:]])
                    return sent
            if len(due) < limit:
                break
        return sent

    def _take_due(self, cur: Cursor, limit: int) -> list[tuple[str, int, str, bool]]:
        cur.execute(
            """UPDATE dispatches SET sends = sends + 1,
                   next_send_at = now() + make_interval(secs => least(30 * 2 ^ least(sends + 1, 10), %s))
               FROM tasks WHERE tasks.id = dispatches.task_id AND task_id IN
                   (SELECT task_id FROM dispatches WHERE due_at <= now() AND next_send_at <= now()
                    ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
               RETURNING task_id::text, number, tasks.job_type,
                   EXISTS (SELECT FROM turns WHERE turns.user_id = tasks.user_id AND held)""",
            (RESEND_LIMIT_SECONDS, limit),
        )
        return cur.fetchall()

    def _put_back(self, connect: Connect, tasks: list[str]) -> None:
        """What was taken and not sent: it is due at once, and no try is counted."""
        with connect() as conn, conn.cursor() as cur:
            cur.execute(
                """UPDATE dispatches SET sends = sends - 1, next_send_at = now()
                   WHERE task_id = ANY(%s::uuid[]) AND sends > 0""",
                (tasks,),
            )
