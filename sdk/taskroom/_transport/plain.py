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

LINE_LIMIT = 16_384  # characters of a text, with the marker that tells that it was cut
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


def text(value: str, limit: int = LINE_LIMIT) -> str:
    """The text as the server stores it: not too long, no NUL, no lone surrogates."""
    if len(value) > limit:
        marker = f"… [cut: {len(value):,} characters in all]"
        value = value[: max(0, limit - len(marker))] + marker
    if "\0" in value:
        value = value.replace("\0", "\ufffd")
    try:
        value.encode()
    except UnicodeEncodeError:
        value = value.encode("utf-8", "replace").decode()
    return value


def end_of(value: str, limit: int = LINE_LIMIT) -> str:
    """As ``text``, but the end is what is kept: of a traceback, which names the error there."""
    if len(value) > limit:
        marker = f"… [cut: {len(value):,} characters in all]\n"
        value = marker + value[len(value) - limit + len(marker) :]
    return text(value)


def shown(value: Any) -> str:
    """What the value says of itself, or the name of its type."""
    try:
        return text(repr(value))
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
            return text(str.__str__(value))
        if isinstance(value, int):
            number = int(value)
            return number if -LARGEST <= number < LARGEST else _long(number)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else repr(float(value))
        if isinstance(value, (Mapping, list, tuple, Set, deque)):
            return self._container(value, depth)
        if isinstance(value, (bytes, bytearray)):
            return text(repr(value[:LINE_LIMIT]))
        if isinstance(value, enum.Enum):
            return self.of(value.value, depth + 1)
        if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
            return value.isoformat()
        if isinstance(value, (decimal.Decimal, uuid.UUID, os.PathLike)):
            return text(os.fspath(value) if isinstance(value, os.PathLike) else str(value))
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
    return text(str.__str__(key), KEY_LIMIT) if isinstance(key, str) else shown(key)[:KEY_LIMIT]


def _long(number: int) -> str:
    if number.bit_length() > 10_000:  # Python refuses to write more than 4,300 digits
        return f"<int of {number.bit_length():,} bits>"
    return str(number)
