"""Who takes from the queues. Two projects of a tenant may each have a queue of one name, at brokers of their own: the
workers of a queue are those of the key by which it is reported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

from app.db.clock import TIME_TEXT
from app.tasks.observed.fleet import ALIVE_BEATS, ALIVE_SECONDS

MOST_NAMED = 20  # of a queue; all are counted

_VALUES = {"seconds": ALIVE_SECONDS, "beats": ALIVE_BEATS, "most": MOST_NAMED}

_REPORTED = "SELECT id, name, reporter, user_id, tenant FROM queue_reports WHERE id = ANY(%(queues)s::uuid[])"
_NAMED = "SELECT NULL::uuid, %(name)s, %(reporter)s::uuid, %(user)s::uuid, %(tenant)s"

# Where the key of a queue reports no worker, workers of another key count that reports no queue of this name: a project
# may have one key for its workers, and one for what watches its broker.
_CONSUMERS = f"""WITH queue (id, name, reporter, user_id, tenant) AS ({{queues}}),
    known AS (SELECT queue.id, queue.name AS queue, worker.name, slots, cardinality(running) AS running, seen_at,
            worker.reporter, worker.reporter IS NOT DISTINCT FROM queue.reporter AS same,
            bool_or(worker.reporter IS NOT DISTINCT FROM queue.reporter) OVER (PARTITION BY queue.id) AS any_same,
            seen_at > now() - make_interval(secs => greatest(%(seconds)s, %(beats)s * beat_seconds)) AS alive,
            worker.user_id IS NULL AND EXISTS (
                SELECT FROM holds WHERE kind = 'worker' AND holds.name = worker.name) AS drained
        FROM worker_reports AS worker CROSS JOIN LATERAL unnest(worker.queues) AS taken (name)
        JOIN queue ON queue.name = taken.name AND CASE WHEN queue.user_id IS NULL THEN worker.user_id IS NULL
            ELSE worker.user_id = queue.user_id OR worker.tenant = queue.tenant END)
    SELECT id::text, count(*) FILTER (WHERE takes), coalesce(sum(slots) FILTER (WHERE takes), 0)::bigint,
        coalesce(sum(running) FILTER (WHERE takes), 0)::bigint,
        coalesce((array_agg(name ORDER BY name) FILTER (WHERE takes))[:%(most)s], '{{{{}}}}'),
        CASE WHEN NOT bool_or(alive) THEN {TIME_TEXT.format("max(seen_at)")} END
    FROM known CROSS JOIN LATERAL (SELECT alive AND NOT drained AS takes) AS now
    WHERE same OR NOT any_same AND NOT EXISTS (
        SELECT FROM queue_reports AS other WHERE other.name = queue AND other.reporter = known.reporter)
    GROUP BY id"""


class Consumers(NamedTuple):
    """The workers that are alive and may take tasks of a queue, their slots, and what they run, of all queues.
    ``since``: when the last worker was heard; None while one is alive, and where none is known."""

    number: int = 0
    slots: int = 0
    busy: int = 0
    names: Sequence[str] = ()
    since: str | None = None


def consumers_of(cur: Cursor, queues: Sequence[str]) -> dict[str, Consumers]:
    """Returns who takes from each of these queues, by their ids in ``queue_reports``."""
    cur.execute(_CONSUMERS.format(queues=_REPORTED), _VALUES | {"queues": list(queues)})
    return {queue: Consumers(*found) for queue, *found in cur.fetchall()}


def consumers_of_unreported(
    cur: Cursor, name: str, reporter: str | None, user: str, tenant: str | None
) -> Consumers:
    """Returns who takes from a queue that nobody reports, and that tasks of ``reporter`` name."""
    asked = {"name": name, "reporter": reporter, "user": user, "tenant": tenant}
    cur.execute(_CONSUMERS.format(queues=_NAMED), _VALUES | asked)
    return next((Consumers(*found) for _, *found in cur.fetchall()), Consumers())
