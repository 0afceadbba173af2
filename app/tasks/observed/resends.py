"""Retries of observed tasks: a user's wish, which an answer to the reporter carries once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from psycopg2.extensions import cursor as Cursor

from app.errors import Conflict, NotFound
from app.inbox.notification import notification
from app.inbox.run_notice import link_to
from app.stream.event import Draft, task_stream, user_stream
from app.stream.store import lock
from app.tasks.fold import TERMINAL
from app.tasks.observed.known import Attempts, known_tasks
from app.tasks.observed.task import ObservedTask
from app.tasks.projection import load

MOST = 50  # in one answer
SILENT_SECONDS = (
    30  # without a batch; then another writer of the same key may start the task again, if it can
)


def last_run(cur: Cursor, task_id: str) -> str:
    """Returns the task of the newest attempt under the id that the reporter has for this task: the task itself, or the
    last of its retries. The next attempt is a retry of that one."""
    known = known_tasks(cur, [task_id])
    first = known[task_id].first_id if known else task_id
    return Attempts.read(cur, [first], []).task_of(first)


def ask(cur: Cursor, task_id: str) -> str:
    """Stores the wish for the last run of a task; returns that one's status. Raises NotFound, and Conflict when it has
    not ended, cannot be started from here, or is about to be."""
    stream = task_stream(task_id)
    row = lock(cur, [stream]).get(stream)
    if row is None:
        raise NotFound("There is no such task")
    task = load(cur, [stream])[stream]["task"]
    if task["status"] not in TERMINAL:
        raise Conflict(f"The last run of the task has not ended: it is {task['status']}; wait for its end")
    if not task["can_retry"]:
        raise Conflict("Who reported the task cannot start it again; start it where it was started first")
    cur.execute(
        """INSERT INTO resends (task_id, reporter, writer)
           SELECT tasks.id, coalesce(last.reporter, tasks.reporter), last.writer FROM tasks LEFT JOIN LATERAL (
               SELECT reporter, writer FROM reported_attempts WHERE task_id = tasks.id
               ORDER BY number DESC LIMIT 1) AS last ON true
           WHERE tasks.id = %s AND coalesce(last.reporter, tasks.reporter) IS NOT NULL ON CONFLICT DO NOTHING""",
        (task_id,),
    )
    if cur.rowcount == 0:
        raise Conflict(
            "The reporter of the task is asked already; the new run is in the list as soon as it begins"
        )
    # A cancelled task begins no attempt; now it is wanted again.
    cur.execute("UPDATE streams SET cancel_requested = false WHERE id = %s", (row.id,))
    return str(task["status"])


def forbid(cur: Cursor, tasks: Sequence[ObservedTask]) -> None:
    """Stores that these ended tasks cannot be started again, and forgets wishes for them."""
    if tasks:
        ids = [task.task_id for task in tasks]
        cur.execute("UPDATE tasks SET can_retry = false WHERE id = ANY(%s::uuid[])", (ids,))
        cur.execute("DELETE FROM resends WHERE task_id = ANY(%s::uuid[])", (ids,))


def told(tasks: Sequence[ObservedTask]) -> Iterator[Draft]:
    """Yields what the owners of these tasks hear of it: no event follows the end of a task's own stream."""
    for task in tasks:
        yield notification(
            user_stream(task.fields["user_id"]),
            f"{task.fields['title'][:220]} cannot be started again",
            "No process that reports has its message any more; start it where it was started first",
            "warning",
            tenant=task.tenant,
            **link_to(task.fields["task_id"]),
        )


def take(
    cur: Cursor, reporter: str, writer: str, workers: Sequence[str] = (), types: Collection[str] = ()
) -> list[str]:
    """Returns the ids of the tasks, as their reporter gave them, that this writer is to start again, and forgets the
    wishes: those of attempts that the writer held, or one of the ``workers`` of which it tells. A worker's processes
    have names such as ``mail@host-3/4711``, and each is a writer, which may be silent for long.

    Wishes for attempts of writers that have gone, and for tasks without an attempt, are for a writer that tells of
    workers, or that names a task of the same job type which can be started again: ``types`` has those types."""
    cur.execute(
        """WITH taken AS (DELETE FROM resends WHERE task_id IN (
               SELECT task_id FROM resends WHERE reporter = %(reporter)s AND (
                   writer = %(writer)s OR EXISTS (
                       SELECT FROM tasks, unnest(%(workers)s::text[]) AS name
                       WHERE tasks.id = task_id AND starts_with(worker, name || '/'))
                   OR (cardinality(%(workers)s::text[]) > 0 OR EXISTS (
                       SELECT FROM tasks WHERE tasks.id = task_id AND job_type = ANY(%(types)s::text[])))
                   AND NOT EXISTS (
                       SELECT FROM writers WHERE writers.id = resends.writer
                           AND seen_at > now() - make_interval(secs => %(silent)s)))
               ORDER BY asked_at LIMIT %(most)s FOR UPDATE SKIP LOCKED) RETURNING task_id, asked_at)
           SELECT reported_id FROM taken JOIN tasks ON tasks.id = task_id ORDER BY asked_at, reported_id""",
        {
            "reporter": reporter,
            "writer": writer,
            "workers": list(workers),
            "types": list(types),
            "silent": SILENT_SECONDS,
            "most": MOST,
        },
    )
    return [reported_id for (reported_id,) in cur]
