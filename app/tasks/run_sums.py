"""Sums up the rows that a trigger has added for each ended run, later the hours of a day, and forgets the sums of long
ago."""

from __future__ import annotations

from app.stream.store import Connect

MANY_ROWS = 20  # of an hour of a user's job type; as many as a sum may read at no cost to speak of
HOURS = 2  # an hour that is older gets few rows: it is summed up whatever it has
HOURLY_DAYS = 8  # statistics of a week are by hours, those of a longer time by days
KEPT_DAYS = 400
BATCH_ROWS = 5_000
GROUPS = 1_000  # of one run, each in a transaction of its own

# Literal, for what is read of a row differs: the error's last task is that of the newest row.
NEW = """SELECT user_id::text, job_type, hour, hour + interval '1 hour' FROM {table} WHERE is_new
    GROUP BY user_id, job_type, hour
    HAVING count(*) > %(rows)s OR hour < now() - make_interval(hours => %(hours)s) LIMIT %(groups)s"""
# The oldest day first: ids grow with the hours.
DAYS = """SELECT user_id::text, job_type, day, day + interval '1 day' FROM (
        SELECT user_id, job_type, date_trunc('day', hour, 'UTC') AS day FROM {table} WHERE NOT is_new AND NOT of_day
            AND hour < date_trunc('day', now(), 'UTC') - make_interval(days => %(days)s)) AS hours
    GROUP BY user_id, job_type, day ORDER BY day LIMIT %(groups)s"""
_SUM_UP = """WITH gone AS (DELETE FROM {table}
        WHERE user_id = %(user)s AND job_type = %(job)s AND hour >= %(since)s AND hour < %(until)s RETURNING *)
    INSERT INTO {table} (user_id, job_type, hour, tenant, {keys}{more}, number, is_new{of_day})
    SELECT user_id, job_type, %(since)s, tenant, {keys}{newest}, sum(number), false{is_day}
    FROM gone GROUP BY user_id, job_type, tenant, {keys} HAVING sum(number) <> 0"""
_HOUR: dict[str, str] = {"of_day": "", "is_day": ""}
_DAY: dict[str, str] = {"of_day": ", of_day", "is_day": ", true"}
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
_OF_RUNS = ("run_sums", "error_sums")  # these are kept longer than tasks, and by days when they are old


def sum_up(connect: Connect) -> int:
    """Sums up each hour that has many new rows, and the hours of each day that is old, in a transaction of its own;
    returns the number of transactions. A concurrent reader sees the rows from before or after; a concurrent call finds
    them gone and adds nothing. New rows of a day that was summed up are an hour first, and join it in the next step."""
    summed = 0
    for table, parts in _TABLES.items():
        summed += sum_groups(connect, NEW.format(table=table), _SUM_UP.format(table=table, **parts, **_HOUR))
        if table in _OF_RUNS:
            summed += sum_groups(
                connect, DAYS.format(table=table), _SUM_UP.format(table=table, **parts, **_DAY)
            )
    return summed


def sum_groups(connect: Connect, find: str, statement: str, days: int = HOURLY_DAYS) -> int:
    """Executes the statement for each hour or day (user, job, since, until) that is found, in a transaction of its
    own; returns their number."""
    bounds = {"rows": MANY_ROWS, "hours": HOURS, "days": days, "groups": GROUPS}
    with connect() as conn, conn.cursor() as cur:
        cur.execute(find, bounds)
        found = cur.fetchall()
    for group in found:
        with connect() as conn, conn.cursor() as cur:
            cur.execute(statement, dict(zip(("user", "job", "since", "until"), group, strict=True)))
    return len(found)


def forget(connect: Connect) -> None:
    """Deletes sums of runs that ended ``KEPT_DAYS`` ago, in short transactions."""
    for table in (*_OF_RUNS, "job_sums"):
        full = True
        while full:
            with connect() as conn, conn.cursor() as cur:
                cur.execute(_FORGET.format(table=table), (BATCH_ROWS, KEPT_DAYS))
                full = cur.rowcount == BATCH_ROWS
