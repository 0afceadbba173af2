"""Where the messages of a job type go, also of one that only other workers have: a step may be of any type."""

from __future__ import annotations

import os
from functools import cache

from app.db.pool import Single
from app.jobs.catalog import Catalog
from workers.registry import jobs
from workers.settings import settings


def queue_of(job_type: str) -> str | None:
    """None when no Celery worker serves its queue, and somebody else claims its tasks."""
    known = jobs().get(job_type)
    if known is None:
        return _declared().queue_of(job_type)
    return known.queue if known.queue in settings().celery_queues else None


@cache
def _declared() -> Catalog:
    return Catalog(Single(settings().database_url), settings().celery_queues)


os.register_at_fork(after_in_child=_declared.cache_clear)  # its connection is the parent's
