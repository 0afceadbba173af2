"""The job types, with the data for a form."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.auth.principal import Principal
from app.http.base import Blueprint, reading
from app.jobs import BULK
from app.jobs.catalog import Catalog
from app.services import services

blp = Blueprint("jobs", __name__, description="Job types")


class JobTypeSchema(ma.Schema):
    job_type = ma.fields.String(attribute="name")
    title = ma.fields.String()
    description = ma.fields.String()
    phases = ma.fields.List(ma.fields.String())
    params = ma.fields.Dict(metadata={"description": "JSON Schema of the parameters"})
    outputs = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.String(),
        metadata={"description": "The names of files that a run saves, each with what it is"},
    )


class BrokenFile(ma.Schema):
    file = ma.fields.String()
    error = ma.fields.String()


class JobTypes(ma.Schema):
    job_types = ma.fields.List(ma.fields.Nested(JobTypeSchema))
    broken = ma.fields.List(
        ma.fields.Nested(BrokenFile),
        metadata={"description": "Job files that cannot be used, whose job types are missing"},
    )


@blp.get("/jobs/types")
@reading
@blp.response(200, JobTypes)
def job_types(principal: Principal) -> dict[str, Any]:
    """Returns the declarations of workers, of the types that can be started; both lists are empty before the first
    worker starts."""
    jobs = services()[Catalog]
    broken = [{"file": file, "error": why} for file, why in jobs.broken().items()]
    return {"job_types": [each for each in jobs.types().values() if each.name != BULK], "broken": broken}
