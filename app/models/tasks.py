"""Tasks, their phases and approvals, which are folds of events; and sums that triggers keep."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Identity, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Time


class Task(Base):
    __tablename__ = "tasks"
    __table_args__ = (
        Index("tasks_by_user", "user_id", "created_at", "id"),
        Index("tasks_by_tenant", "tenant", "created_at", "id", postgresql_where=text("tenant IS NOT NULL")),
        # For lists of all tenants, which name the condition; each row meets it. Else Postgres would read a user's list
        # from this index too, because rows lie in the order of their times, and pass all newer ones of others.
        Index("tasks_of_all", "created_at", "id", postgresql_where=text("stream_id > 0")),
        # Without steps, which lists show folded under their parent.
        Index(
            *("tasks_by_user_top", "user_id", "created_at", "id"), postgresql_where=text("parent_id IS NULL")
        ),
        Index(
            *("tasks_by_tenant_top", "tenant", "created_at", "id"),
            postgresql_where=text("tenant IS NOT NULL AND parent_id IS NULL"),
        ),
        Index("tasks_by_status", "user_id", "status", "created_at", "id"),
        Index("tasks_by_type", "user_id", "job_type", "created_at", "id"),
        Index(
            *("tasks_by_tenant_status", "tenant", "status", "created_at", "id"),
            postgresql_where=text("tenant IS NOT NULL"),
        ),
        Index(
            *("tasks_by_tenant_type", "tenant", "job_type", "created_at", "id"),
            postgresql_where=text("tenant IS NOT NULL"),
        ),
        Index(
            "tasks_by_parent",
            "parent_id",
            "step",
            unique=True,
            postgresql_where=text("parent_id IS NOT NULL"),
        ),
        # The order of the rows of a tree.
        Index(
            *("tasks_in_tree", "parent_id", text("coalesce(step, 0)"), "created_at", "id"),
            postgresql_where=text("parent_id IS NOT NULL"),
        ),
        Index("tasks_waiting", "user_id", postgresql_where=text("status = 'WAITING'")),
        Index("tasks_unfinished", "user_id", "created_at", postgresql_where=text("finished_at IS NULL")),
        Index(
            *("tasks_unfinished_of_tenant", "tenant", "created_at"),
            postgresql_where=text("tenant IS NOT NULL AND finished_at IS NULL"),
        ),
        Index(
            *("tasks_succeeded", "job_type", text("coalesce(tenant, '')"), "finished_at"),
            postgresql_where=text("status = 'SUCCESS'"),
        ),
        Index(
            *("tasks_succeeded_by_user", "user_id", "job_type", "finished_at"),
            postgresql_where=text("status = 'SUCCESS'"),
        ),
        Index(
            "tasks_unfinished_retries",
            "retry_of",
            postgresql_where=text("retry_of IS NOT NULL AND finished_at IS NULL"),
        ),
        Index(
            "tasks_by_retry", "retry_of", "created_at", "id", postgresql_where=text("retry_of IS NOT NULL")
        ),
        Index(
            "tasks_by_again", "again_of", "created_at", "id", postgresql_where=text("again_of IS NOT NULL")
        ),
        Index(
            "tasks_ended",
            "finished_at",
            postgresql_where=text("finished_at IS NOT NULL AND parent_id IS NULL"),
        ),
        # A group ends when none of its members is here.
        Index(
            "tasks_open_children",
            "parent_id",
            postgresql_where=text("parent_id IS NOT NULL AND finished_at IS NULL"),
        ),
        Index(
            *("tasks_waiting_in_queue", "queue", text("coalesce(tenant, user_id::text)"), "created_at"),
            postgresql_where=text("observed AND status = 'PENDING'"),
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id"), unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    tenant: Mapped[str | None] = mapped_column(Text)  # its owner's when it was made
    job_type: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    intent: Mapped[str] = mapped_column(Text)
    params: Mapped[Any] = mapped_column(JSON)  # without secrets: readers of the task see them
    secret_params: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))  # with them, if there are any
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("tasks.id"))
    step: Mapped[int | None]  # which of its parent's, from 1
    retry_of: Mapped[str | None] = mapped_column(ForeignKey("tasks.id"))
    again_of: Mapped[str | None] = mapped_column(ForeignKey("tasks.id", ondelete="SET NULL"))
    trigger: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Time)
    status: Mapped[str] = mapped_column(Text)
    current_phase: Mapped[str | None] = mapped_column(Text)
    current_phase_message: Mapped[str | None] = mapped_column(Text)
    progress: Mapped[float] = mapped_column(server_default="0")
    started_at: Mapped[datetime | None] = mapped_column(Time)
    updated_at: Mapped[datetime | None] = mapped_column(Time)
    finished_at: Mapped[datetime | None] = mapped_column(Time)
    eta_seconds: Mapped[float | None]
    result: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    error: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    retry_count: Mapped[int] = mapped_column(server_default="0")
    worker: Mapped[str | None] = mapped_column(Text)
    progress_known: Mapped[bool | None]  # None: of a run that was before it was asked
    plan: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    usual: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))  # how long earlier runs took
    attempt_started_at: Mapped[datetime | None] = mapped_column(Time)
    status_sequence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    # Of an observed task, which others run and report; the rest is NULL for other tasks.
    observed: Mapped[bool] = mapped_column(server_default=text("false"))
    can_retry: Mapped[bool | None]  # whether its reporter can start it again
    queue: Mapped[str | None] = mapped_column(Text)
    root_id: Mapped[str | None] = mapped_column(Id)
    group_id: Mapped[str | None] = mapped_column(Id)
    reporter: Mapped[str | None] = mapped_column(Id)  # the key or the user that reported it first
    reported_id: Mapped[str | None] = mapped_column(Text)  # its id as the reporter gives it
    lease_seconds: Mapped[int | None]  # as said last
    ahead: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))  # what comes after it, not sent yet


class TaskCount(Base):
    """The number of tasks in a status is the sum of ``number``. A trigger adds one row for the new status of a task and
    one that subtracts it from the old status; every minute the rows are added up."""

    __tablename__ = "task_counts"
    __table_args__ = (
        Index("task_counts_by_user", "user_id"),
        Index("task_counts_by_tenant", "tenant", postgresql_where=text("tenant IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    tenant: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    number: Mapped[int] = mapped_column(BigInteger)


class StoredBytes(Base):
    """The bytes that a user's tasks stored on a day (UTC) are the sum of ``bytes``. Triggers add a row when a task is
    created and when it ends; every minute the rows are added up."""

    __tablename__ = "stored_bytes"
    __table_args__ = (Index("stored_bytes_by_user", "user_id", "day"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    day: Mapped[date]
    bytes: Mapped[int] = mapped_column(BigInteger)


class Phase(Base):
    __tablename__ = "phases"
    __table_args__ = (Index("phases_with_errors", "task_id", postgresql_where=text("error_count > 0")),)

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    phase_id: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int]
    status: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text, server_default="")
    processed_count: Mapped[int] = mapped_column(BigInteger, server_default="0")
    total_count: Mapped[int | None] = mapped_column(BigInteger)
    error_count: Mapped[int] = mapped_column(BigInteger, server_default="0")
    eta_seconds: Mapped[float | None]
    started_at: Mapped[datetime | None] = mapped_column(Time)
    updated_at: Mapped[datetime | None] = mapped_column(Time)
    duration_seconds: Mapped[float | None]
    half_seconds: Mapped[float | None]
    sequence: Mapped[int] = mapped_column(BigInteger, server_default="0")


class Output(Base):
    """A file that a task has saved, made by its event ``output``. The storage has its content."""

    __tablename__ = "outputs"

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    attempt: Mapped[int]
    size: Mapped[int] = mapped_column(BigInteger)
    content_type: Mapped[str] = mapped_column(Text)
    sequence: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(Time)


class LogSection(Base):
    """An attempt, a phase or a group in the log of a task, from its first event to its last."""

    __tablename__ = "log_sections"

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    group_id: Mapped[str | None] = mapped_column(Text)
    first_sequence: Mapped[int] = mapped_column(BigInteger)
    last_sequence: Mapped[int | None] = mapped_column(BigInteger)
    started_at: Mapped[datetime] = mapped_column(Time)
    ended_at: Mapped[datetime | None] = mapped_column(Time)


class Approval(Base):
    """An approval that a task waits for or waited for. ``decided_by`` is an e-mail address, as in the event."""

    __tablename__ = "approvals"
    __table_args__ = (Index("approvals_open", "asked_at", postgresql_where=text("decided_at IS NULL")),)

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    risk_level: Mapped[str] = mapped_column(Text)
    estimated_cost: Mapped[float]
    asked_at: Mapped[datetime] = mapped_column(Time)
    decided_at: Mapped[datetime | None] = mapped_column(Time)
    approved: Mapped[bool | None]
    decided_by: Mapped[str | None] = mapped_column(Text)
