"""JSON of events and of the fields of tasks. Nothing here raises, whatever the values are."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache
from json import JSONEncoder
from typing import Any

from taskroom._transport.plain import LARGEST, TooManyValues, plain
from taskroom.limits import LINE_LIMIT, NAME_LIMIT, PARAMS_LIMIT, RESULT_LIMIT, TRACEBACK_LIMIT
from taskroom.texts import clean, cut, cut_before

_CONSTANTS = {None: b"null", False: b"false", True: b"true"}
EVENT_LIMIT = 2 * RESULT_LIMIT  # bytes of JSON

# No search for cycles: what is encoded is flat, or a copy that has none.
_dumps = JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode


def encode_event(event: Mapping[str, Any], at: float) -> bytes:
    """The JSON of an event; one without a timestamp gets ``at``, in seconds since 1970."""
    if "timestamp" not in event:
        event = {"timestamp": stamp(at), **event}
    try:
        for value in event.values():
            if value.__class__ is not str and value is not None:
                break
        else:  # only texts, as lines of a log: nothing has to be copied
            line = _dumps(event)
            if len(line) <= LINE_LIMIT and "\\u0000" not in line:
                return line.encode()
    except Exception:  # a key that is no text, a lone surrogate, or a mapping that another thread changes
        pass
    return encode_fields(event)


def encode_fields(fields: Mapping[str, Any]) -> bytes:
    """The JSON of a mapping; a field that is too large is replaced by how large it was."""
    pairs = encoded_pairs(fields)
    if sum(len(value) for _, value in pairs) > EVENT_LIMIT:
        pairs = [(name, value if len(value) <= LINE_LIMIT else _truncated(value)) for name, value in pairs]
    return b"{" + b",".join(b"%s:%s" % pair for pair in pairs) + b"}"


def encoded_pairs(fields: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    """The JSON of each name and each value."""
    pairs = []
    for name, value in _items(fields):
        if name.__class__ is not str:
            name = str(name)
        encoded = _short(value) or _encoded(name, value)
        most = PARAMS_LIMIT if name == "params" else RESULT_LIMIT
        if len(encoded) > most:
            encoded = _truncated(encoded)
        pairs.append((_name(name), encoded))
    return pairs


def stamp(at: float) -> str:
    """The time as events carry it: RFC 3339, UTC, with microseconds."""
    second, micro = divmod(round(at * 1_000_000), 1_000_000)
    return f"{_second(second)}.{micro:06d}Z"


@lru_cache(maxsize=4)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


@lru_cache(maxsize=256)
def _name(name: str) -> bytes:
    return _dumps(clean(cut(name, NAME_LIMIT))).encode()


def _short(value: Any) -> bytes | None:
    """The JSON of a value as most fields have it, which needs no copy; None for any other."""
    if value.__class__ is str and len(value) <= NAME_LIMIT:
        try:
            encoded = _dumps(value)
            return None if "\\u0000" in encoded else encoded.encode()
        except UnicodeEncodeError:  # lone surrogates
            return None
    if value.__class__ is int:
        return b"%d" % value if -LARGEST < value < LARGEST else None
    return _CONSTANTS.get(value) if value is None or value.__class__ is bool else None


def _truncated(encoded: bytes) -> bytes:
    return b'{"truncated":true,"bytes":%d}' % len(encoded)


def _encoded(name: str, value: Any) -> bytes:
    try:
        if name == "error" and isinstance(value, Mapping) and isinstance(value.get("traceback"), str):
            value = {**value, "traceback": cut_before(value["traceback"], TRACEBACK_LIMIT)}
        return _dumps(plain(value)).encode()
    except TooManyValues:
        return b'{"truncated":true}'
    except Exception:  # a mapping of another's making, say
        return _dumps(f"<{type(value).__name__}>").encode()


def _items(fields: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    for _ in range(3):
        try:
            return list(fields.items())
        except RuntimeError:  # another thread changed it meanwhile
            continue
    return []
