"""The counts of tasks by status, summed up: what was added for each change becomes a row a user and status."""

from __future__ import annotations

from app.stream.store import Connect

WORTH = 50  # rows of a user that are worth it: as many as a count may read at no cost to speak of


def sum_up(connect: Connect) -> int:
    """Returns of how many users, each in a transaction: whoever counts sees it as it was, or as it is then. Who sums
    up the same user at the same moment finds the rows gone and adds nothing."""
    with connect() as conn, conn.cursor() as cur:
        cur.execute("SELECT user_id::text FROM task_counts GROUP BY user_id HAVING count(*) > %s", (WORTH,))
        users = [user_id for (user_id,) in cur]
    for user_id in users:
        with connect() as conn, conn.cursor() as cur:
            cur.execute(
                """WITH gone AS (DELETE FROM task_counts WHERE user_id = %s RETURNING user_id, tenant, status, number)
                   INSERT INTO task_counts (user_id, tenant, status, number)
                   SELECT user_id, tenant, status, sum(number) FROM gone
                   GROUP BY user_id, tenant, status HAVING sum(number) <> 0""",
                (user_id,),
            )
    return len(users)
