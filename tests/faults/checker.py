"""Judges what viewers saw against what Postgres holds. Pure: it is given lists, so that forged ones can try it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

TERMINAL = frozenset({"SUCCESS", "FAILURE", "REVOKED"})


class Seen(NamedTuple):
    """One event. ``status`` is that of a ``task_status``, else empty; ``timestamp`` tells one event from another."""

    sequence: int
    type: str
    timestamp: str
    status: str = ""

    @property
    def terminal(self) -> bool:
        return self.type == "task_status" and self.status in TERMINAL


@dataclass(slots=True)
class Verdict:
    """Counts over all viewers. ``different`` are events that Postgres does not have, or not at that sequence;
    ``endings`` are viewers that did not see exactly one terminal event, as the last."""

    viewers: int = 0
    expected: int = 0
    lost: int = 0
    repeated: int = 0
    disordered: int = 0
    different: int = 0
    endings: int = 0

    @property
    def wrong(self) -> int:
        return self.lost + self.repeated + self.disordered + self.different + self.endings

    def add(self, other: Verdict) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def judge(seen: Sequence[Seen], stored: Sequence[Seen]) -> Verdict:
    """One viewer that asked for everything, against all that is stored, in its order."""
    truth = {event.sequence: event for event in stored}
    times = Counter(event.sequence for event in seen)
    verdict = Verdict(viewers=1, expected=len(stored))
    verdict.lost = sum(1 for sequence in truth if sequence not in times)
    verdict.repeated = sum(count - 1 for count in times.values())
    verdict.different = sum(1 for event in seen if truth.get(event.sequence) != event)
    furthest = 0
    for event in seen:
        # What comes a second time is late too, and counted as repeated already.
        verdict.disordered += event.sequence < furthest and times[event.sequence] == 1
        furthest = max(furthest, event.sequence)
    endings = [n for n, event in enumerate(seen) if event.terminal]
    verdict.endings = int(endings != [len(seen) - 1] or not seen)
    return verdict


@dataclass(slots=True)
class Stored:
    """A task's stream as Postgres has it. ``lines`` are the messages of its logs, in the order of the sequences."""

    events: list[Seen] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    error: str = ""  # the type of the terminal event's error
    last_seq: int = 0
    closed: bool = False

    @classmethod
    def of(cls, rows: Sequence[tuple[int, str, str]], last_seq: int, closed: bool) -> Stored:
        """From rows of sequence, type and payload."""
        stored = cls(last_seq=last_seq, closed=closed)
        for sequence, type, payload in rows:
            data = orjson.loads(payload)
            event = Seen(sequence, type, data["timestamp"], data.get("status") or "")
            stored.events.append(event)
            if type == "log":
                stored.lines.append(data["message"])
            if event.terminal and data.get("error"):
                stored.error = data["error"]["type"]
        return stored

    @property
    def ending(self) -> str:
        """How the task ended: ``SUCCESS``, ``FAILURE WorkerLost``; empty when it did not."""
        last = next((event.status for event in reversed(self.events) if event.terminal), "")
        return f"{last} {self.error}".strip()

    def faults(self, asked: int, endings: frozenset[str]) -> list[str]:
        """What is wrong with it, for a task that was to write so many lines, each with the time it was made at."""
        found = []
        if [event.sequence for event in self.events] != list(range(1, len(self.events) + 1)):
            found.append("the sequences in Postgres are not dense")
        if self.last_seq != len(self.events):
            found.append(f"the stream stands at {self.last_seq} and has {len(self.events)} events")
        terminal = [event for event in self.events if event.terminal]
        if len(terminal) != 1 or terminal[0] is not self.events[-1]:
            found.append(f"Postgres has {len(terminal)} terminal events, where one must be the last")
        if not self.closed:
            found.append("the stream was not closed")
        if self.ending not in endings:
            found.append(f"it ended as {self.ending or 'nothing'}, not as {' or '.join(sorted(endings))}")
        if self.ending == "SUCCESS" and len(self.lines) != asked:
            found.append(f"the task wrote {asked} lines and Postgres has {len(self.lines)}")
        if len(set(self.lines)) != len(self.lines):
            found.append("a line is stored twice")
        if sorted(self.lines, key=written_at) != self.lines:
            found.append("lines are stored in another order than they were written in")
        return found


def written_at(line: str) -> int:
    """Nanoseconds, from the ``@t=<n>`` that a line of the load job begins with."""
    return int(line.split(" ", 1)[0].removeprefix("@t="))
