"""The tables. Importing this package is what fills the metadata that Alembic compares with the migrations."""

from app.models import (
    accounts,
    bulk,
    notifications,
    observed,
    queue,
    streams,
    sums,
    tasks,
    trail,
    views,
    webhooks,
)
from app.models.base import Base

__all__ = [
    "Base",
    "accounts",
    "bulk",
    "notifications",
    "observed",
    "queue",
    "streams",
    "sums",
    "tasks",
    "trail",
    "views",
    "webhooks",
]
