"""The fair queue: a message says that a task of a queue can be claimed, and the worker claims the fairest choice.

Each queued task has a message, or its queue is full (``broker.MAX_QUEUED``), and each message claims one task of any
user. So all tasks are claimed, but not in the broker's order: first those of the user with the fewest running tasks,
then of the user whose last claim is the oldest. A user runs at most ``Cap`` tasks at a time. Messages for a user at
the cap are dropped and the user is marked ``held``, so they do not block the queue. The end of one of the user's tasks
sends the next message; if that is lost, the next round does.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

from psycopg2.extensions import cursor as Cursor

from app.stream.store import Connect
from app.stream.transaction import Begin, Hint, Transaction
from app.tasks.dispatch import Dispatcher
from app.tasks.holds import IS_HELD
from app.tasks.lifecycle import Claim, claim
from app.tasks.plan import Declared, nothing_declared
from app.tasks.slots import SLOTS, Cap

TRIES = 10  # of one message, each lost to a quicker worker; if all are lost, a round sends the next messages
CANDIDATE_USERS = 100  # that one claim compares, from a random one on: chance is fair when more wait
HELD_USERS = 200  # in one round
HELD_TASKS = 50  # of one user, in one round

# The first queued tasks of a user, of this queue's job types: one index lookup for each type, however many wait.
_FIRST = """SELECT found.* FROM unnest(%(types)s::text[]) AS type (name), LATERAL (
        SELECT task_id, number, job_type, due_at FROM dispatches
        WHERE dispatches.user_id = {} AND job_type = type.name AND due_at <= now()
        ORDER BY due_at LIMIT %(first)s) AS found
    ORDER BY due_at, task_id LIMIT %(first)s"""

_NEXT = "SELECT user_id FROM dispatches WHERE user_id {} ORDER BY user_id LIMIT 1"

_CHOOSE = f"""WITH RECURSIVE {SLOTS},
    waiting (user_id, begun, seen) AS (
        SELECT user_id, user_id, 1
        FROM (SELECT coalesce(({_NEXT.format(">= %(start)s")}), ({_NEXT.format("< %(start)s")})) AS user_id) AS one
        WHERE user_id IS NOT NULL
      UNION ALL
        SELECT one.user_id, begun, seen + 1
        FROM waiting, LATERAL (SELECT coalesce(
            ({_NEXT.format("> waiting.user_id")}), ({_NEXT.format("< waiting.user_id")})) AS user_id) AS one
        WHERE seen < %(users)s AND one.user_id <> begun)
    SELECT waiting.user_id::text FROM waiting
    CROSS JOIN cap CROSS JOIN LATERAL ({_FIRST.format("waiting.user_id")}) AS first
    LEFT JOIN occupied ON occupied.user_id = waiting.user_id
    LEFT JOIN turns ON turns.user_id = waiting.user_id
    WHERE NOT {IS_HELD}
    ORDER BY coalesce(occupied.number >= cap.most, false), coalesce(occupied.number >= cap.most AND held, false),
        coalesce(occupied.number, 0), turns.claimed_at NULLS FIRST, first.due_at
    LIMIT 1"""

_LOCK = """INSERT INTO turns (user_id) VALUES (%(user)s) ON CONFLICT DO NOTHING;
    SELECT held FROM turns WHERE user_id = %(user)s FOR UPDATE"""

_TAKE = f"""WITH {SLOTS}
    SELECT {IS_HELD}, coalesce((SELECT number FROM occupied WHERE user_id = %(user)s) >= cap.most, false),
        first.task_id::text, first.number
    FROM cap LEFT JOIN LATERAL ({_FIRST.format("%(user)s")}) AS first ON true"""

# A message that a drained worker took is sent again soon, to another worker.
_HELD = f"""UPDATE dispatches SET next_send_at = now() WHERE task_id = %(named)s
        AND EXISTS (SELECT FROM holds WHERE kind = 'worker' AND name = %(worker)s);
    SELECT {IS_HELD}"""

_FREE_SLOTS = f"""WITH {SLOTS}
    SELECT cap.idle::int,
        least(cap.idle, cap.most - coalesce((SELECT number FROM occupied WHERE user_id = %(user)s), 0))::int FROM cap"""


class FairClaim:
    """Claims a task for one message, which names the task and dispatch ``named``. ``types``: the queue's job types;
    ``declared`` returns the phases of each."""

    def __init__(
        self,
        cap: Cap,
        queue: str,
        types: Sequence[str],
        named: tuple[str, int],
        worker: str,
        declared: Declared = nothing_declared,
    ) -> None:
        self._values = cap.values(
            queue=queue,
            worker=worker.rpartition("/")[0],
            types=list(types),
            users=CANDIDATE_USERS,
            first=1,
            named=named[0],
        )
        self._named, self._worker, self._declared = named, worker, declared
        self._tried: tuple[str, int] | None = None

    def claim_fairest(self, begin: Begin) -> Claim | None:
        """Claims the fairest queued task; returns None when no task may run now, nor while the queue is paused or the
        worker drained. Called again after DatabaseUnavailable, it first repeats the claim whose commit was unclear."""
        if self._tried is not None:
            with begin() as tx:
                found = claim(tx, *self._tried, self._worker, again=True, declared=self._declared)
            if found is not None:
                return found
        for _ in range(TRIES):
            # Each try is a transaction, so none holds the locks of two users.
            with begin() as tx:
                found, again = self._try(tx)
            if not again:
                return found
        return None

    def _try(self, tx: Transaction) -> tuple[Claim | None, bool]:
        """Tries to claim; also returns whether to try again because another worker was quicker."""
        cur = tx.cur
        cur.execute(_CHOOSE, self._values | {"start": str(uuid.uuid4())})
        row = cur.fetchone()
        if row is None:
            if self._is_held(cur):
                return None, False
            # The message is early by Postgres's clock, or of a job type that this worker lacks.
            return self._claim(tx, *self._named), False
        (user,) = row
        cur.execute(_LOCK, {"user": user})
        cur.execute(_TAKE, self._values | {"user": user})
        held, full, task_id, number = cur.fetchall()[0]
        if task_id is None:
            return None, True
        if held and self._is_held(cur):
            return None, False
        if full:
            cur.execute("UPDATE turns SET held = true WHERE user_id = %s AND NOT held", (user,))
            return None, False
        found = self._claim(tx, task_id, number)
        if found is not None:
            cur.execute("UPDATE turns SET claimed_at = clock_timestamp() WHERE user_id = %s", (user,))
        return found, found is None

    def _is_held(self, cur: Cursor) -> bool:
        cur.execute(_HELD, self._values)
        return bool(cur.fetchall()[0][0])

    def _claim(self, tx: Transaction, task_id: str, number: int) -> Claim | None:
        self._tried = task_id, number
        return claim(tx, task_id, number, self._worker, declared=self._declared)


def next_hint(cur: Cursor, task_id: str, types: Sequence[str]) -> Hint | None:
    """Returns the hint to send when an attempt of the task is over: for the next task of the same user, if the user is
    held."""
    cur.execute(
        """SELECT turns.user_id::text, held FROM turns JOIN tasks ON tasks.user_id = turns.user_id
           WHERE tasks.id = %s FOR UPDATE OF turns""",
        (task_id,),
    )
    row = cur.fetchone()
    if row is None or not row[1]:
        return None
    waiting = _waiting(cur, row[0], 1, types)
    return waiting[0] if waiting else None


def send_held(
    connect: Connect, dispatcher: Dispatcher, cap: Cap, queue_of: Callable[[str], str | None]
) -> int:
    """Sends hints for tasks of held users, as far as slots are idle and the cap allows; returns how many. Without it a
    task would wait for ever when a worker died before it sent the next hint."""
    with connect() as conn, conn.cursor() as cur:
        cur.execute("SELECT user_id::text FROM turns WHERE held ORDER BY claimed_at LIMIT %s", (HELD_USERS,))
        users = [user for (user,) in cur]
    hints, left = list[Hint](), dict[str, int]()
    for user in users:
        with connect() as conn, conn.cursor() as cur:
            cur.execute(_LOCK, {"user": user})
            waiting = _waiting(cur, user, HELD_TASKS)
            queues: dict[str | None, list[Hint]] = {}
            for hint in waiting:
                queues.setdefault(queue_of(hint.job_type), []).append(hint)
            if not any(queues):
                cur.execute("UPDATE turns SET held = false WHERE user_id = %s", (user,))
            for queue in filter(None, queues):
                cur.execute(_FREE_SLOTS, cap.values(queue=queue, user=user))
                idle, room = cur.fetchall()[0]
                sent = queues[queue][: max(0, min(left.setdefault(queue, idle), room))]
                left[queue] -= len(sent)
                hints += sent
    dispatcher.send_hints(hints)
    return len(hints)


def _waiting(cur: Cursor, user: str, most: int, types: Sequence[str] | None = None) -> list[Hint]:
    """Returns hints for the first queued tasks of a user, of these job types; of all types for None."""
    named = list(types) if types is not None else _types(cur, user)
    cur.execute(_FIRST.format("%(user)s"), {"user": user, "types": named, "first": most})
    return [Hint(str(task_id), number, job_type) for task_id, number, job_type, _ in cur]


def _types(cur: Cursor, user: str) -> list[str]:
    """Returns the job types of a user's queued tasks."""
    cur.execute(
        """WITH RECURSIVE waiting (name) AS (
               (SELECT job_type FROM dispatches WHERE user_id = %(user)s ORDER BY job_type LIMIT 1)
             UNION ALL
               SELECT (SELECT job_type FROM dispatches WHERE user_id = %(user)s AND job_type > waiting.name
                       ORDER BY job_type LIMIT 1) FROM waiting WHERE waiting.name IS NOT NULL)
           SELECT name FROM waiting WHERE name IS NOT NULL""",
        {"user": user},
    )
    return [name for (name,) in cur]
