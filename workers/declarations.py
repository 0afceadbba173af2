"""Declares in Postgres which job types this worker has, and which job files it cannot use."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from psycopg2.extensions import cursor as Cursor

from app.jobs.packages import Declaration, declare, mark_seen
from app.jobs.types import JobType
from taskroom.texts import reason
from workers.registry import REASON_LIMIT, Job, broken, jobs, package_of
from workers.schemas import json_schema
from workers.settings import settings

logger = logging.getLogger("taskroom.registry")

KEEP_SECONDS = 3600.0  # between two renewals


class DeclarationWriter:
    """Writes what this worker has once Postgres takes it, and renews it from then on. For one thread at a time."""

    def __init__(self) -> None:
        self._found = declarations()
        self._declared = False
        self._due_at = -float("inf")

    def due(self) -> bool:
        return time.monotonic() >= self._due_at

    def write(self, cur: Cursor) -> None:
        """Writes again what is no longer there, as after a restore. ``written`` is to be called after the commit."""
        names = [each.package for each in self._found]
        if not self._declared or mark_seen(cur, names) < len(names):
            declare(cur, self._found)

    def written(self) -> None:
        self._declared, self._due_at = True, time.monotonic() + KEEP_SECONDS


def declarations() -> list[Declaration]:
    """One for each package of TASKROOM_JOBS, and for each other module that has registered job types."""
    found: dict[str, list[Job]] = {package: [] for package in settings().jobs}
    for job in jobs().values():
        found.setdefault(package_of(job.function.__module__), []).append(job)
    return [_declaration(package, of_package) for package, of_package in found.items()]


def _declaration(package: str, of_package: Iterable[Job]) -> Declaration:
    types, failing = list[JobType](), dict(broken(package))
    for job in of_package:
        try:
            types.append(_type(job))
        except Exception as error:  # whatever a field of the job's own raises: the others must not go with it
            logger.exception(
                "the job type %s cannot be started: its parameters have no JSON Schema", job.name
            )
            failing[job.name] = f"{type(error).__name__}: {reason(error)}".partition("\n")[0][:REASON_LIMIT]
    return Declaration(package, types, failing)


def _type(job: Job) -> JobType:
    same = ("name", "title", "description", "phases", "queue", "max_retries", "retry_lost", "outputs")
    return JobType(params=json_schema(job.params), **{name: getattr(job, name) for name in same})
