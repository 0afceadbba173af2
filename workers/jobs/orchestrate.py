"""Runs other jobs as its steps."""

from __future__ import annotations

from typing import Any, NoReturn

import marshmallow as ma

from app.jobs import ORCHESTRATE
from app.jobs.step_params import MOST_STEPS
from app.tasks.approvals import ApprovalSchema
from app.tasks.parents import CONTINUE, SEQUENCE, STOP
from app.tasks.step_estimate import PARALLEL
from workers.errors import Delegated
from workers.registry import job, jobs


class StepParams(ma.Schema):
    job_type = ma.fields.String(
        required=True, validate=ma.validate.Length(1, 64), metadata={"description": "Any job type"}
    )
    params = ma.fields.Dict(
        keys=ma.fields.String(), load_default=dict, metadata={"description": "The parameters of that job"}
    )
    title = ma.fields.String(
        validate=ma.validate.Length(1, 255), metadata={"description": "What the step is called"}
    )
    approval = ma.fields.Nested(
        ApprovalSchema, metadata={"description": "The step waits for this approval before it runs"}
    )
    on_failure = ma.fields.String(
        load_default=STOP,
        validate=ma.validate.OneOf([STOP, CONTINUE]),
        metadata={
            "description": "stop: the whole fails, and nothing more is done; continue: the others go on"
        },
    )

    @ma.post_load
    def with_checked_params(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """What the step's own job would refuse ends the whole before any step runs. Of a type that only other workers
        have nothing is known here."""
        known = jobs().get(data["job_type"])
        try:
            if known is not None:
                known.params().load(data["params"])
        except ma.ValidationError as error:
            raise ma.ValidationError({"params": error.messages}) from None
        return data


class OrchestrateParams(ma.Schema):
    steps = ma.fields.List(
        ma.fields.Nested(StepParams),
        required=True,
        validate=ma.validate.Length(1, MOST_STEPS),
        metadata={"description": "What to do: [{job_type, params, title?, approval?, on_failure?}]"},
    )
    mode = ma.fields.String(
        load_default=SEQUENCE,
        validate=ma.validate.OneOf([SEQUENCE, PARALLEL]),
        metadata={"description": "One after the other, or all at once"},
    )


@job(ORCHESTRATE, params=OrchestrateParams, title="Several steps", retry_lost=True, max_retries=2)
def orchestrate(*, steps: list[dict[str, Any]], mode: str) -> NoReturn:
    """Runs other jobs as its steps, one after the other or all at once; its result is theirs."""
    raise Delegated(len(steps))
