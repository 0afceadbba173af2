"""Checks the parameters of a task; for ``orchestrate`` also those of its steps, which are tasks of job types too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.jobs import ORCHESTRATE
from app.jobs.catalog import Catalog, unknown_type_message
from app.jobs.params import ParamsRefused, validated
from app.jobs.secrets import without_secrets
from app.jobs.types import JobType

MOST_STEPS = 100  # including steps of steps: each is a task with rows and events
DEEPEST = 3


def validated_with_steps(catalog: Catalog, job: JobType, params: dict[str, Any]) -> dict[str, Any]:
    """Returns the parameters with the defaults filled in, also those of the steps. Raises InvalidParams."""
    if job.name != ORCHESTRATE:
        return validated(job, params)
    return _validated(catalog.types_with(_names(params)), job, params)


def _validated(types: Mapping[str, JobType], job: JobType, params: dict[str, Any]) -> dict[str, Any]:
    found, messages = validated(job, params), dict[str, list[str]]()
    if job.name != ORCHESTRATE:
        return found
    for number, step in enumerate(found["steps"]):
        of_step = types.get(step["job_type"])
        if of_step is None:
            messages[f"steps.{number}.job_type"] = [unknown_type_message(types)]
            continue
        try:
            step["params"] = _validated(types, of_step, step["params"])
        except ParamsRefused as error:
            for name, texts in error.messages.items():
                messages[f"steps.{number}.params.{name}".rstrip(".")] = texts
    if messages:
        raise ParamsRefused(messages)
    return found


def shown_params(catalog: Catalog, job: JobType, params: dict[str, Any]) -> dict[str, Any]:
    """Returns valid parameters without the secrets, also those of the steps; ``params`` itself if they have none."""
    if job.name != ORCHESTRATE:
        shown: dict[str, Any] = without_secrets(params, job.params)
        return shown
    return _shown(catalog.types(), params)


def steps_in(params: Mapping[str, Any]) -> int:
    """Counts the steps, those of steps too. The depth of the parameters was checked."""
    found = [step for step in _steps(params) if isinstance(step, dict)]
    return len(found) + sum(
        steps_in(step["params"]) for step in found if isinstance(step.get("params"), dict)
    )


def _shown(types: Mapping[str, JobType], params: dict[str, Any]) -> dict[str, Any]:
    steps = [_shown_step(types, step) for step in params["steps"]]
    changed = any(shown is not step for shown, step in zip(steps, params["steps"], strict=True))
    return params | {"steps": steps} if changed else params


def _shown_step(types: Mapping[str, JobType], step: dict[str, Any]) -> dict[str, Any]:
    params, of_step = step["params"], types.get(step["job_type"])
    if step["job_type"] == ORCHESTRATE:
        shown = _shown(types, params)
    else:
        shown = without_secrets(params, of_step.params if of_step else None)
    return step if shown is params else step | {"params": shown}


def _names(params: dict[str, Any]) -> set[str]:
    """Returns the job types of all steps. Counts the steps before they are checked: they may be nested deeply."""
    level: list[Any] = [params]
    names, count, depth = set[str](), 0, 0
    while level:
        steps = [step for each in level for step in _steps(each)]
        count, depth = count + len(steps), depth + 1
        if count > MOST_STEPS:
            raise ParamsRefused({"steps": [f"At most {MOST_STEPS} steps, with those within others."]})
        if steps and depth > DEEPEST:
            raise ParamsRefused({"steps": [f"At most {DEEPEST} levels of steps within steps."]})
        typed = [step for step in steps if isinstance(step, dict) and isinstance(step.get("job_type"), str)]
        names |= {step["job_type"] for step in typed}
        level = [step.get("params") for step in typed if step["job_type"] == ORCHESTRATE]
    return names


def _steps(params: Any) -> list[Any]:
    steps = params.get("steps") if isinstance(params, dict) else None
    return steps if isinstance(steps, list) else []
