"""How many tasks of a list were made in each hour or day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import marshmallow as ma

from app.api.job_stats import LONGEST, TimeCounts, WindowField
from app.api.task_list import SumQuery, listing_of
from app.auth.principal import Principal
from app.errors import Unprocessable
from app.http.base import Blueprint, reading
from app.services import services
from app.tasks.list_counts import histogram
from app.tasks.reported import time_text

blp = Blueprint("task_histogram", __name__, description="Lists of tasks")

HOURLY = timedelta(days=31)  # a longer time is told by days
_HOUR = timedelta(hours=1)


class HistogramQuery(SumQuery):
    window = WindowField(
        metadata={"description": "How far back, where `from` is left out; `7d` without both, `366d` at most"}
    )


class TaskTimes(ma.Schema):
    since = ma.fields.String()
    until = ma.fields.String()
    unit = ma.fields.String(
        metadata={"description": f"Of `times`: hour; day (UTC) for more than {HOURLY.days} days"}
    )
    times = ma.fields.List(
        ma.fields.Nested(TimeCounts), metadata={"description": "Those in which tasks were made"}
    )
    complete = ma.fields.Boolean(metadata={"description": "False when more than 5,000 tasks are open"})


@blp.get("/tasks/histogram")
@reading
@blp.arguments(HistogramQuery, location="query")
@blp.response(200, TaskTimes)
def times(principal: Principal, query: dict[str, Any]) -> dict[str, Any]:
    """Returns how many tasks of the list were made in each hour, by the status that they have now. `from` and `to` are
    moved to whole hours. Removed tasks count no more."""
    until = query.get("until") or datetime.now(UTC)
    try:
        since = query.get("since") or until - query.get("window", timedelta(days=7))
        since = since.replace(minute=0, second=0, microsecond=0)
        ends = until.replace(minute=0, second=0, microsecond=0)
        ends += _HOUR if ends < until else timedelta()
        fits = timedelta() < ends - since <= LONGEST + _HOUR
    except OverflowError:  # a time beyond the years 1 to 9999
        fits = False
    if not fits:
        raise Unprocessable(
            f"A histogram has at most {LONGEST.days} days", errors={"to": ["Not in the year after from."]}
        )
    unit = "hour" if ends - since <= HOURLY + _HOUR else "day"
    wanted = listing_of(principal, query | {"since": since, "until": ends})
    with services().read() as conn, conn.cursor() as cur:
        found, complete = histogram(cur, wanted, unit)
    times = [{"at": at, "counts": counts} for at, counts in found.items()]
    return {"since": time_text(since), "until": time_text(ends), "unit": unit, "times": times} | {
        "complete": complete
    }
