"""The tables of the queue: waiting tasks, running attempts, workers and their job types, and the order of users."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, JSON, ForeignKey, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Time


class Dispatch(Base):
    """A task that waits to be claimed as attempt ``number``. The claim deletes the row. A trigger fills in the user and
    the job type, so a claim reads the first task of each user, however many wait behind it."""

    __tablename__ = "dispatches"
    __table_args__ = (Index("dispatches_by_user", "user_id", "job_type", "due_at"),)

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(Time)
    send_count: Mapped[int] = mapped_column(server_default="0")
    next_send_at: Mapped[datetime] = mapped_column(Time, index=True)
    user_id: Mapped[str] = mapped_column(Id)
    job_type: Mapped[str] = mapped_column(Text)


class Lease(Base):
    """A running attempt. Its age is counted in rounds, not in time, so a change of the clock ends no task."""

    __tablename__ = "leases"

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int]
    missed: Mapped[int] = mapped_column(server_default="0")
    # The writer that claimed over REST: an account may have many processes. None for a Celery worker.
    holder: Mapped[str | None] = mapped_column(Text)
    rounds: Mapped[int] = mapped_column(server_default="4")  # it may miss; then the attempt is lost


class BrokerRun(Base):
    """The run id of the Redis that has got a hint for every waiting task. The table has one row."""

    __tablename__ = "broker_runs"

    run_id: Mapped[str] = mapped_column(Text, primary_key=True)
    hinted_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class Worker(Base):
    """A running Celery worker, which renews its row every round. ``spare`` of ``slots`` are kept for other users."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    queues: Mapped[list[str]] = mapped_column(ARRAY(Text))
    slots: Mapped[int]
    spare: Mapped[int]
    seen_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class Hold(Base):
    """A queue that is paused, or a worker of ours that is drained: nothing more is claimed. ``held_by`` is an e-mail
    address. Of a worker ``seen_at`` is renewed while it runs; the row of one that does not come back is deleted."""

    __tablename__ = "holds"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)  # "queue" or "worker"
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    held_by: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class LostAttempt(Base):
    """An attempt that ended because its worker, or the worker's process that ran it, was gone. ``worker_id`` is the id
    of the worker's report."""

    __tablename__ = "lost_attempts"
    __table_args__ = (Index("lost_attempts_by_worker", "worker_id", "lost_at"),)

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    worker_id: Mapped[str] = mapped_column(Id)
    lost_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class Turn(Base):
    """The time at which a user last got a slot. Claims for one user take the lock of this row. ``held``: the user had
    as many running as permitted and messages were dropped, so new ones are sent when one of the tasks ends."""

    __tablename__ = "turns"
    __table_args__ = (Index("turns_held", "user_id", postgresql_where=text("held")),)

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    claimed_at: Mapped[datetime | None] = mapped_column(Time)
    held: Mapped[bool] = mapped_column(server_default=text("false"))


class JobPackage(Base):
    """The job types of a package and its broken files, declared by the worker that started last. Running workers renew
    ``seen_at``. The columns are JSON, not JSONB: the order of phases and parameters has a meaning."""

    __tablename__ = "job_packages"

    package: Mapped[str] = mapped_column(Text, primary_key=True)
    types: Mapped[Any] = mapped_column(JSON)
    broken: Mapped[Any] = mapped_column(JSON)
    declared_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
