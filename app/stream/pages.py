"""Reads pages of a stream from Postgres: bounded in events and in bytes, and never with a hole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from psycopg2.extensions import cursor as Cursor

from app.stream.event import Event

PAGE_BYTES = 1_000_000  # of payloads as stored; in memory a text beyond ASCII takes up to four times as much
Row = TypeVar("Row")

# Postgres knows the size of a payload without unpacking it, so events that are not sent cost next to nothing.
_EVENTS = """SELECT seq, type, payload, level, phase, octet_length(payload) AS bytes,
           sum(octet_length(payload)) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) AS upto
    FROM events WHERE stream_id = (SELECT id FROM streams WHERE name = %(stream)s) AND seq > %(start)s
    ORDER BY seq LIMIT %(limit)s"""
_AFTER = f"""SELECT seq, type, payload, level, phase FROM ({_EVENTS}) AS page
    WHERE upto - bytes < %(bytes)s ORDER BY seq"""
_PART = f"""WITH page AS MATERIALIZED ({_EVENTS}),
    part AS (SELECT seq, type, payload, level, phase, (upto - bytes) / %(bytes)s::bigint AS number FROM page)
    SELECT seq, type, payload, level, phase FROM part
    WHERE number = (SELECT number FROM part WHERE seq = %(next)s) ORDER BY seq"""


def after(cur: Cursor, stream: str, cursor: int, limit: int) -> list[Event]:
    """Reads the events from ``cursor + 1`` on, one at least when there is one."""
    cur.execute(_AFTER, {"stream": stream, "start": cursor, "limit": limit, "bytes": PAGE_BYTES})
    return _dense(stream, cur.fetchall(), cursor + 1)


def page_part(cur: Cursor, stream: str, start: int, limit: int, cursor: int) -> list[Event]:
    """Of the ``limit`` events that follow ``start``, reads the part that holds the event after ``cursor``.

    A page of large events is cut into parts by their sizes, so every caller gets the same parts.
    """
    about = {"stream": stream, "start": start, "limit": limit, "next": cursor + 1, "bytes": PAGE_BYTES}
    cur.execute(_PART, about)
    rows = cur.fetchall()
    return _dense(stream, rows, rows[0][0] if rows else 0)


def _dense(
    stream: str, rows: Sequence[tuple[int, str, str, str | None, str | None]], first: int
) -> list[Event]:
    return [Event(stream, *row) for i, row in enumerate(rows) if row[0] == first + i]


def bounded(rows: Sequence[Row], size: Callable[[Row], int]) -> Sequence[Row]:
    """Returns the first rows of a page, one at least, up to about a megabyte: decoding more at once stalls the loop."""
    total = 0
    for n, row in enumerate(rows):
        total += size(row)
        if total > PAGE_BYTES and n:
            return rows[:n]
    return rows
