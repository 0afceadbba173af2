"""The tables. Importing this package is what fills the metadata that Alembic compares with the migrations."""

from app.models import accounts, jobs, notifications, queue, streams, tasks, webhooks
from app.models.base import db

__all__ = ["accounts", "db", "jobs", "notifications", "queue", "streams", "tasks", "webhooks"]
