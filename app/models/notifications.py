"""The tables of notifications."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Time


class Notification(Base):
    """A notification. ``sequence`` is that of its event on the user's stream. A mark reads it without ``read_at``."""

    __tablename__ = "notifications"
    __table_args__ = (
        Index("notifications_by_user", "user_id", "sequence", unique=True),
        Index("notifications_unread", "user_id", "sequence", postgresql_where=text("read_at IS NULL")),
        Index("notifications_read", "user_id", "sequence", postgresql_where=text("read_at IS NOT NULL")),
        Index("notifications_of_run", "user_id", "run_id", postgresql_where=text("run_id IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    sequence: Mapped[int] = mapped_column(BigInteger)
    tenant: Mapped[str | None] = mapped_column(Text)
    notification_type: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)
    related_type: Mapped[str | None] = mapped_column(Text)
    related_id: Mapped[str | None] = mapped_column(Text)
    related_session_id: Mapped[str | None] = mapped_column(Text)
    action_url: Mapped[str | None] = mapped_column(Text)
    urgent: Mapped[bool]
    # "metadata" is the library's own word on a model
    details: Mapped[Any] = mapped_column("metadata", JSON)
    created_at: Mapped[datetime] = mapped_column(Time, index=True)
    read_at: Mapped[datetime | None] = mapped_column(Time)
    run_id: Mapped[str | None] = mapped_column(Id)  # of the entry of a run, whose next one takes its place


class NotificationChoice(Base):
    """What a user is told of runs of a job type; of all that have no row, where it is empty."""

    __tablename__ = "notification_choices"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    job_type: Mapped[str] = mapped_column(Text, primary_key=True)
    choice: Mapped[str] = mapped_column(Text)


class Inbox(Base):
    """The number of unread notifications of a user: counting a hundred thousand rows would take too long."""

    __tablename__ = "inboxes"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    unread: Mapped[int] = mapped_column(server_default="0")


class ReadMark(Base):
    """Marks all notifications of a user up to ``read_to`` as read at that time, except those that were read before."""

    __tablename__ = "read_marks"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    read_to: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    read_at: Mapped[datetime] = mapped_column(Time, index=True)
