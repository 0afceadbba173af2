"""Bulk actions: what somebody asked to do with many tasks, and what became of each."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id


class BulkRun(Base):
    """The order of a run of the type ``bulk_action``, whose owner gave it. ``key_id`` has no foreign key: an order by a
    key that was deleted must not become one by its owner."""

    __tablename__ = "bulk_runs"

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    key_id: Mapped[str | None] = mapped_column(Id)
    action: Mapped[str] = mapped_column(Text)
    listing: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))  # a filter, until it is resolved
    more: Mapped[bool] = mapped_column(server_default=text("false"))  # the filter had more than are done


class BulkTarget(Base):
    """A task of a bulk action, without a foreign key: it may be none, and it may be removed. ``outcome`` is NULL until
    it is its turn."""

    __tablename__ = "bulk_targets"

    bulk_id: Mapped[str] = mapped_column(
        ForeignKey("bulk_runs.task_id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    task_id: Mapped[str] = mapped_column(Id)
    outcome: Mapped[str | None] = mapped_column(Text)
    about: Mapped[str | None] = mapped_column(Text)  # why it was refused; the id of its retry
