"""The tables. Importing this package is what fills the metadata that Alembic compares with the migrations."""

from app.models import accounts, notifications, queue, streams, tasks, webhooks
from app.models.base import db

__all__ = ["accounts", "db", "notifications", "queue", "streams", "tasks", "webhooks"]
