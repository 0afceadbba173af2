"""How many runs ended how in the last day and in the last week, each beside the time before, and how long they took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg2.extensions import cursor as Cursor

from app.tasks.durations import PERCENTILES, seconds_of
from app.tasks.fold import FAILURE, REVOKED, SUCCESS
from app.tasks.whose import OWNED, Whose

ENDS = (SUCCESS, FAILURE, REVOKED)
# The times, each by the parts of which it is: the last day, the day before, the rest of the week, the week before.
_TIMES = {"day": "0", "day_before": "1", "week": "0, 1, 2", "week_before": "3"}
_BEGINS = {"day": 1, "day_before": 2, "week": 7, "week_before": 14}  # days ago
_NUMBERS = {
    (
        time,
        status,
    ): f"coalesce(sum(number) FILTER (WHERE status = '{status}' AND part IN ({parts})), 0)::bigint"
    for time, parts in _TIMES.items()
    for status in ENDS
}
NAMES = (*(f"{time}_{status}".lower() for time, status in _NUMBERS), "p50", "p95")
"""The columns of ``RATES`` behind the job type, which ``rates_of`` takes."""

# Literal, for percentiles are no expression of a model. The sums are read once for both.
RATES = f"""WITH summed AS (
        SELECT job_type, CASE WHEN hour >= %(day)s THEN 0 WHEN hour >= %(day_before)s THEN 1
                WHEN hour >= %(week)s THEN 2 ELSE 3 END AS part,
            status, CASE WHEN status = 'SUCCESS' THEN bucket END AS bucket, sum(number) AS number
        FROM run_sums WHERE {{owned}} AND hour >= %(week_before)s GROUP BY 1, 2, 3, 4),
    durations AS (
        SELECT job_type, bucket, sum(number) AS number FROM summed
        WHERE bucket IS NOT NULL AND part IN ({_TIMES["week"]}) GROUP BY job_type, bucket),
    rates AS (
        SELECT * FROM (
            SELECT job_type, {", ".join(f"{n} AS {name}" for n, name in zip(_NUMBERS.values(), NAMES, strict=False))}
            FROM summed GROUP BY job_type) AS counted
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
    """Returns when the times begin, in whole hours as the sums have them, and the oldest in whole days: the values of
    ``RATES``."""
    found = {
        name: (now - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
        for name, days in _BEGINS.items()
    }
    return found | {"week_before": found["week_before"].replace(hour=0)}


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
