"""Bulk actions in Postgres: the order, its tasks in the order of their creation, and what became of each.

A filter is resolved when the run begins, for the tasks that were there when it was asked for: none that comes later is
touched. The outcome of a task is stored in the transaction that acts on it, so another attempt of the run goes on where
the first one was lost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from app.db.clock import TIME_TEXT
from app.errors import Conflict
from app.jobs import BULK
from app.stream.store import Connect
from app.tasks.list_filter import Listing
from app.tasks.listing import list_tasks

ACTIONS = CANCEL, RETRY = "cancel", "retry"
OUTCOMES = CANCELLED, ASKED, RETRIED, REFUSED = "cancelled", "asked", "retried", "refused"
MOST_IDS = 1_000
AT_ONCE = 1  # open ones of a user
MOST_FOUND = 10_000  # of a filter
PAGE = 1_000  # tasks of a filter that are read at a time
MOST_PAGES = 2_000  # each looks at so many tasks as a page of the list does


class Order(NamedTuple):
    """``listing`` is a filter that is not resolved; ``created_at`` is the time of the order."""

    task_id: str
    user_id: str
    tenant: str | None
    created_at: str
    key_id: str | None
    action: str
    listing: Mapping[str, Any] | None
    more: bool


class Target(NamedTuple):
    """``outcome`` is None until it is its turn; ``about`` says why it was refused, or is the id of its retry."""

    position: int
    task_id: str
    outcome: str | None
    about: str | None


def refuse_second(cur: Cursor, user_id: str) -> None:
    """Raises Conflict while another bulk action of the user has not ended: one takes one slot of a worker. Of two at
    once one waits for the other, on the user's row."""
    cur.execute("SELECT FROM users WHERE id = %s FOR NO KEY UPDATE", (user_id,))
    cur.execute(
        """SELECT id::text FROM tasks WHERE user_id = %s AND finished_at IS NULL AND job_type = %s AND NOT observed
           ORDER BY created_at OFFSET %s LIMIT 1""",
        (user_id, BULK, AT_ONCE - 1),
    )
    if row := cur.fetchone():
        raise Conflict(
            f"Another bulk action of yours has not ended: {row[0]}; wait for its end, or cancel it"
        )


def order(cur: Cursor, task_id: str, key_id: str | None, action: str, of: Collection[str] | Listing) -> None:
    """Stores the order of a new run: of tasks by their ids, or of a list."""
    listing = None
    if isinstance(of, Listing):
        given = {name: value for name, value in asdict(of).items() if value is not None}
        times = {name: value.isoformat() for name, value in given.items() if isinstance(value, datetime)}
        listing = Json(given | times)
    cur.execute(
        "INSERT INTO bulk_runs (task_id, key_id, action, listing) VALUES (%s, %s, %s, %s)",
        (task_id, key_id, action, listing),
    )
    if not isinstance(of, Listing):
        _add(cur, task_id, of)


def _add(cur: Cursor, bulk_id: str, task_ids: Collection[str]) -> None:
    """Parents come before their steps: the end of a step would end its parent."""
    cur.execute(
        """INSERT INTO bulk_targets (bulk_id, position, task_id)
           SELECT %s, row_number() OVER (ORDER BY created_at, given.id), given.id
           FROM (SELECT DISTINCT unnest(%s::uuid[]) AS id) AS given LEFT JOIN tasks ON tasks.id = given.id""",
        (bulk_id, list(task_ids)),
    )


def find(cur: Cursor, task_id: str) -> Order | None:
    """Returns the order of a run; None of a run that nobody has ordered."""
    cur.execute(
        f"""SELECT tasks.id::text, user_id::text, tenant, {TIME_TEXT.format("created_at")}, key_id::text, action,
                listing, more FROM bulk_runs JOIN tasks ON tasks.id = task_id WHERE task_id = %s""",
        (task_id,),
    )
    row = cur.fetchone()
    return Order(*row) if row else None


def resolve(connect: Connect, order: Order) -> Iterator[int]:
    """Finds the tasks of the order's filter, newest first, and stores them; yields their number after each page.

    ``more`` of the order becomes true when there are others, which stay as they are."""
    values = dict(order.listing or {})
    values["until"] = min(datetime.fromisoformat(at) for at in (order.created_at, values.get("until")) if at)
    wanted, found, before = Listing(**values), list[str](), None
    for _ in range(MOST_PAGES):
        with connect() as conn, conn.cursor() as cur:
            page = list_tasks(cur, wanted, before, PAGE)
        found += [task["task_id"] for task in page.tasks]
        before = page.next
        yield min(len(found), MOST_FOUND)
        if before is None or len(found) > MOST_FOUND:
            break
    with connect() as conn, conn.cursor() as cur:
        more = before is not None or len(found) > MOST_FOUND
        cur.execute(
            "UPDATE bulk_runs SET listing = NULL, more = %s WHERE task_id = %s", (more, order.task_id)
        )
        _add(cur, order.task_id, found[:MOST_FOUND])


def targets(cur: Cursor, bulk_id: str) -> Sequence[Target]:
    """Returns the tasks of a bulk action, in the order in which they are acted on."""
    cur.execute(
        "SELECT position, task_id::text, outcome, about FROM bulk_targets WHERE bulk_id = %s ORDER BY position",
        (bulk_id,),
    )
    return [Target(*row) for row in cur]


def settle(cur: Cursor, bulk_id: str, target: Target) -> None:
    """Stores what became of a task."""
    cur.execute(
        "UPDATE bulk_targets SET outcome = %s, about = %s WHERE bulk_id = %s AND position = %s",
        (target.outcome, target.about, bulk_id, target.position),
    )
