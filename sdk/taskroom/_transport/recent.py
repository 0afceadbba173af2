"""A bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """The values that were put last, by key. Needs no lock: threads that race may forget one value more."""

    def __init__(self, most: int) -> None:
        # A plain dict looks for its first key behind the places of all that were removed before it.
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._most = most

    def put(self, key: Key, value: Value) -> None:
        self._values.pop(key, None)
        self._values[key] = value
        if len(self._values) > self._most:
            with suppress(KeyError):  # another thread has removed them
                self._values.popitem(last=False)

    def get(self, key: Key) -> Value | None:
        return self._values.get(key)

    def pop(self, key: Key) -> Value | None:
        return self._values.pop(key, None)

    def __iter__(self) -> Iterator[Value]:
        return iter(list(self._values.values()))
