"""Streams and their events. The row of a stream is its lock and its counter."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, JSON, BigInteger, Identity, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Time


class Stream(Base):
    """A stream. Its row is the only lock of its task or user. Events of another attempt than ``attempt``, and of one
    that was given up, are refused. ``fully_pruned``: all its prunable events are deleted."""

    __tablename__ = "streams"
    # Neither column changes with an append: an index of what does would make each one dearer.
    __table_args__ = (
        Index("streams_prunable", "id", postgresql_where=text("NOT fully_pruned")),
        Index("streams_of_users", "id", postgresql_where=text("name LIKE 'user:%'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    last_seq: Mapped[int] = mapped_column(BigInteger, server_default="0")
    pruned_to: Mapped[int] = mapped_column(BigInteger, server_default="0")
    attempt: Mapped[int] = mapped_column(server_default="0")
    attempt_given_up: Mapped[bool] = mapped_column(server_default=text("false"))  # its lease expired
    closed: Mapped[bool] = mapped_column(server_default=text("false"))
    cancel_requested: Mapped[bool] = mapped_column(server_default=text("false"))
    fully_pruned: Mapped[bool] = mapped_column(server_default=text("false"))
    bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))  # of all its events so far
    # Lines of its log so far; NULL of streams that are older than the column.
    lines: Mapped[int | None] = mapped_column(BigInteger, server_default="0")
    ancestors: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))  # of a step, the eldest first


ERROR_LEVELS = ("ERROR", "CRITICAL")
# Of the JSON of an event; within a message the quotes would have backslashes. Postgres knows how rare what LIKE finds
# is, not what strpos does.
ITEM_ERROR = r'%"item\_error":true%'
# A query uses an index of errors or warnings if its conditions imply that of the index.
IS_ERROR = (
    r"""type = 'log' AND (level = ANY (ARRAY['ERROR', 'CRITICAL']) OR payload LIKE '%"item\_error"\:true%')"""
)
# Few rows of task_status are no retries, which are warnings; and their payload would have to be read.
MAY_BE_WARNING = (
    """type = 'log' AND level = ANY (ARRAY['WARNING', 'ERROR', 'CRITICAL']) OR type = 'task_status'"""
)


class EventRow(Base):
    """An event. A foreign key would cost a look-up for each event, and the stream's row is locked anyway. Errors and
    warnings have indexes, which cost the other events nothing but a look at them."""

    __tablename__ = "events"
    __table_args__ = (
        Index("events_of_errors", "stream_id", "seq", postgresql_where=text(IS_ERROR)),
        Index("events_of_warnings", "stream_id", "seq", postgresql_where=text(MAY_BE_WARNING)),
    )

    stream_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    type: Mapped[str] = mapped_column(Text)
    level: Mapped[str | None] = mapped_column(Text)
    phase: Mapped[str | None] = mapped_column(Text)
    payload: Mapped[str] = mapped_column(Text)


class EventId(Base):
    """The id that a publisher gave an event, so that an event that is published twice is stored once."""

    __tablename__ = "event_ids"

    stream: Mapped[str] = mapped_column(Text, primary_key=True)
    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class WriterRow(Base):
    """A writer. ``answer`` is the response to its last batch, returned again when the batch is repeated."""

    __tablename__ = "writers"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    last_batch: Mapped[int] = mapped_column(BigInteger, server_default="0")
    seen_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    answer: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
