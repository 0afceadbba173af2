"""Statistics of a job type."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import marshmallow as ma

from app.api.related import RelatedRun
from app.auth import permissions
from app.auth.principal import Principal
from app.errors import NotFound
from app.http.base import Blueprint, ScopeField, reading
from app.jobs.catalog import Catalog
from app.services import services
from app.tasks.job_stats import HOURLY_DAYS, job_stats
from app.tasks.reported import time_text

blp = Blueprint("job_stats", __name__, description="Job types")

LONGEST = timedelta(days=366)
_WINDOW = re.compile(r"[1-9]\d{0,3}[hd]")


class WindowField(ma.fields.String):
    """A time before now, such as ``24h`` or ``7d``."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, *args, **kwargs)
        if not _WINDOW.fullmatch(str(text)):
            raise ma.ValidationError("Not a time such as 24h or 7d.")
        window = timedelta(**{"hours" if str(text)[-1] == "h" else "days": int(str(text)[:-1])})
        if window > LONGEST:
            raise ma.ValidationError(f"At most {LONGEST.days}d.")
        return window


class StatsQuery(ma.Schema):
    window = WindowField(
        load_default=lambda: timedelta(days=7),
        metadata={"description": "How far back, such as `24h` or `7d` (the default); `366d` at most"},
    )
    scope = ScopeField(with_all=True)


class Duration(ma.Schema):
    p50 = ma.fields.Float(allow_none=True, metadata={"description": "Seconds, within 2 %; null without runs"})
    p95 = ma.fields.Float(allow_none=True)


class Counts(ma.fields.Dict):
    def __init__(self) -> None:
        super().__init__(
            keys=ma.fields.String(),
            values=ma.fields.Integer(),
            metadata={"description": "The number of runs by their status"},
        )


class Ends(ma.Schema):
    counts = Counts()
    failure_rate = ma.fields.Float(
        allow_none=True,
        metadata={"description": "Failures among failures and successes, 0 to 1; null without any"},
    )


class Rate(Ends):
    before = ma.fields.Nested(Ends, metadata={"description": "Of the time of the same length before"})


class TimeCounts(ma.Schema):
    at = ma.fields.String(metadata={"description": "The beginning of the hour or of the day (UTC)"})
    counts = Counts()


class ErrorCount(ma.Schema):
    type = ma.fields.String()
    place = ma.fields.String(
        allow_none=True, metadata={"description": "`file:function`, the last call of the run's own code"}
    )
    number = ma.fields.Integer()
    last_at = ma.fields.String()
    task_id = ma.fields.String(
        allow_none=True, metadata={"description": "The last run; null when it was removed"}
    )
    message = ma.fields.String(
        allow_none=True, metadata={"description": "Its message, 300 characters at most"}
    )


class PhaseMedian(ma.Schema):
    phase_id = ma.fields.String()
    median_seconds = ma.fields.Float(metadata={"description": "Within 2 %"})
    p95_seconds = ma.fields.Float()
    runs = ma.fields.Integer()


class JobStats(Ends):
    job_type = ma.fields.String()
    since = ma.fields.String()
    until = ma.fields.String()
    unit = ma.fields.String(
        metadata={"description": f"Of `times`: hour; day for more than {HOURLY_DAYS} days"}
    )
    day = ma.fields.Nested(Rate, metadata={"description": "Of the last 24 hours, whatever the window"})
    week = ma.fields.Nested(Rate, metadata={"description": "Of the last seven days"})
    open = Counts()
    complete = ma.fields.Boolean(
        metadata={"description": "False when `open` has not all: the newest 5,000 open tasks are counted"}
    )
    duration = ma.fields.Nested(Duration, metadata={"description": "Of the runs that succeeded"})
    times = ma.fields.List(
        ma.fields.Nested(TimeCounts), metadata={"description": "Those in which runs ended"}
    )
    errors = ma.fields.List(
        ma.fields.Nested(ErrorCount),
        metadata={"description": "The ten most frequent errors of failed runs, by type and place"},
    )
    phases = ma.fields.List(
        ma.fields.Nested(PhaseMedian),
        metadata={
            "description": "Of the runs that succeeded: the 50 most frequent phases, in their order. A window that"
            " begins before yesterday (UTC) counts its first day in whole"
        },
    )
    runs = ma.fields.List(
        ma.fields.Nested(RelatedRun),
        metadata={"description": "The newest 50 runs that have begun, whenever that was"},
    )


@blp.get("/jobs/<path:job_type>/stats")
@reading
@blp.arguments(StatsQuery, location="query")
# Not dumped by marshmallow, which takes some milliseconds: the answer has exactly the fields of the schema.
@blp.alt_response(200, schema=JobStats)
def stats(principal: Principal, query: dict[str, Any], job_type: str) -> dict[str, Any]:
    """Returns what the caller's runs of a job type that ended in the window were like; with `scope=tenant` those of the
    tenant, with `scope=all` those of all, where `runs` are among the newest 5,000. 404 for a type that no worker has
    declared and of which there is no run."""
    whose = permissions.scope_filter(principal, query["scope"])
    until = datetime.now(UTC)
    hourly = query["window"] <= timedelta(days=HOURLY_DAYS)
    # Whole hours or days, as the sums have them.
    since = (until - query["window"]).replace(minute=0, second=0, microsecond=0)
    since = since if hourly else since.replace(hour=0)
    with services().read() as conn, conn.cursor() as cur:
        found = job_stats(cur, job_type, whose, since, until, hourly)
    there_is = found["runs"] or found["open"] or any(found["counts"].values())
    if not there_is and job_type not in services()[Catalog].types():
        raise NotFound("There is no such job type")
    about = {"job_type": job_type, "unit": "hour" if hourly else "day"}
    return about | {"since": time_text(since), "until": time_text(until)} | found
