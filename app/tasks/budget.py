"""How much a user may have stored in a day: parameters, results and all events of tasks, in bytes, by days of UTC.

Nothing is counted for an event: a stream's own row knows its size, and triggers note what a task takes when it is made
and when it ends. What runs is looked at when somebody asks. Over it starts are refused and nothing else: a task that
runs was let in, and without its events it would tell its viewers something else than what happened.
"""

from __future__ import annotations

from psycopg2.extensions import cursor as Cursor

from app.errors import TooMany
from app.stream.store import Connect

KEPT_DAYS = 7
MANY_ROWS = 50  # rows of a user and day that are worth summing up


class OverBudget(TooMany):
    """Says which budget, and when it begins anew."""


def check(cur: Cursor, user_id: str, limit: int) -> None:
    """Raises OverBudget when the user has had ``limit`` bytes stored today; 0 sets no limit. Of several who ask at once
    each may be let in."""
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
    stored, anew, seconds = cur.fetchall()[0]
    if stored >= limit:
        raise OverBudget(
            f"The daily budget is used up: {int(stored):,} of {limit:,} bytes were stored for the tasks of this user "
            f"(TASKROOM_DAILY_BYTES); it begins anew at {anew}",
            headers={"Retry-After": str(max(1, seconds))},
        )


def sum_up(connect: Connect) -> None:
    """Makes one row of each user's day, and forgets what is a week old. Whoever asks sees it as it was, or as it is
    then."""
    with connect() as conn, conn.cursor() as cur:
        cur.execute(
            """DELETE FROM stored_bytes WHERE day < (now() AT TIME ZONE 'UTC')::date - %s;
               SELECT user_id::text, day FROM stored_bytes GROUP BY user_id, day HAVING count(*) > %s""",
            (KEPT_DAYS, MANY_ROWS),
        )
        many = cur.fetchall()
    for user_id, day in many:
        with connect() as conn, conn.cursor() as cur:
            cur.execute(
                """WITH gone AS (DELETE FROM stored_bytes WHERE user_id = %s AND day = %s RETURNING bytes)
                   INSERT INTO stored_bytes (user_id, day, bytes)
                   SELECT %s, %s, sum(bytes) FROM gone HAVING count(*) > 0""",
                (user_id, day, user_id, day),
            )
