"""All job types, with what their runs were like lately."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import marshmallow as ma

from app.api.cursors import PageQuery, page_response, position_of
from app.api.job_stats import Counts, Duration, Rate
from app.api.related import RelatedRun
from app.auth import permissions
from app.auth.principal import Principal
from app.db.texts import stored_text
from app.http.base import Blueprint, ScopeField, reading
from app.jobs.catalog import Catalog
from app.services import services
from app.tasks.job_list import LAST_RUNS, list_jobs


def _flag(text: str) -> str:
    if text not in ("0", "1"):
        raise ValueError("Neither 0 nor 1")
    return text


blp = Blueprint("job_list", __name__, description="Job types")


class JobListQuery(PageQuery):
    cursor = ma.fields.String(validate=ma.validate.Length(1, 4_500))
    scope = ScopeField(with_all=True)
    q = ma.fields.String(
        validate=ma.validate.Length(1, 200),
        metadata={"description": "A text in the name of the job type; case is ignored"},
    )


class JobRow(ma.Schema):
    job_type = ma.fields.String()
    day = ma.fields.Nested(Rate, metadata={"description": "Of the last 24 hours"})
    week = ma.fields.Nested(Rate, metadata={"description": "Of the last seven days"})
    duration = ma.fields.Nested(Duration, metadata={"description": "Of the successes of the week"})
    open = Counts()
    runs = ma.fields.List(
        ma.fields.Nested(RelatedRun),
        metadata={"description": f"The newest {LAST_RUNS} runs that have begun, whenever that was"},
    )


class JobPage(ma.Schema):
    jobs = ma.fields.List(ma.fields.Nested(JobRow))
    next = ma.fields.String(allow_none=True)
    complete = ma.fields.Boolean(
        metadata={"description": "False when `open` has not all: the newest 5,000 open tasks are counted"}
    )


@blp.get("/jobs/stats")
@reading
@blp.arguments(JobListQuery, location="query")
# Not dumped by marshmallow, as lists of tasks: the rows have exactly the fields of the schema.
@blp.alt_response(200, schema=JobPage)
def listed(principal: Principal, query: dict[str, Any]) -> Any:
    """Returns the job types of the caller's runs and those that workers have declared; with `scope=tenant` of the
    tenant's runs, with `scope=all` of all. What needs a look comes first: by the rate of failures of the last day, or
    of this hour and the one before where that is higher, then of the week, as far as it is certain from so many runs;
    then by name, those without a run in the week last."""
    after = position_of(query, float, float, _flag, stored_text)
    whose = permissions.scope_filter(principal, query["scope"])
    declared = services()[Catalog].types()
    with services().read() as conn, conn.cursor() as cur:
        page = list_jobs(cur, whose, declared, query.get("q", ""), datetime.now(UTC), after, query["limit"])
    return page_response("jobs", page.jobs, page.next, complete=page.complete)
