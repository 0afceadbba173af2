"""The settings of a process: ``config`` has all of them, ``readers`` read and check single ones."""

from app.config.config import CELERY_QUEUES, JOBS, QUEUE, QUICK_QUEUE, Config
from app.config.readers import is_loopback

__all__ = ["CELERY_QUEUES", "JOBS", "QUEUE", "QUICK_QUEUE", "Config", "is_loopback"]
