"""Job types: one file in workers/jobs and one decorator each. Form, schema and routes follow from here."""

from __future__ import annotations

import importlib
import logging
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema

from workers.settings import settings
from workers.texts import reason

logger = logging.getLogger("taskroom.registry")

JobFunction = Callable[..., Any]
QUEUE = "taskroom"
QUICK_QUEUE = "quick"
REASON_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Job:
    """A job type. ``phases`` share the overall progress by their weights, in their order; by what earlier runs took
    where they have none.

    ``max_retries`` bounds retries of every kind: RetryTask, an exception in ``retry_for``, and
    a lost worker when ``retry_lost``. ``retry_delay`` is in seconds and doubles with each retry.
    """

    name: str
    function: JobFunction
    params: type[Schema]
    title: str
    description: str
    phases: Mapping[str, float | None] = field(default_factory=dict)
    max_retries: int = 0
    retry_for: tuple[type[Exception], ...] = ()
    retry_delay: float = 1.0
    retry_lost: bool = False
    queue: str = QUEUE

    def schema(self) -> dict[str, Any]:
        """The parameters as JSON Schema, for a form."""
        schema: dict[str, Any] = _converter().schema2jsonschema(self.params())  # type: ignore[no-untyped-call]
        return schema


_jobs: dict[str, Job] = {}
_broken: dict[str, str] = {}


def job(
    name: str,
    *,
    params: type[Schema],
    title: str | None = None,
    phases: Sequence[str] | Mapping[str, float] = (),
    max_retries: int = 0,
    retry_for: tuple[type[Exception], ...] = (),
    retry_delay: float = 1.0,
    retry_lost: bool = False,
    queue: str = QUEUE,
) -> Callable[[JobFunction], JobFunction]:
    """Registers a job type. The function is called with the loaded parameters as keywords and
    returns a result that JSON can hold; the first line of its docstring is the description.
    ``phases`` are names, or names with the share of the work that each is."""

    def register(function: JobFunction) -> JobFunction:
        if name in _jobs and _jobs[name].function.__module__ != function.__module__:
            raise ValueError(f"two job types are named {name!r}")
        _jobs[name] = Job(
            name=name,
            function=function,
            params=params,
            title=title or name.replace("_", " ").capitalize(),
            description=(function.__doc__ or "").strip().partition("\n")[0],
            phases=dict(phases) if isinstance(phases, Mapping) else dict.fromkeys(phases),
            max_retries=max_retries,
            retry_for=retry_for,
            retry_delay=retry_delay,
            retry_lost=retry_lost,
            queue=queue,
        )
        return function

    return register


@cache
def jobs() -> Mapping[str, Job]:
    """Every job type by name, from every module in workers/jobs that can be imported."""
    package = importlib.import_module("workers.jobs")
    for module in (m for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")):
        load(f"workers.jobs.{module.name}")
    return dict(sorted(_jobs.items()))


def broken() -> Mapping[str, str]:
    """The job files that could not be imported when this process looked, each with the reason in one line."""
    jobs()
    return dict(sorted(_broken.items()))


def unknown(job_type: str) -> str:
    """Why there is no such job type here, as far as that is known."""
    files = "; ".join(f"{file} cannot be imported: {why}" for file, why in broken().items())
    return f"this worker knows no job type {job_type!r}" + (f" ({files})" if files else "")


def load(name: str) -> list[Job]:
    """The job types of one file. One that cannot be imported takes away its own and nobody else's, and the log says
    why."""
    file = f"{name.replace('.', '/')}.py"
    try:
        if file not in _broken:
            importlib.import_module(name)
    except (Exception, SystemExit) as error:
        _broken[file] = f"{type(error).__name__}: {reason(error)}".partition("\n")[0][:REASON_LIMIT]
        logger.exception("%s cannot be imported, its job types are not there", file)
        for job_type in [j.name for j in _jobs.values() if j.function.__module__ == name]:
            del _jobs[job_type]  # half of a file is no job
    return [known for known in _jobs.values() if known.function.__module__ == name]


def declared(job_type: str) -> Mapping[str, float | None]:
    """The phases that the job type declares, each with its weight, or None where it gives only names."""
    known = jobs().get(job_type)
    return known.phases if known else {}


def queue_of(job_type: str) -> str | None:
    """Where its messages go; None when no Celery worker serves its queue, and somebody else claims its tasks."""
    known = jobs().get(job_type)
    queue = known.queue if known else QUEUE
    return queue if queue in settings().celery_queues else None


def types_of(queue: str) -> list[str]:
    """The job types whose messages go to that queue."""
    return [name for name, known in jobs().items() if known.queue == queue]


def may_retry_lost(job_type: str, retry_count: int) -> bool:
    known = jobs().get(job_type)
    return known is not None and known.retry_lost and retry_count < known.max_retries


@cache
def _converter() -> OpenAPIConverter:
    spec = APISpec("jobs", "1", "3.1.0")
    return OpenAPIConverter("3.1.0", schema_name_resolver=lambda schema: None, spec=spec)
