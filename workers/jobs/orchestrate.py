"""Runs other jobs as its steps."""

from __future__ import annotations

from typing import Any, NoReturn

import marshmallow as ma

from app.tasks.approvals import ApprovalSchema
from app.tasks.feed import ORCHESTRATE
from app.tasks.parents import CONTINUE, PARALLEL, SEQUENCE, STOP
from workers.errors import Delegated
from workers.registry import job, jobs

MOST_STEPS = 100  # within one another included: each is a task, with rows and events of its own
DEEPEST = 3


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
        known = jobs().get(data["job_type"])
        if known is None:
            raise ma.ValidationError(f"One of: {', '.join(jobs())}.", "job_type")
        schema = known.params()
        try:
            return data | {"params": schema.dump(schema.load(data["params"]))}
        except ma.ValidationError as error:
            raise ma.ValidationError({"params": error.messages}) from None


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

    @ma.pre_load
    def bounded(self, data: Any, **_: Any) -> Any:
        """Counted before anything is loaded: steps within steps would else be loaded however deep they are."""
        level, count, depth = [data], 0, 0
        while level:
            steps = [step for each in level for step in _steps(each)]
            count, depth = count + len(steps), depth + 1
            if count > MOST_STEPS:
                raise ma.ValidationError(f"At most {MOST_STEPS} steps, with those within others.", "steps")
            if steps and depth > DEEPEST:
                raise ma.ValidationError(f"At most {DEEPEST} levels of steps within steps.", "steps")
            level = [
                step.get("params")
                for step in steps
                if isinstance(step, dict) and step.get("job_type") == ORCHESTRATE
            ]
        return data


def _steps(params: Any) -> list[Any]:
    steps = params.get("steps") if isinstance(params, dict) else None
    return steps if isinstance(steps, list) else []


@job(ORCHESTRATE, params=OrchestrateParams, title="Several steps", retry_lost=True, max_retries=2)
def orchestrate(*, steps: list[dict[str, Any]], mode: str) -> NoReturn:
    """Runs other jobs as its steps, one after the other or all at once; its result is theirs."""
    raise Delegated(len(steps))
