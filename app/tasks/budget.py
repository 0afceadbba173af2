"""The daily budget of a user in bytes: parameters, results and all events of tasks, by days of UTC.

No event updates a counter: a stream's row has its size, and triggers add a task's bytes when it is created and when it
ends. Running tasks are added at each check. Over the budget only new tasks are refused: a running task keeps all its
events, or its viewers would not see what happened.
"""

from __future__ import annotations

from psycopg2.extensions import cursor as Cursor

from app.errors import TooMany
from app.stream.store import Connect

KEPT_DAYS = 7
MANY_ROWS = 50  # of a user and day; more are summed up into one


class OverBudget(TooMany):
    """The message names the budget and the time of its reset."""


def check(cur: Cursor, user_id: str, limit: int) -> None:
    """Raises OverBudget when ``limit`` bytes have been stored for the user today; 0 sets no limit. Several requests at
    once may all pass."""
    if not limit:
        return
    cur.execute(
        """SELECT (SELECT coalesce(sum(bytes), 0) FROM stored_bytes WHERE user_id = %(user)s AND day = today.day)
               + (SELECT coalesce(sum(streams.bytes), 0) FROM leases JOIN tasks ON tasks.id = leases.task_id
                  JOIN streams ON streams.id = tasks.stream_id WHERE tasks.user_id = %(user)s),
               to_char(today.day + 1, 'YYYY-MM-DD"T00:00:00Z"'),
               ceil(extract(epoch FROM (today.day + 1) - now() AT TIME ZONE 'UTC'))::int
           FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS day) AS today""",
        {"user": user_id},
    )
    stored, reset, seconds = cur.fetchall()[0]
    if stored >= limit:
        raise OverBudget(
            f"The daily budget is used up: {int(stored):,} of {limit:,} bytes were stored for the tasks of this user "
            f"(TASKROOM_DAILY_BYTES); it begins anew at {reset}",
            headers={"Retry-After": str(max(1, seconds))},
        )


def sum_up(connect: Connect) -> None:
    """Sums up the rows of each user and day into one and deletes days older than a week. Each user and day is one
    transaction, so a check at the same time reads the rows from before or after it."""
    with connect() as conn, conn.cursor() as cur:
        cur.execute(
            """DELETE FROM stored_bytes WHERE day < (now() AT TIME ZONE 'UTC')::date - %s;
               SELECT user_id::text, day FROM stored_bytes GROUP BY user_id, day HAVING count(*) > %s""",
            (KEPT_DAYS, MANY_ROWS),
        )
        days = cur.fetchall()
    for user_id, day in days:
        with connect() as conn, conn.cursor() as cur:
            cur.execute(
                """WITH gone AS (DELETE FROM stored_bytes WHERE user_id = %s AND day = %s RETURNING bytes)
                   INSERT INTO stored_bytes (user_id, day, bytes)
                   SELECT %s, %s, sum(bytes) FROM gone HAVING count(*) > 0""",
                (user_id, day, user_id, day),
            )
