"""Checks the parameters of a task and, of ``orchestrate``, those of its steps: each is a task of a job type too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.jobs import ORCHESTRATE
from app.jobs.catalog import Catalog, choice
from app.jobs.params import Refused, checked
from app.jobs.types import JobType

MOST_STEPS = 100  # within one another included: each is a task, with rows and events of its own
DEEPEST = 3


def checked_with_steps(catalog: Catalog, job: JobType, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters with the defaults filled in, those of the steps too. Raises Refused."""
    if job.name != ORCHESTRATE:
        return checked(job, params)
    return _checked(catalog.having(_names(params)), job, params)


def _checked(types: Mapping[str, JobType], job: JobType, params: dict[str, Any]) -> dict[str, Any]:
    found, messages = checked(job, params), dict[str, list[str]]()
    if job.name != ORCHESTRATE:
        return found
    for number, step in enumerate(found["steps"]):
        of_step = types.get(step["job_type"])
        if of_step is None:
            messages[f"steps.{number}.job_type"] = [choice(types)]
            continue
        try:
            step["params"] = _checked(types, of_step, step["params"])
        except Refused as error:
            for name, texts in error.messages.items():
                messages[f"steps.{number}.params.{name}".rstrip(".")] = texts
    if messages:
        raise Refused(messages)
    return found


def _names(params: dict[str, Any]) -> set[str]:
    """The job types of all steps. Counts them before any is checked: steps within steps may be of any depth."""
    level: list[Any] = [params]
    names, count, depth = set[str](), 0, 0
    while level:
        steps = [step for each in level for step in _steps(each)]
        count, depth = count + len(steps), depth + 1
        if count > MOST_STEPS:
            raise Refused({"steps": [f"At most {MOST_STEPS} steps, with those within others."]})
        if steps and depth > DEEPEST:
            raise Refused({"steps": [f"At most {DEEPEST} levels of steps within steps."]})
        typed = [step for step in steps if isinstance(step, dict) and isinstance(step.get("job_type"), str)]
        names |= {step["job_type"] for step in typed}
        level = [step.get("params") for step in typed if step["job_type"] == ORCHESTRATE]
    return names


def _steps(params: Any) -> list[Any]:
    steps = params.get("steps") if isinstance(params, dict) else None
    return steps if isinstance(steps, list) else []
