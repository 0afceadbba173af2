"""Job types: one file in a package of jobs and one decorator each. Form, schema and routes follow from here."""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any

from marshmallow import Schema

from app.config import QUEUE
from app.db.persistent import PersistentConnection
from app.jobs.catalog import Catalog
from app.tasks.outputs import output_name
from taskroom.texts import reason
from workers.settings import settings

logger = logging.getLogger("taskroom.registry")

JobFunction = Callable[..., Any]
REASON_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Job:
    """A job type. ``phases`` share the overall progress by their weights, in their order; by what earlier runs took
    where they have none.

    ``max_retries`` bounds retries of every kind: RetryTask, an exception in ``retry_for``, and
    a lost worker when ``retry_lost``. ``retry_delay`` is in seconds and doubles with each retry. ``outputs`` are the
    names of files that a run saves, each with what it is.
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
    outputs: Mapping[str, str] = field(default_factory=dict)


_jobs: dict[str, Job] = {}
_broken: dict[str, str] = {}  # by the names of modules


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
    outputs: Mapping[str, str] | None = None,
) -> Callable[[JobFunction], JobFunction]:
    """Registers a job type. The function is called with the loaded parameters as keywords and
    returns a result that JSON can hold; the first line of its docstring is the description.
    ``phases`` are names, or names with the share of the work that each is. ``outputs`` are the names of files that a
    run saves with ``save_output``, each with what it is. Raises ValueError for a name that no file may have."""

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
            outputs={output_name(name): about for name, about in (outputs or {}).items()},
        )
        return function

    return register


@cache
def jobs() -> Mapping[str, Job]:
    """Every job type by name, of all packages of TASKROOM_JOBS, as far as they can be imported."""
    for package in settings().jobs:
        # A module that is no package has no files beside itself.
        for file in pkgutil.iter_modules(getattr(_load(package), "__path__", ())):
            if not file.name.startswith("_"):
                _load(f"{package}.{file.name}")
    return dict(sorted(_jobs.items()))


def broken(package: str | None = None) -> Mapping[str, str]:
    """The job files, of one package or of all, that could not be imported when this process looked, each with the
    reason in one line."""
    jobs()
    return {_file(m): why for m, why in sorted(_broken.items()) if package in (None, package_of(m))}


def package_of(module: str) -> str:
    """The package of TASKROOM_JOBS that the module is in; of a module that was imported otherwise it is itself."""
    found = [each for each in settings().jobs if f"{module}.".startswith(f"{each}.")]
    return max(found, key=len, default=module)


def unknown(job_type: str) -> str:
    """Why there is no such job type here, as far as that is known."""
    files = "; ".join(f"{file} cannot be imported: {why}" for file, why in broken().items())
    return f"this worker knows no job type {job_type!r}" + (f" ({files})" if files else "")


def declared(job_type: str) -> Mapping[str, float | None]:
    """The phases that the job type declares, each with its weight, or None where it gives only names."""
    known = jobs().get(job_type)
    return known.phases if known else {}


def types_of(queue: str) -> list[str]:
    """The job types whose messages go to that queue."""
    return [name for name, known in jobs().items() if known.queue == queue]


def queue_of(job_type: str) -> str | None:
    """The queue of the job type's messages, also of one that only other workers have: a step may be of any type. None
    when no Celery worker serves its queue, and somebody else claims its tasks."""
    known = jobs().get(job_type)
    if known is None:
        return _of_all_workers().queue_of(job_type)
    return known.queue if known.queue in settings().celery_queues else None


@cache
def _of_all_workers() -> Catalog:
    return Catalog(PersistentConnection(settings().database_url), settings().celery_queues)


os.register_at_fork(after_in_child=_of_all_workers.cache_clear)  # its connection is the parent's


def may_retry_lost(job_type: str, retry_count: int) -> bool:
    known = jobs().get(job_type)
    return known is not None and known.retry_lost and retry_count < known.max_retries


def _load(name: str) -> ModuleType | None:
    """The module, imported. One that cannot be imported takes away its own job types and nobody else's, and the log
    says why."""
    if name in _broken:
        return None
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        _broken[name] = f"{type(error).__name__}: {reason(error)}".partition("\n")[0][:REASON_LIMIT]
        logger.exception("%s cannot be imported, its job types are not there", _file(name))
        for job_type in [j.name for j in _jobs.values() if j.function.__module__ == name]:
            del _jobs[job_type]  # half of a file is no job
        return None


def _file(module: str) -> str:
    """As it is shown: a package of TASKROOM_JOBS by its name, the files in it by their paths."""
    return module if module in settings().jobs else f"{module.replace('.', '/')}.py"
