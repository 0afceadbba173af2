"""How many runs ended how in the last day and in the last week, each beside the time before, and how long they took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg2.extensions import cursor as Cursor

from app.tasks.durations import PERCENTILES, seconds_of
from app.tasks.fold import FAILURE, REVOKED, SUCCESS
from app.tasks.whose import OWNED, Whose

_ENDS = {SUCCESS: "succeeded", FAILURE: "failed", REVOKED: "revoked"}
_TIMES = {
    "lately": "hour >= %(lately)s",
    "day": "hour >= %(day)s",
    "day_before": "hour < %(day)s AND hour >= %(day_before)s",
    "week": "hour >= %(week)s",
    "week_before": "hour < %(week)s",
}
_BEGINS = {"lately": 1 / 24, "day": 1, "day_before": 2, "week": 7, "week_before": 14}  # days ago
_NUMBERS = {
    (time, status): f"coalesce(sum({column}) FILTER (WHERE {within}), 0)::bigint"
    for time, within in _TIMES.items()
    for status, column in _ENDS.items()
}
NAMES = (*(f"{time}_{status}".lower() for time, status in _NUMBERS), "p50", "p95")
"""The columns of ``RATES`` behind the job type, which ``rates_of`` takes."""

# Literal, for percentiles are no expression of a model. A function of FROM would store what it returns for each row.
RATES = f"""WITH durations AS (
        SELECT job_type, bucket, sum(number) AS number FROM (
            SELECT job_type, unnest(run_buckets) AS bucket, unnest(run_numbers) AS number
            FROM job_sums WHERE {{owned}} AND hour >= %(durations)s) AS each GROUP BY job_type, bucket),
    rates AS (
        SELECT * FROM (
            SELECT job_type, {", ".join(f"{n} AS {name}" for n, name in zip(_NUMBERS.values(), NAMES, strict=False))}
            FROM job_sums WHERE {{owned}} AND hour >= %(week_before)s GROUP BY job_type) AS counted
        LEFT JOIN ({PERCENTILES.format(key="job_type", summed="durations")}) AS took USING (job_type))"""
OF_ONE = {
    of: f"{RATES.format(owned=f'{owned} AND job_type = %(job_type)s')} SELECT {', '.join(NAMES)} FROM rates"
    for of, owned in OWNED.items()
}


def failure_rate(counts: Mapping[str, int]) -> float | None:
    """Returns the failures among failures and successes, 0 to 1; None without any."""
    decided = counts[SUCCESS] + counts[FAILURE]
    return counts[FAILURE] / decided if decided else None


def begins(now: datetime) -> dict[str, datetime]:
    """Returns when the times begin, in whole hours as the sums have them, and ``durations`` in a whole day: the values
    of ``RATES``."""
    found = {
        name: (now - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
        for name, days in _BEGINS.items()
    }
    return found | {"durations": found["week"].replace(hour=0)}


def rates_of(row: Sequence[Any]) -> dict[str, Any]:
    """Returns ``day``, ``week`` and ``duration`` of the week, of a row of ``NAMES``."""
    *numbers, p50, p95 = row
    counts: dict[str, dict[str, int]] = {time: {} for time in _TIMES}
    for (time, status), number in zip(_NUMBERS, numbers, strict=True):
        counts[time][status] = number or 0
    found: dict[str, Any] = {
        time: _ends(counts[time]) | {"before": _ends(counts[f"{time}_before"])} for time in ("day", "week")
    }
    duration = {name: None if b is None else seconds_of(b) for name, b in (("p50", p50), ("p95", p95))}
    return found | {"duration": duration}


def job_rates(cur: Cursor, job_type: str, whose: Whose, now: datetime) -> dict[str, Any]:
    """Returns ``day`` and ``week`` of one job type."""
    ((of, value),) = whose.items()
    cur.execute(OF_ONE[of], {"whose": value, "job_type": job_type} | begins(now))
    found = rates_of(cur.fetchone() or (0,) * len(_NUMBERS) + (None, None))
    return {time: found[time] for time in ("day", "week")}


def _ends(counts: dict[str, int]) -> dict[str, Any]:
    return {"counts": counts, "failure_rate": failure_rate(counts)}
