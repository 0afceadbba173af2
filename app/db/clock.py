"""Times that are compared with each other, such as the start and the end of a task on several machines.

Postgres gives the time, so that no duration is the difference of two clocks. The process of an attempt measures its
duration and adds it to the time of the claim.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from psycopg2.extensions import cursor as Cursor

TIME_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
"""The time format of events, for to_char: RFC 3339, UTC, microseconds."""

TIME_TEXT = f"to_char({{}} AT TIME ZONE 'UTC', '{TIME_FORMAT}')"
"""Formats a timestamptz expression as the time of an event."""

NOW = TIME_TEXT.format("clock_timestamp()")


def database_now(cur: Cursor) -> str:
    """Returns the time of Postgres, in the format of events."""
    cur.execute(f"SELECT {NOW}")
    return str(cur.fetchall()[0][0])


def later(at: str, seconds: float) -> str:
    moved = datetime.fromisoformat(at) + timedelta(seconds=seconds)
    return moved.isoformat(timespec="microseconds").replace("+00:00", "Z")


def seconds_between(begin: str, end: str) -> float:
    """Returns the duration; 0 when the end is before the start, which external workers may report."""
    return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds())
