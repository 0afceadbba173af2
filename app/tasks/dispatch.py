"""Sending hints to workers. The queue is Postgres; a message only says that there is something to claim."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator

from psycopg2.extensions import cursor as Cursor

from app.stream.event import Event
from app.stream.store import Connect
from app.stream.transaction import Hint, Transaction
from app.tasks.fold import PENDING
from app.tasks.projection import SOON_SECONDS
from app.tasks.snapshot import message_id

logger = logging.getLogger("taskroom.dispatch")

SEND_SECONDS = 2.0  # whoever asked waits no longer for the broker
RESEND_LIMIT_SECONDS = 600
RESEND_BATCH = 200
MAX_RESENT = 2_000  # in one round, which is to end before the next
# Messages that a queue has at most: any of them claims whatever waits, so with so many there more say nothing new.
MAX_QUEUED = 2_000


class BrokerDown(Exception):
    """The broker did not take the message in time."""


Send = Callable[[str, str, tuple[str, int], float], None]
"""(message id, queue, (task id, dispatch number), countdown in seconds). Raises BrokerDown."""


def hints_of(tx: Transaction) -> Iterator[Hint]:
    """What the broker is to hear of after the commit: what the transaction asks for, and the steps that it started."""
    yield from tx.hints
    yield from started_steps(tx.appended.events)


def started_steps(events: Iterable[Event]) -> Iterator[Hint]:
    """The steps that these events started: nobody else tells the broker of them."""
    for event in events:
        if event.sequence == 1 and event.type == "task_status":
            task = event.decoded()
            if task["parent_id"] and task["status"] == PENDING:
                yield Hint(task["task_id"], 1, task["job_type"])


Length = Callable[[str], int]
"""How many messages a queue has at the broker. Raises BrokerDown."""


class Dispatcher:
    """``queue_of`` a job type is None when no Celery worker serves it: its tasks are claimed over REST, and a message
    that nobody takes would stay in Redis for ever."""

    def __init__(
        self, send: Send, queue_of: Callable[[str], str | None], length: Length = lambda queue: 0
    ) -> None:
        self._send, self._queue_of, self._length = send, queue_of, length

    def dispatch(self, task_id: str, number: int, job_type: str, countdown: float = 0.0) -> bool:
        """Sends one hint; False when none is needed: the queue has so many that one of them claims the task, or it is
        due so late that the broker would keep a message in a worker's memory. Raises BrokerDown."""
        queue = self._queue_of(job_type)
        if queue is None or countdown > SOON_SECONDS or self._length(queue) >= MAX_QUEUED:
            return False
        self._send(message_id(task_id, number), queue, (task_id, number), countdown)
        return True

    def send_hint(self, task_id: str, number: int, job_type: str, countdown: float = 0.0) -> bool:
        """As dispatch, where nothing hangs on it: what the broker does not take now is sent again when it is back.
        False when the broker did not take it."""
        try:
            self.dispatch(task_id, number, job_type, countdown)
        except BrokerDown as error:
            logger.warning("task %s will be sent again when the broker is back: %s", task_id, error)
            return False
        return True

    def send_hints(self, hints: Iterable[Hint]) -> bool:
        """Many of them, up to the first that the broker does not take: it may be seconds for each."""
        return all(self.send_hint(*hint) for hint in hints)

    def resend(self, connect: Connect, everything: bool, most: int = MAX_RESENT) -> int:
        """Sends again what nobody claimed, ``most`` at a time, and no more than a queue has room for: all that is due
        after Redis lost its data, else with back-off. What is left is due at the next round.

        The number stays the same: one message or another claims it. What is held, because its user has as many as one
        may have, is left to whoever ends one of those (see ``turns``).
        """
        sent = 0
        if everything:
            with connect() as conn, conn.cursor() as cur:
                cur.execute("UPDATE dispatches SET next_send_at = now() WHERE due_at <= now()")
        due: list[tuple[str, int, bool]] = []
        try:
            for queue, due in self._take_batches(connect, most):
                while due:
                    task_id, number, held = due[0]
                    if queue and not held:
                        self._send(message_id(task_id, number), queue, (task_id, number), 0.0)
                        sent += 1
                    due.pop(0)
        except BrokerDown as error:
            logger.warning("sending again stops after %d tasks: %s", sent, error)
            self._put_back(connect, [task_id for task_id, _, _ in due])
        return sent

    def _take_batches(
        self, connect: Connect, most: int
    ) -> Iterator[tuple[str | None, list[tuple[str, int, bool]]]]:
        """What is due, by queues, as far as each has room; a transaction for each batch."""
        for queue, types, room in self._free_space(connect):
            full = True
            while full and (limit := min(RESEND_BATCH, room, most)) > 0:
                with connect() as conn, conn.cursor() as cur:
                    due = self._take_due(cur, types, limit)
                room, most, full = room - len(due), most - len(due), len(due) == limit
                yield queue, due

    def _free_space(self, connect: Connect) -> list[tuple[str | None, list[str], int]]:
        """The queues of which something is due, the emptiest first: the job types, and how many messages each takes.
        Those of one that takes none stay due, for its room is looked at again with the next round."""
        with connect() as conn, conn.cursor() as cur:
            cur.execute(
                "SELECT DISTINCT job_type FROM dispatches WHERE due_at <= now() AND next_send_at <= now()"
            )
            types: dict[str | None, list[str]] = {}
            for (job_type,) in cur:
                types.setdefault(self._queue_of(job_type), []).append(job_type)
        rooms = [
            (queue, due, MAX_QUEUED - (self._length(queue) if queue else 0)) for queue, due in types.items()
        ]
        return sorted(rooms, key=lambda row: -row[2])

    def _take_due(self, cur: Cursor, types: list[str], limit: int) -> list[tuple[str, int, bool]]:
        cur.execute(
            """WITH taken AS (
                   UPDATE dispatches SET sends = sends + 1,
                       next_send_at = now() + make_interval(secs => least(30 * 2 ^ least(sends + 1, 10), %s))
                   FROM tasks WHERE tasks.id = dispatches.task_id AND task_id IN
                       (SELECT task_id FROM dispatches
                        WHERE due_at <= now() AND next_send_at <= now() AND job_type = ANY(%s)
                        ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
                   RETURNING task_id::text, number, tasks.user_id, due_at)
               SELECT task_id, number, EXISTS (SELECT FROM turns WHERE turns.user_id = taken.user_id AND held)
               FROM taken ORDER BY due_at""",
            (RESEND_LIMIT_SECONDS, types, limit),
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
