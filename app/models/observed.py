"""The tables of observed tasks: attempts by the names of their reporters, groups, wishes for a retry, and what works
where."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, JSON, BigInteger, ForeignKey, Index, Text, func, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.models.base import Base, Id, Time


class ReportedAttempt(Base):
    """An attempt that a reporter has named. ``number`` counts all attempts of the reported id, ``attempt`` those of the
    task: an attempt that begins after the task's end belongs to another task. ``began_seq`` is the last sequence of the
    task's stream before it."""

    __tablename__ = "reported_attempts"
    __table_args__ = (
        Index("reported_attempts_newest", "reported_id", "number", unique=True),
        Index("reported_attempts_by_task", "task_id"),
    )

    reported_id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int]
    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    attempt: Mapped[int]
    began_seq: Mapped[int] = mapped_column(BigInteger)
    reporter: Mapped[str] = mapped_column(Id)
    writer: Mapped[str] = mapped_column(Id)


class OpenGroup(Base):
    """A node that has not ended: of a group of observed tasks, or of a parent that was not reported.
    ``newest_stream_id`` is the stream of the task below that came last, as of the last round; ``quiet_rounds`` counts
    the rounds since then."""

    __tablename__ = "open_groups"

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    newest_stream_id: Mapped[int] = mapped_column(BigInteger, server_default="0")
    quiet_rounds: Mapped[int] = mapped_column(server_default="0")


class Resend(Base):
    """A user's wish that the reporter start an ended task again. The answer to one batch takes it away."""

    __tablename__ = "resends"
    __table_args__ = (Index("resends_by_reporter", "reporter", "asked_at"),)

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    reporter: Mapped[str] = mapped_column(Id)
    writer: Mapped[str | None] = mapped_column(Id)  # that held the last attempt
    asked_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class Report:
    """A worker, queue or schedule as it was reported last. ``user_id`` and ``tenant`` are those of the reporter, NULL
    for Taskroom's own. ``reporter`` is its key or its account; ``id`` is made of it and of the name."""

    __tablename__: str

    # No index has ``seen_at``: each report would change it. The tables have few rows.
    @declared_attr.directive
    def __table_args__(cls) -> tuple[Index, ...]:
        return (Index(f"{cls.__tablename__}_by_name", "name", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    tenant: Mapped[str | None] = mapped_column(Text)
    reporter: Mapped[str | None] = mapped_column(Id)
    name: Mapped[str] = mapped_column(Text)
    beat_seconds: Mapped[float] = mapped_column(server_default=text("10"))
    seen_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class WorkerReport(Report, Base):
    """A worker. ``since``: when this process of it was seen first."""

    __tablename__ = "worker_reports"

    host: Mapped[str | None] = mapped_column(Text)
    pid: Mapped[int | None] = mapped_column(BigInteger)
    pool: Mapped[str | None] = mapped_column(Text)
    slots: Mapped[int | None] = mapped_column(BigInteger)
    queues: Mapped[list[str]] = mapped_column(ARRAY(Text))
    running: Mapped[list[str]] = mapped_column(ARRAY(Id))
    waiting: Mapped[list[str]] = mapped_column(ARRAY(Id), server_default="{}")  # it has them, and began none
    memory_bytes: Mapped[int | None] = mapped_column(BigInteger)
    versions: Mapped[Any] = mapped_column(JSON)
    since: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class ScheduleReport(Report, Base):
    """An entry of a beat. ``last_task_id`` is the id of the task that it sent last. ``ended_at`` and ``end_error`` say
    how the last run of one of ours ended, which is no task."""

    __tablename__ = "schedule_reports"

    job_type: Mapped[str] = mapped_column(Text)
    schedule: Mapped[str] = mapped_column(Text)
    last_run_at: Mapped[datetime | None] = mapped_column(Time)
    last_task_id: Mapped[str | None] = mapped_column(Id)
    last_error: Mapped[str | None] = mapped_column(Text)
    next_run_at: Mapped[datetime | None] = mapped_column(Time)
    ended_at: Mapped[datetime | None] = mapped_column(Time)
    end_error: Mapped[str | None] = mapped_column(Text)


class QueueReport(Report, Base):
    """A queue."""

    __tablename__ = "queue_reports"

    depth: Mapped[int] = mapped_column(BigInteger)
    oldest_wait_seconds: Mapped[float | None]
