"""Sums of ended runs by hour, to which a trigger adds a row for each run: statistics read no tasks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Time


class RunSum(Base):
    """``number`` runs that ended in this hour with this status, and took as long as the bucket says
    (app/tasks/durations.py); no bucket: they never began. ``is_new``: the row was not summed up yet."""

    __tablename__ = "run_sums"
    __table_args__ = (
        Index("run_sums_by_user", "user_id", "job_type", "hour"),
        Index(
            "run_sums_by_tenant", "tenant", "job_type", "hour", postgresql_where=text("tenant IS NOT NULL")
        ),
        Index("run_sums_new", "user_id", "job_type", "hour", postgresql_where=text("is_new")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    tenant: Mapped[str | None] = mapped_column(Text)
    job_type: Mapped[str] = mapped_column(Text)
    hour: Mapped[datetime] = mapped_column(Time)
    status: Mapped[str] = mapped_column(Text)
    bucket: Mapped[int | None]
    number: Mapped[int] = mapped_column(BigInteger)
    is_new: Mapped[bool] = mapped_column(server_default=text("true"))


class ErrorSum(Base):
    """``number`` runs that failed in this hour with an error of this type at this place, ``file:function`` of the run's
    own code. ``task_id`` is the last of them, at ``last_at``."""

    __tablename__ = "error_sums"
    __table_args__ = (
        Index("error_sums_by_user", "user_id", "job_type", "hour"),
        Index(
            "error_sums_by_tenant", "tenant", "job_type", "hour", postgresql_where=text("tenant IS NOT NULL")
        ),
        Index("error_sums_new", "user_id", "job_type", "hour", postgresql_where=text("is_new")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    tenant: Mapped[str | None] = mapped_column(Text)
    job_type: Mapped[str] = mapped_column(Text)
    hour: Mapped[datetime] = mapped_column(Time)
    type: Mapped[str] = mapped_column(Text)
    place: Mapped[str | None] = mapped_column(Text)
    task_id: Mapped[str] = mapped_column(Id)
    last_at: Mapped[datetime] = mapped_column(Time)
    number: Mapped[int] = mapped_column(BigInteger)
    is_new: Mapped[bool] = mapped_column(server_default=text("true"))
