"""Sums of ended runs by hour, to which triggers add a row for each run: statistics and lists read no tasks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Identity, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.models.base import Base, Id, Time


class HourSum:
    """Runs of a user's job type that ended in this hour. ``is_new``: the row was not summed up yet.
    ``of_day``: it is the sum of a whole day (UTC), whose first hour it names."""

    __tablename__: str

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Index, ...]:
        table, of = cls.__tablename__, ("job_type", "hour")
        return (
            Index(f"{table}_by_user", "user_id", *of),
            Index(f"{table}_by_tenant", "tenant", *of, postgresql_where=text("tenant IS NOT NULL")),
            Index(f"{table}_by_type", *of),
            Index(f"{table}_new", "user_id", *of, postgresql_where=text("is_new")),
            Index(f"{table}_hours", "hour", postgresql_where=text("NOT is_new AND NOT of_day")),
        )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    tenant: Mapped[str | None] = mapped_column(Text)
    job_type: Mapped[str] = mapped_column(Text)
    hour: Mapped[datetime] = mapped_column(Time)
    is_new: Mapped[bool] = mapped_column(server_default=text("true"))
    of_day: Mapped[bool] = mapped_column(server_default=text("false"))


class RunSum(HourSum, Base):
    """``number`` runs that ended with this status, and took as long as the bucket says (app/tasks/durations.py); no
    bucket: they never began."""

    __tablename__ = "run_sums"

    status: Mapped[str] = mapped_column(Text)
    bucket: Mapped[int | None]
    number: Mapped[int] = mapped_column(BigInteger)


class ErrorSum(HourSum, Base):
    """``number`` runs that failed with an error of this type at this place, ``file:function`` of the run's own code.
    ``task_id`` is the last of them, at ``last_at``."""

    __tablename__ = "error_sums"

    type: Mapped[str] = mapped_column(Text)
    place: Mapped[str | None] = mapped_column(Text)
    task_id: Mapped[str] = mapped_column(Id)
    last_at: Mapped[datetime] = mapped_column(Time)
    number: Mapped[int] = mapped_column(BigInteger)


class JobSum(HourSum, Base):
    """How many runs ended how. ``run_numbers``: of those that succeeded, by their ``run_buckets``
    (app/tasks/durations.py). The other arrays have an entry for each of their phases and each bucket: ``numbers`` of
    runs, and the ``positions`` of the phases. Of a day (UTC) the row of its first hour has all arrays."""

    __tablename__ = "job_sums"

    succeeded: Mapped[int] = mapped_column(BigInteger, server_default="0")
    failed: Mapped[int] = mapped_column(BigInteger, server_default="0")
    revoked: Mapped[int] = mapped_column(BigInteger, server_default="0")
    run_buckets: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{}")
    run_numbers: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    phases: Mapped[list[str]] = mapped_column(ARRAY(Text))
    positions: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    buckets: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    numbers: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


class ListSum(Base):
    """Ended tasks as lists count them: by the hour in which they were made. A task that is removed subtracts itself. No
    foreign key: it would cost each end a look-up, and without tasks the sums of a user are 0."""

    __tablename__ = "list_sums"
    __table_args__ = (
        Index("list_sums_by_user", "user_id", "hour"),
        Index("list_sums_by_tenant", "tenant", "hour", postgresql_where=text("tenant IS NOT NULL")),
        Index("list_sums_by_hour", "hour"),
        Index("list_sums_new", "user_id", "job_type", "hour", postgresql_where=text("is_new")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_id: Mapped[str] = mapped_column(Id)
    tenant: Mapped[str | None] = mapped_column(Text)
    job_type: Mapped[str] = mapped_column(Text)
    hour: Mapped[datetime] = mapped_column(Time)
    status: Mapped[str] = mapped_column(Text)
    is_step: Mapped[bool]
    number: Mapped[int] = mapped_column(BigInteger)
    is_new: Mapped[bool] = mapped_column(server_default=text("true"))
