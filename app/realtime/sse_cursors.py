"""Reads from a request where its stream is resumed."""

from __future__ import annotations

from flask import request

from app.errors import BadRequest, Unprocessable
from app.realtime.sse_rooms import cursors_of
from app.stream.event import MAX_SEQUENCE


def resume_cursor(query: dict[str, str], default: int | None) -> int | None:
    """Returns the cursor to resume from, None for live only. Raises BadRequest or Unprocessable, naming the field."""
    header = request.headers.get("Last-Event-ID")
    if header:
        if (cursor := _sequence(header)) is None:
            raise BadRequest("Last-Event-ID is no sequence", errors={"Last-Event-ID": ["Not a sequence."]})
        return cursor
    text = query.get("since_sequence")
    if text is None:
        return default
    if text == "latest":
        return None
    if (cursor := _sequence(text)) is None:
        raise Unprocessable("since_sequence", errors={"since_sequence": ["Not a sequence, nor latest."]})
    return cursor


def _sequence(text: str) -> int | None:
    """Returns the number, checked before it is converted: int() itself raises for thousands of digits."""
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        return None
    return int(text) if int(text) <= MAX_SEQUENCE else None


def resume_cursors(query: dict[str, str], begins: dict[str, int | None]) -> list[int | None]:
    """As resume_cursor, of a composite id."""
    names = sorted(begins)
    header, text = request.headers.get("Last-Event-ID"), query.get("since_sequence")
    given = header or text
    if given is None:
        return [begins[name] for name in names]
    if not header and given == "latest":
        return [None for _ in names]
    cursors = cursors_of(given, names)
    if cursors is not None:
        return list(cursors)
    why = "No id of these rooms"
    if header:
        raise BadRequest(why, errors={"Last-Event-ID": [f"{why}."]})
    raise Unprocessable(why, errors={"since_sequence": [f"{why}, nor latest."]})
