"""The job types, each with what a form needs."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.api.base import Blueprint, NoQuery, signed_in
from app.auth import Principal
from workers.registry import jobs

blp = Blueprint("jobs", __name__, description="Job types")


class JobType(ma.Schema):
    job_type = ma.fields.String()
    title = ma.fields.String()
    description = ma.fields.String()
    phases = ma.fields.List(ma.fields.String())
    params = ma.fields.Dict(metadata={"description": "JSON Schema of the parameters"})


class JobTypes(ma.Schema):
    job_types = ma.fields.List(ma.fields.Nested(JobType))


@blp.get("/jobs/types")
@signed_in
@blp.arguments(NoQuery, location="query")
@blp.response(200, JobTypes)
def job_types(principal: Principal, query: dict[str, Any]) -> dict[str, Any]:
    return {
        "job_types": [
            {
                "job_type": job.name,
                "title": job.title,
                "description": job.description,
                "phases": list(job.phases),
                "params": job.schema(),
            }
            for job in jobs().values()
        ]
    }
