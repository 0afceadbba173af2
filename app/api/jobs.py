"""The job types, each with what a form needs."""

from __future__ import annotations

import logging
from typing import Any

import marshmallow as ma

from app.auth.principal import Principal
from app.http.base import Blueprint, NoQuery, signed_in
from workers.registry import broken, jobs
from workers.texts import reason

logger = logging.getLogger("taskroom.jobs")

blp = Blueprint("jobs", __name__, description="Job types")


class JobType(ma.Schema):
    job_type = ma.fields.String()
    title = ma.fields.String()
    description = ma.fields.String()
    phases = ma.fields.List(ma.fields.String())
    params = ma.fields.Dict(metadata={"description": "JSON Schema of the parameters"})


class BrokenFile(ma.Schema):
    file = ma.fields.String()
    error = ma.fields.String()


class JobTypes(ma.Schema):
    job_types = ma.fields.List(ma.fields.Nested(JobType))
    broken = ma.fields.List(
        ma.fields.Nested(BrokenFile),
        metadata={"description": "Job files that cannot be used, whose job types are missing"},
    )


@blp.get("/jobs/types")
@signed_in
@blp.arguments(NoQuery, location="query")
@blp.response(200, JobTypes)
def job_types(principal: Principal, query: dict[str, Any]) -> dict[str, Any]:
    failing, types = dict(broken()), list[dict[str, Any]]()
    for job in jobs().values():
        try:
            params = job.schema()
        except (
            Exception
        ) as error:  # a field of its own that JSON Schema does not know must not hide the others
            logger.exception("the parameters of %s cannot be shown", job.name)
            failing[job.name] = f"{type(error).__name__}: {reason(error)}".partition("\n")[0]
            continue
        types.append(
            {
                "job_type": job.name,
                "title": job.title,
                "description": job.description,
                "phases": list(job.phases),
                "params": params,
            }
        )
    return {"job_types": types, "broken": [{"file": file, "error": why} for file, why in failing.items()]}
