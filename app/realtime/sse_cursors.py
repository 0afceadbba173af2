"""Where a stream is resumed, as a request says it: a sequence, or an id with the cursors of several streams."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from flask import request

from app.errors import BadRequest, Unprocessable
from app.stream.event import MAX_SEQUENCE

MAX_ROOMS = 16
ROOM = re.compile(
    r"(task:[0-9a-fA-F-]{36}|user(?::[0-9a-fA-F-]{36})?|broadcast)(?:@(latest|[0-9]{1,19}))?\Z", re.ASCII
)


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


def parse_rooms(text: str) -> list[tuple[str, int | None]]:
    """Parses ``task:<id>@<sequence>,user@latest,broadcast``: the rooms, each with the cursor to begin at; None is live
    only. Without a cursor a task begins at its first event, other rooms are live. Raises ValueError."""
    matches = [ROOM.match(name) for name in text.split(",")]
    if len(matches) > MAX_ROOMS or None in matches:
        raise ValueError(f"Not a list of up to {MAX_ROOMS} rooms.")
    found = [(room, _begin(room, at)) for room, at in (match.groups() for match in matches if match)]
    if any(cursor is not None and cursor > MAX_SEQUENCE for _, cursor in found):
        raise ValueError("Not a sequence behind @, nor latest.")
    return found


def _begin(room: str, at: str | None) -> int | None:
    if at is None:
        return 0 if room.startswith("task:") else None
    return None if at == "latest" else int(at)


def composite(streams: Sequence[str], cursors: Sequence[int]) -> str:
    """Returns ``<hash of the rooms>.<cursor>.<cursor>…``, in the order of the sorted rooms."""
    return ".".join([hash_of(streams), *map(str, cursors)])


def cursors_of(id: str, streams: Sequence[str]) -> list[int] | None:
    """Returns the cursors of a composite id; None when it is none, or one of other rooms."""
    of, *texts = id.split(".")
    cursors = [cursor for text in texts if (cursor := _sequence(text)) is not None]
    return cursors if of == hash_of(streams) and len(cursors) == len(texts) == len(streams) else None


def cursors_of_user(id: str) -> tuple[int, int | None] | None:
    """Returns the two cursors of an id of the user's own stream, None when it is none. The second, of ``broadcast``, is
    None when no announcement was sent."""
    text, dot, announced = id.partition(".")
    own, broadcast = _sequence(text), _sequence(announced)
    return None if own is None or (dot and broadcast is None) else (own, broadcast)


def hash_of(streams: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(streams).encode()).hexdigest()[:16]


def _sequence(text: str) -> int | None:
    """Returns the number, checked before it is converted: int() itself raises for thousands of digits."""
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        return None
    return int(text) if int(text) <= MAX_SEQUENCE else None
