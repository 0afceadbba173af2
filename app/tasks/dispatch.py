"""Sending hints to workers. The queue is Postgres; a message only says that there is something to claim."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

from app.stream.store import Appended, Connect
from app.tasks.fold import PENDING
from app.tasks.snapshot import message_id

logger = logging.getLogger("taskroom.dispatch")

SEND_SECONDS = 2.0  # whoever asked waits no longer for the broker
RESEND_LIMIT_SECONDS = 600
RESEND_BATCH = 200


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
    def __init__(self, send: Send, queue_of: Callable[[str], str]) -> None:
        self._send, self._queue_of = send, queue_of

    def dispatch(self, task_id: str, number: int, job_type: str, countdown: float = 0.0) -> None:
        """Sends one hint. Raises BrokerDown."""
        self._send(message_id(task_id, number), self._queue_of(job_type), (task_id, number), countdown)

    def hint(self, task_id: str, number: int, job_type: str, countdown: float = 0.0) -> None:
        """As dispatch, where nothing hangs on it: what the broker does not take now is sent again when it is back."""
        try:
            self.dispatch(task_id, number, job_type, countdown)
        except BrokerDown as error:
            logger.warning("task %s will be sent again when the broker is back: %s", task_id, error)

    def resend(self, connect: Connect, everything: bool) -> int:
        """Sends again what nobody claimed: all that is due after Redis lost its data, else with back-off.

        The number stays the same, so that the message already in a long queue keeps its place.
        """
        sent = 0
        while True:
            with connect() as conn, conn.cursor() as cur:
                if everything and not sent:
                    # Marked in the rows, so that what no batch below reaches is due at the next round.
                    cur.execute("UPDATE dispatches SET next_send_at = now() WHERE due_at <= now()")
                due = self._take_due(cur)
            for task_id, number, job_type in due:
                try:
                    self.dispatch(task_id, number, job_type)
                except BrokerDown as error:
                    logger.warning("sending again stops after %d tasks: %s", sent, error)
                    return sent
                sent += 1
            if len(due) < RESEND_BATCH:
                return sent

    def _take_due(self, cur: Cursor) -> list[tuple[str, int, str]]:
        cur.execute(
            """UPDATE dispatches SET sends = sends + 1,
                   next_send_at = now() + make_interval(secs => least(30 * 2 ^ least(sends + 1, 10), %s))
               FROM tasks WHERE tasks.id = dispatches.task_id AND task_id IN
                   (SELECT task_id FROM dispatches WHERE due_at <= now() AND next_send_at <= now()
                    ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
               RETURNING task_id::text, number, job_type""",
            (RESEND_LIMIT_SECONDS, RESEND_BATCH),
        )
        return cur.fetchall()
