"""Values of any kind as values that JSON holds. Nothing here raises, whatever the code of a value does."""

from __future__ import annotations

import datetime
import decimal
import enum
import math
import os
import uuid
from collections import deque
from collections.abc import Mapping, Set
from typing import Any

from taskroom.limits import LINE_LIMIT
from taskroom.texts import clean, cut

KEY_LIMIT = 200
DEEPEST = 32  # lists within lists
MOST_VALUES = 50_000  # of one field
ARRAY_BYTES = 100_000  # a larger array is shown and not listed
LARGEST = 2**63  # of a whole number, for the server


class TooManyValues(Exception):
    """A field has more values than are taken."""


def plain(value: Any) -> Any:
    """The value as None, bool, int, float, str, list or dict. Raises TooManyValues."""
    return _Copy().of(value, 0)


def shown(value: Any) -> str:
    """What the value says of itself, or the name of its type."""
    try:
        return _text(repr(value))
    except Exception:
        return f"<{type(value).__name__}>"


class _Copy:
    """Copies one value. ``_above`` has the ids of the lists and mappings around the one that is copied."""

    def __init__(self) -> None:
        self._left = MOST_VALUES
        self._above: set[int] = set()

    def of(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise TooManyValues
        if value is None or value is True or value is False:
            return value
        try:
            return self._convert(value, depth)
        except TooManyValues:
            raise
        except Exception:  # code of the value's own
            return shown(value)

    def _convert(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return _text(str.__str__(value))
        if isinstance(value, int):
            number = int(value)
            return number if -LARGEST <= number < LARGEST else _long(number)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else repr(float(value))
        if isinstance(value, (Mapping, list, tuple, Set, deque)):
            return self._container(value, depth)
        if isinstance(value, (bytes, bytearray)):
            return _text(repr(value[:LINE_LIMIT]))
        if isinstance(value, enum.Enum):
            return self.of(value.value, depth + 1)
        if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
            return value.isoformat()
        if isinstance(value, (decimal.Decimal, uuid.UUID, os.PathLike)):
            return _text(os.fspath(value) if isinstance(value, os.PathLike) else str(value))
        listed = getattr(value, "tolist", None)  # arrays and numbers of numpy and what is like it
        size = getattr(value, "nbytes", None)
        if callable(listed) and isinstance(size, int) and size <= ARRAY_BYTES and depth < DEEPEST:
            return self.of(listed(), depth + 1)
        return shown(value)

    def _container(self, value: Any, depth: int) -> Any:
        if depth >= DEEPEST or id(value) in self._above:
            return "…"
        self._above.add(id(value))
        try:
            if isinstance(value, Mapping):
                items = list(value.items())  # at once: another thread may go on changing it
                return {_key(key): self.of(item, depth + 1) for key, item in items}
            return [self.of(item, depth + 1) for item in list(value)]
        finally:
            self._above.discard(id(value))


def _key(key: Any) -> str:
    return cut(clean(str.__str__(key) if isinstance(key, str) else shown(key)), KEY_LIMIT)


def _text(value: str) -> str:
    return clean(cut(value, LINE_LIMIT))


def _long(number: int) -> str:
    if number.bit_length() > 10_000:  # Python refuses to write more than 4,300 digits
        return f"<int of {number.bit_length():,} bits>"
    return str(number)
