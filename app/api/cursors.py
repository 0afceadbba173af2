"""Cursors of lists: where the next page begins. A client can forge one."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import marshmallow as ma

from app.errors import Unprocessable
from app.http.base import WholeField, with_next


class PageQuery(ma.Schema):
    limit = WholeField(load_default=50, validate=ma.validate.Range(1, 200))
    cursor = ma.fields.String(validate=ma.validate.Length(1, 200))


def position_of(query: dict[str, Any], *kinds: Callable[[str], Any]) -> list[str] | None:
    """Returns the parts of the query's cursor, each checked by its kind and as text: Postgres would fail on an invalid
    value. None without a cursor. Raises Unprocessable, naming ``cursor``."""
    if "cursor" not in query:
        return None
    try:
        cursor = query["cursor"]
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [str(kind(part)) for kind, part in zip(kinds, position, strict=True)]
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error, RecursionError):
        raise Unprocessable("The cursor is not valid", errors={"cursor": ["Not a cursor."]}) from None


def page_response(name: str, rows: Sequence[Any], position: Sequence[Any] | None, **more: Any) -> Any:
    """Returns the response of a page: its rows under ``name``, and the cursor of the ``position`` behind them; None for
    the last page. ``more`` are further fields."""
    cursor = None
    if position:
        cursor = base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")
    return with_next({name: rows, "next": cursor} | more, {"cursor": cursor} if cursor else None)


def utc(text: str) -> datetime:
    """Returns the time in UTC. Raises OverflowError when the offset leads out of the years 1 to 9999."""
    return datetime.fromisoformat(text).astimezone(UTC)
