"""What works where: workers and queues, as they are reported."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple
from uuid import UUID, uuid5

from msgspec import Meta, Struct
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from app.tasks.observed.part import LONGEST_NAME, TaskId, name_of
from app.tasks.observed.reporter import Reporter

MOST_REPORTED = 200  # workers, and queues, of a batch
MOST_RUNNING = 500  # tasks of a worker
MOST_OF_ONE = 1_000  # workers, and queues, of an account
MOST_ROWS = 10_000  # of all accounts together; our own are not counted
MOST_TEXTS = 50  # queues and versions of a worker
DEFAULT_BEAT, LONGEST_BEAT = 10, 3_600
ALIVE_SECONDS, ALIVE_BEATS = 30, 3  # what did not report for the longer of both is not alive
LARGEST = 2**53

Name = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=0, le=LARGEST)]
Seconds = Annotated[float, Meta(ge=0, le=LARGEST)]
Beat = Annotated[float, Meta(gt=0, le=LONGEST_BEAT)]


class WorkerEntry(Struct, kw_only=True, forbid_unknown_fields=True):
    """``running``: the ids of its tasks, which renews their leases; ``waiting``: of those that it holds and has not
    begun. ``beat_seconds``: how often it reports."""

    name: Name
    host: str | None = None
    pid: Count | None = None
    pool: str | None = None
    slots: Count | None = None
    queues: list[str] = []
    running: Annotated[list[TaskId], Meta(max_length=MOST_RUNNING)] = []
    waiting: Annotated[list[TaskId], Meta(max_length=MOST_RUNNING)] = []
    memory_bytes: Count | None = None
    versions: dict[str, str] = {}
    beat_seconds: Beat = DEFAULT_BEAT


class QueueEntry(Struct, kw_only=True, forbid_unknown_fields=True):
    name: Name
    depth: Count
    oldest_wait_seconds: Seconds | None = None
    beat_seconds: Beat = DEFAULT_BEAT


class Whose(NamedTuple):
    """The namespace of the names, and who may see them: the account and its tenant; None for all."""

    namespace: UUID
    user_id: str | None = None
    tenant: str | None = None

    @classmethod
    def of(cls, reporter: Reporter) -> Whose:
        return cls(UUID(reporter.key), reporter.user_id, reporter.tenant)


# A worker that says another process, or that was silent for long, has begun anew.
_SINCE = """, since = CASE
    WHEN (worker_reports.pid, worker_reports.host) IS NOT DISTINCT FROM (EXCLUDED.pid, EXCLUDED.host)
        AND worker_reports.seen_at > now() - make_interval(secs => greatest(60, 3 * EXCLUDED.beat_seconds))
    THEN worker_reports.since ELSE now() END"""


def report_workers(
    cur: Cursor, whose: Whose, workers: Iterable[WorkerEntry], tasks_of: Callable[[list[str]], list[str]]
) -> list[str]:
    """Stores the workers; returns the names of those for which there was no room. ``tasks_of`` returns the tasks of
    reported ids. The caller commits soon: the rows are locked in their order, so that two batches do not wait for each
    other."""
    rows = {}
    for worker in workers:
        name = name_of(worker.name) or "worker"
        queues = list(dict.fromkeys(filter(None, map(name_of, worker.queues[:MOST_TEXTS]))))
        texts = list(worker.versions.items())[:MOST_TEXTS]
        versions = {key[:LONGEST_NAME]: value[:LONGEST_NAME] for key, value in texts}
        rows[str(uuid5(whose.namespace, name))] = (
            *(name, name_of(worker.host), worker.pid, name_of(worker.pool), worker.slots, queues),
            *(tasks_of(worker.running), tasks_of(worker.waiting)),
            *(worker.memory_bytes, Json(versions), worker.beat_seconds),
        )
    columns = ("name", "host", "pid", "pool", "slots", "queues", "running", "waiting", "memory_bytes")
    return store_reports(cur, "worker_reports", (*columns, "versions", "beat_seconds"), whose, rows)


def report_queues(cur: Cursor, whose: Whose, queues: Iterable[QueueEntry]) -> list[str]:
    """Stores the queues, as ``report_workers`` does."""
    rows = {}
    for queue in queues:
        name = name_of(queue.name) or "queue"
        values = name, queue.depth, queue.oldest_wait_seconds, queue.beat_seconds
        rows[str(uuid5(whose.namespace, name))] = values
    return store_reports(
        cur, "queue_reports", ("name", "depth", "oldest_wait_seconds", "beat_seconds"), whose, rows
    )


def store_reports(
    cur: Cursor, table: str, columns: Sequence[str], whose: Whose, rows: Mapping[str, Sequence[Any]]
) -> list[str]:
    without_room = _without_room(cur, table, whose, rows) if whose.user_id else []
    not_stored = [rows[id][0] for id in without_room]
    reporter = str(whose.namespace) if whose.user_id else None
    values = [
        (id, whose.user_id, whose.tenant, reporter, *rows[id]) for id in sorted(rows.keys() - without_room)
    ]
    if not values:
        return not_stored
    named = ", ".join(("id", "user_id", "tenant", "reporter", *columns))
    changes = ", ".join(f"{name} = EXCLUDED.{name}" for name in ("tenant", "reporter", *columns))
    changes += _SINCE if table == "worker_reports" else ""
    template = f"(%s{', %s' * (len(values[0]) - 1)})"
    if table == "worker_reports":
        kinds = {"queues": "%s::text[]", "running": "%s::uuid[]", "waiting": "%s::uuid[]"}
        casts = ["%s"] * 4 + [kinds.get(name, "%s") for name in columns]
        template = f"({', '.join(casts)})"
    execute_values(
        cur,
        f"""INSERT INTO {table} ({named}) VALUES %s
            ON CONFLICT (id) DO UPDATE SET {changes}, seen_at = now()""",
        values,
        template,
        page_size=len(values),
    )
    return not_stored


def _without_room(cur: Cursor, table: str, whose: Whose, ids: Collection[str]) -> list[str]:
    """Returns those of the ids that are new and too many. Several batches at once may all have room."""
    if not ids:
        return []
    cur.execute(f"SELECT id::text FROM {table} WHERE id = ANY(%s::uuid[])", (list(ids),))
    known = {id for (id,) in cur}
    new = [id for id in ids if id not in known]
    if not new:
        return []
    cur.execute(f"SELECT count(*) FILTER (WHERE user_id = %s), count(user_id) FROM {table}", (whose.user_id,))
    own, of_all = cur.fetchall()[0]
    return new[max(0, min(MOST_OF_ONE - own, MOST_ROWS - of_all)) :]
