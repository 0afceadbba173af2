"""The Celery app with the tests' job types: ``celery -A tests.support.worker worker``."""

from tests.support import gated, jobs, process_jobs, release, thread_jobs
from workers.celery_app import celery

__all__ = ["celery", "gated", "jobs", "process_jobs", "release", "thread_jobs"]
