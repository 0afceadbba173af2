"""Sends hints to workers. The queue is in Postgres; a message only says that a task can be claimed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator

from psycopg2.extensions import cursor as Cursor

from app import green
from app.broker import MAX_QUEUED, SEND_SECONDS, BrokerDown
from app.stream.event import Event, is_task
from app.stream.store import Connect
from app.stream.transaction import Hint, Transaction
from app.tasks.fold import PENDING
from app.tasks.holds import paused_queues
from app.tasks.projection import SOON_SECONDS
from app.tasks.snapshot import message_id

logger = logging.getLogger("taskroom.dispatch")

RESEND_LIMIT_SECONDS = 600
RESEND_BATCH = 200
MAX_RESENT = 2_000  # in one round, so that it ends before the next


Send = Callable[[str, str, tuple[str, int], float], None]
"""(message id, queue, (task id, attempt), countdown in seconds). Raises BrokerDown."""


def hints_of(tx: Transaction) -> Iterator[Hint]:
    """Returns the hints to send after the commit: those of the transaction, and those of the steps that it started."""
    yield from tx.hints
    yield from started_steps(tx.appended.events)


def started_steps(events: Iterable[Event]) -> Iterator[Hint]:
    """Returns hints for the steps that these events started; no other code sends hints for steps. Only a task's stream
    has the fields of a task: on a user's stream, the bus may publish an event of any type."""
    for event in events:
        if event.sequence == 1 and event.type == "task_status" and is_task(event.stream):
            task = event.decoded()
            if task["parent_id"] and task["status"] == PENDING:
                yield Hint(task["task_id"], 1, task["job_type"])


Length = Callable[[str], int]
"""Returns the number of a queue's messages at the broker. Raises BrokerDown."""


class Dispatcher:
    """Sends hints by ``send``. ``queue_of`` returns None for a job type that no Celery worker serves: its tasks are
    claimed over REST, and a message that no worker takes would stay in Redis for ever."""

    def __init__(
        self, send: Send, queue_of: Callable[[str], str | None], length: Length = lambda queue: 0
    ) -> None:
        self._send, self._queue_of, self._length = send, queue_of, length

    def dispatch(self, task_id: str, attempt: int, job_type: str, countdown: float = 0.0) -> bool:
        """Sends one hint; returns False when it is not needed: the queue has ``MAX_QUEUED`` messages, one of which
        claims the task, or the task is due so late that a worker would hold the message in memory. Raises BrokerDown.
        """
        queue = self._queue_of(job_type)
        if queue is None or countdown > SOON_SECONDS:
            return False
        with green.limit(SEND_SECONDS, BrokerDown("no answer in time")):
            if self._length(queue) >= MAX_QUEUED:
                return False
            self._send(message_id(task_id, attempt), queue, (task_id, attempt), countdown)
        return True

    def send_hint(self, task_id: str, attempt: int, job_type: str, countdown: float = 0.0) -> bool:
        """Sends one hint as ``dispatch`` does, but returns False when the broker does not take it: a later round sends
        it again."""
        try:
            self.dispatch(task_id, attempt, job_type, countdown)
        except BrokerDown as error:
            logger.warning("the hint of task %s is sent again when the broker is back: %s", task_id, error)
            return False
        return True

    def send_hints(self, hints: Iterable[Hint]) -> bool:
        """Sends hints up to the first that the broker does not take: each further one could take seconds. Returns
        whether the broker took all."""
        return all(self.send_hint(*hint) for hint in hints)

    def resend(self, connect: Connect, everything: bool, most: int = MAX_RESENT) -> int:
        """Sends hints again for due tasks that no worker claimed, up to ``most``, and up to ``MAX_QUEUED`` in a queue.
        Returns how many it sent. ``everything``, after Redis lost its data, ignores the back-off. The rest stays due
        for the next round.

        The attempt stays the same, so the task is claimed once, by the old message or the new one. No hint is
        sent for held tasks, whose user runs as many as the cap allows: the end of one of those sends it (see
        ``fair_claims``).
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
            logger.warning("resending stops after %d hints: %s", sent, error)
            self._put_back(connect, [task_id for task_id, _, _ in due])
        return sent

    def _take_batches(
        self, connect: Connect, most: int
    ) -> Iterator[tuple[str | None, list[tuple[str, int, bool]]]]:
        """Takes due tasks, queue by queue, as far as each queue has free space; each batch is one transaction."""
        for queue, types, room in self._free_space(connect):
            full = True
            while full and (limit := min(RESEND_BATCH, room, most)) > 0:
                with connect() as conn, conn.cursor() as cur:
                    due = self._take_due(cur, types, limit)
                room, most, full = room - len(due), most - len(due), len(due) == limit
                yield queue, due

    def _free_space(self, connect: Connect) -> list[tuple[str | None, list[str], int]]:
        """Returns the queues that have due tasks, the emptiest first: (queue, job types, how many messages fit). Tasks
        of a full or paused queue stay due for the next round."""
        with connect() as conn, conn.cursor() as cur:
            cur.execute(
                "SELECT DISTINCT job_type FROM dispatches WHERE due_at <= now() AND next_send_at <= now()"
            )
            types: dict[str | None, list[str]] = {}
            for (job_type,) in cur.fetchall():
                types.setdefault(self._queue_of(job_type), []).append(job_type)
            for paused in paused_queues(cur):
                types.pop(paused, None)
        rooms = [
            (queue, due, MAX_QUEUED - (self._length(queue) if queue else 0)) for queue, due in types.items()
        ]
        return sorted(rooms, key=lambda row: -row[2])

    def _take_due(self, cur: Cursor, types: list[str], limit: int) -> list[tuple[str, int, bool]]:
        cur.execute(
            """WITH taken AS (
                   UPDATE dispatches SET send_count = send_count + 1,
                       next_send_at = now() + make_interval(secs => least(30 * 2 ^ least(send_count + 1, 10), %s))
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
        """Makes tasks that were taken but not sent due at once and does not count the try."""
        with connect() as conn, conn.cursor() as cur:
            cur.execute(
                """UPDATE dispatches SET send_count = send_count - 1, next_send_at = now()
                   WHERE task_id = ANY(%s::uuid[]) AND send_count > 0""",
                (tasks,),
            )
