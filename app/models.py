"""The tables. Stream rows are locks and counters; task and phase rows are folds of their events."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import db

if TYPE_CHECKING:
    from sqlalchemy.orm import DeclarativeBase

    Base = DeclarativeBase
else:
    Base = db.Model

Time = TIMESTAMP(timezone=True)
Id = Uuid(as_uuid=False)


class User(Base):
    """An account of ours, with a password, or of another issuer's, known by (issuer, subject). A trigger ends its
    sessions when what its tokens say of it changes."""

    __tablename__ = "users"
    __table_args__ = (
        Index("users_by_email", "email", unique=True, postgresql_where=text("issuer IS NULL")),
        UniqueConstraint("issuer", "subject", name="users_by_issuer"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, server_default=text("gen_random_uuid()"))
    email: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str | None] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text, server_default="operator")
    tenant: Mapped[str | None] = mapped_column(Text)
    issuer: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text)
    told_at: Mapped[datetime | None] = mapped_column(
        Time
    )  # when the issuer made the token that role and tenant are of
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class Tenant(Base):
    """What is known of a tenant besides its name, which the accounts carry."""

    __tablename__ = "tenants"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    trial_ends_at: Mapped[datetime | None] = mapped_column(Time)


class Session(Base):
    """One sign-in. Its tokens name it, so that signing out ends all of them at once."""

    __tablename__ = "sessions"
    __table_args__ = (
        # Every web process reads the newest sign-outs every second.
        Index("sessions_revoked", "revoked_at", postgresql_where=text("revoked_at IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, server_default=text("gen_random_uuid()"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(Time)
    revoked_at: Mapped[datetime | None] = mapped_column(Time)
    refreshes: Mapped[int] = mapped_column(server_default="0")  # the number of its refresh token
    refreshed_at: Mapped[datetime | None] = mapped_column(Time)


class Ticket(Base):
    """Good for one connection; kept as a hash, deleted by its use."""

    __tablename__ = "tickets"

    hash: Mapped[str] = mapped_column(Text, primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime] = mapped_column(Time)


class Stream(Base):
    """The only lock of what it names. ``attempt`` fences writers of an older run, ``swept`` says that nothing is
    left of it to prune."""

    __tablename__ = "streams"
    # Neither column changes with an append: an index of what does would make each one dearer.
    __table_args__ = (
        Index("streams_unswept", "id", postgresql_where=text("NOT swept")),
        Index("streams_of_users", "id", postgresql_where=text("name LIKE 'user:%'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    last_seq: Mapped[int] = mapped_column(BigInteger, server_default="0")
    pruned_to: Mapped[int] = mapped_column(BigInteger, server_default="0")
    attempt: Mapped[int] = mapped_column(server_default="0")
    closed: Mapped[bool] = mapped_column(server_default=text("false"))
    cancel_requested: Mapped[bool] = mapped_column(server_default=text("false"))
    swept: Mapped[bool] = mapped_column(server_default=text("false"))
    bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))  # of all its events so far
    ancestors: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))  # of a step, the eldest first


class Event(Base):
    """No foreign key: it would cost a look-up for each event, and the stream row is locked anyway."""

    __tablename__ = "events"

    stream_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    type: Mapped[str] = mapped_column(Text)
    level: Mapped[str | None] = mapped_column(Text)
    phase: Mapped[str | None] = mapped_column(Text)
    payload: Mapped[str] = mapped_column(Text)


class EventId(Base):
    """What its publisher called an event, so that saying it twice says it once."""

    __tablename__ = "event_ids"

    stream: Mapped[str] = mapped_column(Text, primary_key=True)
    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class Writer(Base):
    """``answer`` is what a worker that is no Celery worker was told of its last batch, to be told again."""

    __tablename__ = "writers"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    last_batch: Mapped[int] = mapped_column(BigInteger, server_default="0")
    seen_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    answer: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))


class Task(Base):
    __tablename__ = "tasks"
    __table_args__ = (
        Index("tasks_by_user", "user_id", "created_at", "id"),
        Index("tasks_by_tenant", "tenant", "created_at", "id", postgresql_where=text("tenant IS NOT NULL")),
        Index(
            "tasks_by_parent",
            "parent_id",
            "step",
            unique=True,
            postgresql_where=text("parent_id IS NOT NULL"),
        ),
        Index("tasks_unfinished", "user_id", "created_at", postgresql_where=text("finished_at IS NULL")),
        Index("tasks_succeeded", "job_type", "finished_at", postgresql_where=text("status = 'SUCCESS'")),
        Index(
            "tasks_unfinished_retries",
            "retry_of",
            postgresql_where=text("retry_of IS NOT NULL AND finished_at IS NULL"),
        ),
        Index("tasks_by_retry", "retry_of", postgresql_where=text("retry_of IS NOT NULL")),
        Index(
            "tasks_ended",
            "finished_at",
            postgresql_where=text("finished_at IS NOT NULL AND parent_id IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id"), unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    tenant: Mapped[str | None] = mapped_column(Text)  # its owner's when it was made
    job_type: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    intent: Mapped[str] = mapped_column(Text)
    params: Mapped[Any] = mapped_column(JSON)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("tasks.id"))
    step: Mapped[int | None]  # which of its parent's, from 1
    retry_of: Mapped[str | None] = mapped_column(ForeignKey("tasks.id"))
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
    status_sequence: Mapped[int] = mapped_column(BigInteger, server_default="0")


class TaskCount(Base):
    """How many tasks have which status is the sum of ``number``: a trigger adds a row for what a task becomes, and one
    that takes it from what it was; once an hour they are summed up."""

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
    """What a user's tasks took on a day of UTC is the sum of ``bytes``: triggers add a row when a task is made and when
    it ends; every ten minutes they are summed up."""

    __tablename__ = "stored_bytes"
    __table_args__ = (Index("stored_bytes_by_user", "user_id", "day"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    day: Mapped[date]
    bytes: Mapped[int] = mapped_column(BigInteger)


class Phase(Base):
    __tablename__ = "phases"

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
    sequence: Mapped[int] = mapped_column(BigInteger, server_default="0")


class Approval(Base):
    """What a task was asked to wait for. ``decided_by`` is an e-mail address, as the event has it."""

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


class IdempotencyKey(Base):
    __tablename__ = "idempotency_keys"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    body_hash: Mapped[str] = mapped_column(
        Text
    )  # of what else it came with: what it is and where it was sent
    task_id: Mapped[str | None] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    made: Mapped[str | None] = mapped_column(Text)  # what its answer is made from
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
