"""Cursors of lists: of which list, and where its next page begins. A client can forge one."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import marshmallow as ma
from flask import request

from app.errors import Unprocessable
from app.http.base import WholeField, with_next


class PageQuery(ma.Schema):
    limit = WholeField(load_default=50, validate=ma.validate.Range(1, 200))
    cursor = ma.fields.String(validate=ma.validate.Length(1, 200))


def position_of(query: dict[str, Any], *kinds: Callable[[str], Any]) -> list[str] | None:
    """Returns the parts of the query's cursor, each checked by its kind and as text: Postgres would fail on an invalid
    value. None without a cursor. Raises Unprocessable, naming ``cursor``, also for the cursor of another list."""
    if "cursor" not in query:
        return None
    try:
        cursor = query["cursor"]
        of, *position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if of == _this_list():
            return [str(kind(part)) for kind, part in zip(kinds, position, strict=True)]
        wrong = "A cursor of another list."
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error, RecursionError):
        wrong = "Not a cursor."
    raise Unprocessable("The cursor is not valid", errors={"cursor": [wrong]})


def _this_list() -> str:
    """Returns the mark of the list that is asked for: a list is what an address without its query names."""
    return f"{crc32(request.path.encode()):08x}"


def page_response(name: str, rows: Sequence[Any], position: Sequence[Any] | None, **more: Any) -> Any:
    """Returns the response of a page: its rows under ``name``, and the cursor of the ``position`` behind them; None for
    the last page. ``more`` are further fields."""
    cursor = None
    if position:
        text = json.dumps([_this_list(), *position])
        cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return with_next({name: rows, "next": cursor} | more, {"cursor": cursor} if cursor else None)


def utc(text: str) -> datetime:
    """Returns the time in UTC. Raises OverflowError when the offset leads out of the years 1 to 9999."""
    return datetime.fromisoformat(text).astimezone(UTC)
