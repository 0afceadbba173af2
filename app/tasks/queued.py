"""Why a task waits for a worker: what stops its queue, or its place in it.

The place is by the order of claims (``fair_claims``): users take turns. It is what is to be expected when nothing
else is queued and no other task ends meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg2.extensions import cursor as Cursor

from app.db.clock import TIME_TEXT
from app.tasks.fold import PENDING, RETRY
from app.tasks.holds import holds_of
from app.tasks.observed.consumers import Consumers, consumers_of, consumers_of_unreported
from app.tasks.observed.fleet import ALIVE_BEATS, ALIVE_SECONDS
from app.tasks.observed.waiting import Waiting, waiting_in
from app.tasks.slots import SLOTS, Cap

MOST = 100  # tasks before a task that are counted
USERS = 100  # with waiting tasks that are compared
REASONS = LATER, PAUSED, DRAINED, NO_WORKER, AT_CAP, TAKEN, QUEUED = (
    *("later", "paused", "drained", "no_worker", "at_cap", "taken"),
    "queued",
)

_TASK = f"""SELECT tasks.user_id::text, tasks.tenant, tasks.job_type, observed, queue, reporter::text, status,
        {TIME_TEXT.format("due_at")}, due_at > now()
    FROM tasks LEFT JOIN dispatches ON task_id = id WHERE id = %s"""

# The workers of a queue that run, drained or not, and when one of the others was seen last.
_WORKERS = f"""SELECT coalesce(array_agg(name) FILTER (WHERE fresh), '{{}}'), {TIME_TEXT.format("max(seen_at)")}
    FROM (SELECT name, seen_at, seen_at > now() - make_interval(secs => %(fresh)s) AS fresh
          FROM worker_reports WHERE user_id IS NULL AND %(queue)s = ANY(queues)) AS worker"""

_PLACE = f"""WITH RECURSIVE {SLOTS},
    waiting (user_id, seen) AS (
        (SELECT user_id, 1 FROM dispatches ORDER BY user_id LIMIT 1)
      UNION ALL
        SELECT (SELECT user_id FROM dispatches WHERE user_id > waiting.user_id ORDER BY user_id LIMIT 1), seen + 1
        FROM waiting WHERE user_id IS NOT NULL AND seen < %(users)s),
    mine AS (SELECT count(*) AS before FROM (
        SELECT FROM dispatches, (SELECT due_at, task_id FROM dispatches WHERE task_id = %(task)s) AS this
        WHERE user_id = %(user)s AND job_type = ANY(%(types)s)
            AND (dispatches.due_at, dispatches.task_id) < (this.due_at, this.task_id) LIMIT %(counted)s) AS earlier),
    users AS (SELECT waiting.user_id, coalesce(number, 0) AS running, claimed_at,
            coalesce(number >= cap.most, false) AS full
        FROM (SELECT user_id FROM waiting WHERE user_id IS NOT NULL UNION SELECT %(user)s::uuid) AS waiting
        CROSS JOIN cap LEFT JOIN occupied USING (user_id) LEFT JOIN turns USING (user_id)),
    me AS (SELECT * FROM users WHERE user_id = %(user)s),
    others AS (SELECT count(*) AS before FROM users CROSS JOIN me CROSS JOIN mine CROSS JOIN LATERAL (
            SELECT FROM dispatches WHERE user_id = users.user_id AND job_type = ANY(%(types)s) AND due_at <= now()
            LIMIT mine.before + ((users.running, coalesce(users.claimed_at, '-infinity'))
                < (me.running, coalesce(me.claimed_at, '-infinity')))::int) AS first
        WHERE users.user_id <> me.user_id AND NOT users.full)
    SELECT mine.before + others.before, mine.before >= %(counted)s, me.full, me.running, cap.most::int,
        coalesce((SELECT sum(slots) FROM crew), 0)::int, cap.idle::int
    FROM mine, others, me, cap"""

_WHOSE = "(user_id = %(user)s OR tenant = %(tenant)s)"
_DEPTH = f"""SELECT id::text, CASE WHEN seen_at > now() - make_interval(secs => %(fresh)s) THEN depth END
    FROM queue_reports WHERE name = %(queue)s AND {_WHOSE}
    ORDER BY reporter IS NOT DISTINCT FROM %(reporter)s::uuid DESC, seen_at DESC LIMIT 1"""
# The worker that had the message when it was heard last. One that runs has it before others.
_TAKEN = f"""SELECT name, {TIME_TEXT.format("seen_at")},
        seen_at > now() - make_interval(secs => greatest(%(fresh)s, %(beats)s * beat_seconds)) AS alive
    FROM worker_reports WHERE {_WHOSE} AND %(task)s::uuid = ANY(waiting) ORDER BY alive DESC, seen_at DESC LIMIT 1"""


def why_queued(
    cur: Cursor, task_id: str, queues: Mapping[str, str], default: str, celery: Sequence[str], cap: Cap
) -> dict[str, Any] | None:
    """Returns why the task waits for a worker; None when it does not, or when nothing is known of its queue.

    ``queues`` has the queue of each job type, ``default`` that of others, and ``celery`` the queues of Celery workers:
    those of other queues claim over REST, and say nothing between two claims.
    """
    cur.execute(_TASK, (task_id,))
    row = cur.fetchone()
    if row is None:
        return None
    user, tenant, job_type, observed, reported_queue, reporter, status, due_at, is_later = row
    if observed:
        waits = status == PENDING and reported_queue
        asked = {
            "task": task_id,
            "user": user,
            "tenant": tenant,
            "queue": reported_queue,
            "reporter": reporter,
        }
        return _observed(cur, asked) if waits else None
    if due_at is None or status not in (PENDING, RETRY):
        return None
    queue = queues.get(job_type, default)
    found: dict[str, Any] = {"queue": queue, "reason": QUEUED}
    if is_later:
        return found | {"reason": LATER, "due_at": due_at}
    if hold := holds_of(cur, "queue", [queue]).get(queue):
        return found | {"reason": PAUSED, "hold": hold}
    if queue in celery:
        cur.execute(_WORKERS, {"queue": queue, "fresh": cap.fresh})
        names, seen_at = cur.fetchall()[0]
        if not names:
            return found | {"reason": NO_WORKER, "seen_at": seen_at}
        drained = holds_of(cur, "worker", names)
        if len(drained) == len(names):
            return found | {"reason": DRAINED, "hold": next(iter(drained.values()))}
    types = [name for name, of in queues.items() if of == queue] or [job_type]
    asked = {"task": task_id, "user": user, "types": types, "users": USERS, "counted": MOST}
    cur.execute(_PLACE, cap.values(queue=queue, **asked))
    before, is_far, full, running, most, slots, idle = cur.fetchall()[0]
    if full:
        return found | {"reason": AT_CAP, "running": running, "most": most}
    found["position"] = None if is_far or before >= MOST else before + 1
    return found | ({"slots": slots, "busy": slots - idle} if queue in celery else {})


def _observed(cur: Cursor, asked: dict[str, Any]) -> dict[str, Any] | None:
    asked |= {"fresh": ALIVE_SECONDS, "beats": ALIVE_BEATS}
    reported, depth = _reported(cur, asked)
    found = {"queue": asked["queue"], "depth": depth}
    cur.execute(_TAKEN, asked)
    for name, seen_at, alive in cur.fetchall():
        return found | {"reason": TAKEN, "worker": name, "alive": alive, "seen_at": seen_at}
    if reported:
        consumers = consumers_of(cur, [reported]).get(reported, Consumers())
    else:
        consumers = consumers_of_unreported(
            cur, asked["queue"], asked["reporter"], asked["user"], asked["tenant"]
        )
    if consumers.number:
        return found | {"reason": QUEUED, "slots": consumers.slots, "busy": consumers.busy}
    known = reported or consumers.since
    return found | {"reason": NO_WORKER, "seen_at": consumers.since} if known else None


def _reported(cur: Cursor, asked: dict[str, Any]) -> tuple[str | None, int | None]:
    """Returns the id of the queue's report, and what waits in it; None when nobody has reported it."""
    cur.execute(_DEPTH, asked)
    for queue, reported in cur.fetchall():
        known = waiting_in(cur, [queue]).get(queue, Waiting()).number
        return queue, max(reported or 0, known)
    return None, None
