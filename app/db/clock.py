"""Times that are compared with one another: a task's beginning and end, whichever machines say so.

They are Postgres's, so that no duration is the difference of two clocks. What an attempt takes is measured by its own
process and added to the time of its claim.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from psycopg2.extensions import cursor as Cursor

from app.db.sql import TIME_TEXT

NOW = TIME_TEXT.format("clock_timestamp()")


def database_now(cur: Cursor) -> str:
    """As events carry times."""
    cur.execute(f"SELECT {NOW}")
    return str(cur.fetchall()[0][0])


def later(at: str, seconds: float) -> str:
    moved = datetime.fromisoformat(at) + timedelta(seconds=seconds)
    return moved.isoformat(timespec="microseconds").replace("+00:00", "Z")


def seconds_between(begin: str, end: str) -> float:
    """0 where the end is said to be before the beginning, as one who gives times of his own may say."""
    return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds())
