"""What the code of tasks has said and nobody has encoded yet."""

from __future__ import annotations

from collections import deque
from typing import Any, Optional

from taskroom._transport.settings import Limits

# The id of a task, the name of an attempt, an event or None, fields of the task or None, seconds since 1970.
Entry = tuple[str, Optional[str], Optional[dict[str, Any]], Optional[dict[str, Any]], float]
ENDS = frozenset(("SUCCESS", "FAILURE", "REVOKED", "RETRY"))  # of an attempt
ENTRY_BYTES = 400  # of memory, beside its message


class Buffer:
    """A queue without a lock: ``put`` is for signal handlers and finalizers too, which may interrupt any code.

    Over twice the limits of memory entries are dropped and counted, by task and attempt; these counts and ``bytes`` are
    about right when threads race.
    """

    def __init__(self, limits: Limits) -> None:
        self.entries: deque[Entry] = deque()
        self.bytes = 0
        self._dropped: dict[tuple[str, str | None], tuple[int, float]] = {}
        self._most, self._most_bytes = limits.memory_events, limits.memory_bytes
        self._call_at, self._call_at_bytes = 1, 1

    def call(self, length: int, size: int) -> None:
        """From this length or size on whoever puts is asked to wake the thread; in any case when the buffer is full."""
        self._call_at, self._call_at_bytes = min(length, self._most), min(size, self._most_bytes)

    def call_when_full(self) -> None:
        self.call(self._most, self._most_bytes)

    def put(self, entry: Entry) -> bool:
        """Appends the entry. True when the thread must be woken. Never waits."""
        size, length = _memory(entry), len(self.entries)
        if length >= 2 * self._most or self.bytes >= 2 * self._most_bytes:
            self.drop(entry)
            return False
        self.entries.append(entry)
        self.bytes += size
        return length + 1 >= self._call_at or self.bytes >= self._call_at_bytes

    def took(self, entry: Entry) -> None:
        """An entry was taken out of ``entries``."""
        self.bytes -= _memory(entry)
        if not self.entries:
            self.bytes = 0

    def drop(self, entry: Entry) -> None:
        """Counts an entry that is given up."""
        if entry[2] is not None:
            count, since = self._dropped.get(entry[:2], (0, entry[4]))
            self._dropped[entry[:2]] = count + 1, since

    def gap_before(self, entry: Entry) -> int:
        """How many events of this task and attempt were dropped before the entry; each is said once."""
        if not self._dropped:
            return 0
        count, since = self._dropped.get(entry[:2], (0, 0.0))
        if count and entry[4] >= since:
            del self._dropped[entry[:2]]
            return count
        return 0

    def drop_all(self, kept: int) -> list[Entry]:
        """Drops all entries; returns those that a task cannot do without, as many as ``kept``."""
        needed: list[Entry] = []
        for _ in range(len(self.entries)):
            entry = self.entries.popleft()
            self.took(entry)
            if len(needed) < kept and _is_needed(entry):
                needed.append(entry)
            else:
                self.drop(entry)
        return needed

    @property
    def is_full(self) -> bool:
        """Whether those who put must take a part in the encoding."""
        return len(self.entries) >= self._most or self.bytes >= self._most_bytes


def ends_attempt(event: dict[str, Any]) -> bool:
    """Whether nothing of the attempt comes after the event."""
    status = event.get("status")
    return event.get("type") == "task_status" and isinstance(status, str) and status in ENDS


def _is_needed(entry: Entry) -> bool:
    """A task whose end is never told runs for ever; one of which nothing was said is refused."""
    event = entry[2]
    return entry[3] is not None or (event is not None and ends_attempt(event))


def _memory(entry: Entry) -> int:
    """Bytes of memory that the entry takes, about."""
    event = entry[2]
    if event is None:
        return ENTRY_BYTES
    message = event.get("message")
    return ENTRY_BYTES + len(message) if message.__class__ is str else ENTRY_BYTES
