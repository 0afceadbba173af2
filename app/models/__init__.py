"""The tables. Importing this package is what fills the metadata that Alembic compares with the migrations."""

from app.models import accounts, notifications, queue, streams, tasks, webhooks
from app.models.base import Base

__all__ = ["Base", "accounts", "notifications", "queue", "streams", "tasks", "webhooks"]
