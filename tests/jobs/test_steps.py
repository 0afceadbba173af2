"""The steps of ``orchestrate`` are checked by their own job types, to a limited depth."""

from __future__ import annotations

from typing import Any

import pytest

from app.jobs.params import ParamsRefused
from app.jobs.step_params import DEEPEST, MOST_STEPS, validated_with_steps
from app.jobs.types import JobType
from tests.jobs.fakes import FakePackages
from workers.jobs.orchestrate import OrchestrateParams
from workers.schemas import json_schema

TEXT = {
    "type": "object",
    "properties": {"text": {"type": "string", "default": "?"}},
    "additionalProperties": False,
}
ECHO = JobType("echo", params=TEXT)
WHOLE = JobType("orchestrate", params=json_schema(OrchestrateParams))


@pytest.fixture
def declared() -> FakePackages:
    return FakePackages(ECHO, WHOLE)


def step(job_type: str = "echo", **params: Any) -> dict[str, Any]:
    return {"job_type": job_type, "params": params}


def nested(levels: int) -> dict[str, Any]:
    params: dict[str, Any] = {"steps": [step()]}
    for _ in range(levels - 1):
        params = {"steps": [step("orchestrate", **params)]}
    return params


def refusal(declared: FakePackages, params: dict[str, Any]) -> dict[str, list[str]]:
    with pytest.raises(ParamsRefused) as refused:
        validated_with_steps(declared.catalog(), WHOLE, params)
    return refused.value.messages


def test_defaults_of_the_steps_are_filled_in_too(declared: FakePackages) -> None:
    params = {"steps": [{"job_type": "echo"}, step(text="b"), step("orchestrate", steps=[step()])]}

    found = validated_with_steps(declared.catalog(), WHOLE, params)

    assert found["mode"] == "sequence"
    assert [each["params"] for each in found["steps"][:2]] == [{"text": "?"}, {"text": "b"}]
    assert {each["on_failure"] for each in found["steps"]} == {"stop"}
    assert found["steps"][2]["params"]["steps"][0]["params"] == {"text": "?"}
    assert params["steps"][0] == {"job_type": "echo"}, "what was given stays as it is"


def test_what_is_wrong_is_named_in_every_step(declared: FakePackages) -> None:
    inner = step("orchestrate", steps=[step(text=1), step("none")])

    assert refusal(declared, {"steps": [step(), step(color="red"), inner, step("gone")]}) == {
        "steps.1.params.color": ["Unknown field."],
        "steps.2.params.steps.0.params.text": ["Not a valid string."],
        "steps.2.params.steps.1.job_type": ["One of: echo, orchestrate."],
        "steps.3.job_type": ["One of: echo, orchestrate."],
    }
    assert declared.asked == 2, "once, and once more for all types that are not known"


@pytest.mark.parametrize("steps", [None, "x", [None], [{}], [step()] * (MOST_STEPS + 1), []])
def test_what_are_no_steps_is_refused(declared: FakePackages, steps: Any) -> None:
    assert all(name.startswith("steps") for name in refusal(declared, {"steps": steps}))


def test_steps_within_steps_are_counted_before_any_is_looked_at(declared: FakePackages) -> None:
    validated_with_steps(declared.catalog(), WHOLE, nested(DEEPEST))
    declared.asked = 0

    assert refusal(declared, nested(DEEPEST + 1)) == {"steps": ["At most 3 levels of steps within steps."]}
    wide = {"steps": [step("orchestrate", steps=[step()] * 50)] * 2}
    assert refusal(declared, wide) == {"steps": ["At most 100 steps, with those within others."]}
    assert declared.asked == 0


def test_other_jobs_may_call_a_parameter_steps(declared: FakePackages) -> None:
    plain = JobType("dance", params={"properties": {"steps": {"type": "array"}}})

    assert validated_with_steps(declared.catalog(), plain, {"steps": [1, 2]}) == {"steps": [1, 2]}
    assert declared.asked == 0
