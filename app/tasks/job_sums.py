"""How the runs of a job type ended, and how long they and their phases took: sums to which a trigger adds a row for
each end.

A row is of one run, then of an hour. After some days the durations of a day are one row: a month is some dozens of rows
with them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg2.extensions import cursor as Cursor

from app.stream.store import Connect
from app.tasks.durations import PERCENTILES, seconds_of
from app.tasks.run_sums import DAYS, NEW, sum_groups
from app.tasks.whose import OWNED, Whose

# The trigger takes the first phases of a run, so many. A row has the most frequent names: a job that makes up new
# ones for each run fills no more of the table than others.
MOST_PHASES = 50
LOOSE_DAYS = 2  # before today, whose hours have rows of their own

# Literal, as those of other sums, and for the arrays.
_SUM_UP = f"""WITH gone AS (
        DELETE FROM job_sums WHERE user_id = %(user)s AND job_type = %(job)s AND hour >= %(since)s
            AND hour < %(until)s RETURNING *),
    ends AS (
        SELECT tenant, hour, sum(succeeded) AS succeeded, sum(failed) AS failed, sum(revoked) AS revoked,
            row_number() OVER (PARTITION BY tenant ORDER BY hour) AS number
        FROM gone GROUP BY tenant, hour),
    runs AS (
        SELECT tenant, array_agg(bucket ORDER BY bucket) AS run_buckets,
            array_agg(number ORDER BY bucket) AS run_numbers
        FROM (SELECT tenant, bucket, sum(number) AS number
            FROM gone, unnest(run_buckets, run_numbers) AS of (bucket, number) GROUP BY tenant, bucket) AS each
        GROUP BY tenant),
    entries AS (
        SELECT tenant, phase, min(position) AS position, bucket, sum(number) AS number,
            sum(sum(number)) OVER (PARTITION BY tenant, phase) AS runs
        FROM gone, unnest(phases, positions, buckets, numbers) AS of (phase, position, bucket, number)
        GROUP BY tenant, phase, bucket),
    ranked AS (SELECT *, dense_rank() OVER (PARTITION BY tenant ORDER BY runs DESC, phase) AS rank FROM entries),
    phases AS (
        SELECT tenant, array_agg(phase ORDER BY phase, bucket) AS phases,
            array_agg(position ORDER BY phase, bucket) AS positions,
            array_agg(bucket ORDER BY phase, bucket) AS buckets, array_agg(number ORDER BY phase, bucket) AS numbers
        FROM ranked WHERE rank <= {MOST_PHASES} GROUP BY tenant)
    INSERT INTO job_sums (user_id, job_type, hour, tenant, succeeded, failed, revoked, run_buckets, run_numbers, phases,
        positions, buckets, numbers, is_new, of_day)
    SELECT %(user)s, %(job)s, hour, ends.tenant, succeeded, failed, revoked, coalesce(run_buckets, '{{{{}}}}'),
        coalesce(run_numbers, '{{{{}}}}'), coalesce(phases, '{{{{}}}}'), coalesce(positions, '{{{{}}}}'),
        coalesce(buckets, '{{{{}}}}'), coalesce(numbers, '{{{{}}}}'), false, {{of_day}}
    FROM ends LEFT JOIN runs ON number = 1 AND runs.tenant IS NOT DISTINCT FROM ends.tenant
        LEFT JOIN phases ON number = 1 AND phases.tenant IS NOT DISTINCT FROM ends.tenant
    ORDER BY hour"""
_TIMES = f"""WITH entries AS (
        SELECT phase, bucket, min(position) AS position, sum(number)::bigint AS number FROM (
            SELECT unnest(phases) AS phase, unnest(positions) AS position, unnest(buckets) AS bucket,
                unnest(numbers) AS number
            FROM job_sums WHERE {{owned}} AND job_type = %(job_type)s AND hour >= %(since)s) AS each
        GROUP BY phase, bucket),
    frequent AS (
        SELECT phase, min(position) AS position FROM entries GROUP BY phase
        ORDER BY sum(number) DESC, phase LIMIT %(most)s)
    SELECT phase, number::bigint, p50, p95
    FROM frequent JOIN ({PERCENTILES.format(key="phase", summed="entries")}) AS times USING (phase)
    ORDER BY position, phase"""
TIMES = {of: _TIMES.format(owned=owned) for of, owned in OWNED.items()}


def sum_up(connect: Connect) -> int:
    """Sums up the hours that have many rows, and those of days of before, as ``run_sums.sum_up``."""
    hours = sum_groups(connect, NEW.format(table="job_sums"), _SUM_UP.format(of_day="false"))
    days = sum_groups(connect, DAYS.format(table="job_sums"), _SUM_UP.format(of_day="true"), LOOSE_DAYS)
    return hours + days


def phase_times(cur: Cursor, job_type: str, whose: Whose, since: datetime) -> list[dict[str, Any]]:
    """Returns how long each phase took in runs that succeeded since then, in the order of the phases: the most frequent
    ones, so many at most. A time that begins before yesterday (UTC) begins with its first day."""
    ((of, value),) = whose.items()
    given = {"job_type": job_type, "since": _begin(since), "whose": value, "most": MOST_PHASES}
    cur.execute(TIMES[of], given)
    return [
        {"phase_id": phase, "median_seconds": seconds_of(p50), "p95_seconds": seconds_of(p95), "runs": runs}
        for phase, runs, p50, p95 in cur
    ]


def _begin(since: datetime) -> datetime:
    """The rows of days that hours are summed up to begin with their days."""
    day = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return since if day >= datetime.now(UTC) - timedelta(days=LOOSE_DAYS) else day
