"""The JSON body of a request, parsed strictly and without holding the event loop, whatever a client sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import marshmallow as ma
import orjson
from flask import g, request
from werkzeug.exceptions import LengthRequired, UnsupportedMediaType

from app.green.turn import LoopTurn
from app.stream.background import with_pauses

MAX_DEPTH = 64
# The parser holds the loop, and so does a collection of garbage, which visits the lists and objects of all requests.
MAX_CONTAINERS, MAX_VALUES = 10_000, 100_000
LIMITS = (  # the marks that are counted outside of texts
    (b"[{", MAX_CONTAINERS, "lists and objects"),
    (b"[{,:", MAX_VALUES, "lists, objects, items and fields"),
)
COUNTED_BYTES, COUNTED_IN_A_TURN = 65_536, 4  # pieces of so many bytes
VALUES_IN_A_TURN = 5_000  # whose depth is checked


def json_body() -> Any:
    """Returns the request's JSON, which is parsed once; ``missing`` without a body. Raises ValueError when it is
    invalid.

    Stricter than Python's parser: refuses NaN, lone surrogates, and nesting that could exhaust the stack of later code.
    Does not keep numbers beyond 64 bits exactly.
    """
    if "Transfer-Encoding" in request.headers:  # Flask reads such a body as empty
        raise LengthRequired("Send the body with a Content-Length, not in chunks")
    data = request.get_data()
    if not data:
        return ma.missing
    if not request.is_json:
        raise UnsupportedMediaType("Send the body as application/json")
    if "json_body" not in g:
        g.json_body = _parsed(data)
    return g.json_body


def refuse_large(data: bytes) -> None:
    """Raises ValueError when the JSON has more lists, objects or values than are parsed."""
    for marks, most, what in LIMITS:
        if _count(data, marks) > most and _count_outside_texts(data, marks) > most:
            raise ValueError(f"more than {most:,} {what}")
    LoopTurn.give_way()  # bodies of several requests may have come at the same moment


def refuse_deep(value: Any, most: int = MAX_DEPTH) -> None:
    """Raises ValueError when the value is nested deeper than ``most`` levels."""
    for _ in with_pauses(_levels(value, most), VALUES_IN_A_TURN):
        continue


def _parsed(data: bytes) -> Any:
    refuse_large(data)
    value = orjson.loads(data)
    refuse_deep(value)
    LoopTurn.give_way()  # before the values are checked
    return value


def _levels(value: Any, most: int) -> Iterator[None]:
    """Visits the values level by level. Raises ValueError when there are too many levels."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(most):
        if not level:
            return
        below = []
        for container in level:
            for each in container.values() if isinstance(container, dict) else container:
                if isinstance(each, dict | list):
                    below.append(each)
                yield
        level = below
    if level:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")


def _count_outside_texts(data: bytes, marks: bytes) -> int:
    """Counts as the parser would. Other threads run meanwhile."""
    plain = data.replace(rb"\\", b"").replace(rb"\"", b"")  # now each quote begins or ends a text
    found, inside = 0, 0
    for start in with_pauses(range(0, len(plain), COUNTED_BYTES), COUNTED_IN_A_TURN):
        parts = plain[start : start + COUNTED_BYTES].split(b'"')
        found += _count(b"".join(parts[inside::2]), marks)
        inside = (inside + len(parts) - 1) % 2
    return found


def _count(data: bytes, marks: bytes) -> int:
    return len(data) - len(data.translate(None, marks))
