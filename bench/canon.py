"""The bytes that every viewer of one room must read, parsed once.

The first viewer to read an event extends the canon; each event must have the next sequence. The bytes of all other
viewers are compared with the canon, which costs a memcmp and no Python for each event.
"""

from __future__ import annotations

import re
from bisect import bisect_right

_SEQUENCE = re.compile(rb'"sequence": ?(\d+)')


class Disorder(Exception):
    """A viewer received an event twice, out of order, after a gap, or with other bytes than the others."""


def sequence_in(unit: bytes) -> int | None:
    """Returns the sequence of an event; None for other blocks."""
    found = _SEQUENCE.search(unit)
    return int(found[1]) if found else None


class Canon:
    """The bytes of the events after ``first``. At the offsets ``ends`` the events up to ``sequences`` are complete."""

    def __init__(self, first: int) -> None:
        self.bytes = bytearray()
        self.ends = [0]
        self.sequences = [first]

    @property
    def last(self) -> int:
        return self.sequences[-1]

    def append(self, unit: bytes, sequence: int) -> None:
        self.bytes += unit
        self.ends.append(len(self.bytes))
        self.sequences.append(sequence)

    def complete(self, offset: int) -> tuple[int, int]:
        """Returns the last sequence that is complete at ``offset``, and its end."""
        n = bisect_right(self.ends, offset) - 1
        return self.sequences[n], self.ends[n]

    def end(self, sequence: int) -> int | None:
        """Returns the offset at which that sequence ends; None when there is no such end."""
        n = bisect_right(self.sequences, sequence) - 1
        return self.ends[n] if n >= 0 and self.sequences[n] == sequence else None

    def check(self, before: int, unit: bytes) -> int:
        """Takes one event of a viewer that has ``before``; returns the event's sequence. Raises Disorder."""
        sequence = sequence_in(unit)
        assert sequence is not None
        if sequence != before + 1:
            raise Disorder(f"sequence {sequence} after {before}")
        start = self.end(before)
        if before == self.last:
            self.append(unit, sequence)
        elif start is not None and not self.bytes.startswith(unit, start):
            raise Disorder(f"sequence {sequence} differs between two viewers")
        return sequence

    def skip(self, before: int, text: bytes) -> tuple[int, int]:
        """Compares ``text`` after ``before`` with the canon; returns the last complete equal sequence and its length in
        text."""
        start = self.end(before)
        if start is None:
            return before, 0
        size = min(len(text), len(self.bytes) - start)
        if not size or not self.bytes.startswith(text[:size], start):
            return before, 0
        sequence, end = self.complete(start + size)
        return sequence, end - start
