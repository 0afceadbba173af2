"""Sums up the rows that a trigger has added for each ended run, and forgets the sums of long ago."""

from __future__ import annotations

from app.stream.store import Connect

MANY_ROWS = 20  # of an hour of a user's job type; as many as a sum may read at no cost to speak of
HOURS = 2  # an hour that is older gets few rows: it is summed up whatever it has
KEPT_DAYS = 400
BATCH_ROWS = 5_000
GROUPS = 1_000  # of one run, each in a transaction of its own

# Literal, for what is read of a row differs: the error's last task is that of the newest row.
_NEW = """SELECT user_id::text, job_type, hour FROM {table} WHERE is_new GROUP BY user_id, job_type, hour
    HAVING count(*) > %(rows)s OR hour < now() - make_interval(hours => %(hours)s) LIMIT %(groups)s"""
_SUM_UP = """WITH gone AS (DELETE FROM {table} WHERE user_id = %s AND job_type = %s AND hour = %s RETURNING *)
    INSERT INTO {table} (user_id, job_type, hour, tenant, {keys}{more}, number, is_new)
    SELECT user_id, job_type, hour, tenant, {keys}{newest}, sum(number), false
    FROM gone GROUP BY user_id, job_type, hour, tenant, {keys} HAVING sum(number) <> 0"""
# An index by hour would be read instead of those by job type, for rows are stored in the order of their hours. Ids grow
# with the hours too.
_FORGET = """DELETE FROM {table} WHERE id IN (
        SELECT id FROM (SELECT id, hour FROM {table} ORDER BY id LIMIT %s) AS first
        WHERE hour < now() - make_interval(days => %s))"""
_TABLES = {
    "run_sums": {"keys": "status, bucket", "more": "", "newest": ""},
    "error_sums": {
        "keys": "type, place",
        "more": ", task_id, last_at",
        "newest": ", (array_agg(task_id ORDER BY last_at DESC))[1], max(last_at)",
    },
    # Removed tasks subtract themselves, so its rows go with the tasks.
    "list_sums": {"keys": "status, is_step", "more": "", "newest": ""},
}
_FORGOTTEN = ("run_sums", "error_sums", "phase_sums")


def sum_up(connect: Connect) -> int:
    """Sums up each group that has many new rows, in a transaction of its own; returns the number of groups. A
    concurrent reader sees the rows from before or after; a concurrent call finds them gone and adds nothing."""
    groups = 0
    for table, parts in _TABLES.items():
        with connect() as conn, conn.cursor() as cur:
            cur.execute(_NEW.format(table=table), {"rows": MANY_ROWS, "hours": HOURS, "groups": GROUPS})
            found = cur.fetchall()
        statement = _SUM_UP.format(table=table, **parts)
        for group in found:
            with connect() as conn, conn.cursor() as cur:
                cur.execute(statement, group)
        groups += len(found)
    return groups


def forget(connect: Connect) -> None:
    """Deletes sums of runs that ended ``KEPT_DAYS`` ago, in short transactions."""
    for table in _FORGOTTEN:
        full = True
        while full:
            with connect() as conn, conn.cursor() as cur:
                cur.execute(_FORGET.format(table=table), (BATCH_ROWS, KEPT_DAYS))
                full = cur.rowcount == BATCH_ROWS
