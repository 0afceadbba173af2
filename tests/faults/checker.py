"""Compares the events that viewers saw with those in Postgres. Its arguments are lists, so that tests can forge
them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

TERMINAL = frozenset({"SUCCESS", "FAILURE", "REVOKED"})


class Seen(NamedTuple):
    """One event. ``status`` is empty unless the type is ``task_status``; ``timestamp`` distinguishes events."""

    sequence: int
    type: str
    timestamp: str
    status: str = ""

    @property
    def terminal(self) -> bool:
        return self.type == "task_status" and self.status in TERMINAL


@dataclass(slots=True)
class Verdict:
    """Counts over all viewers. ``different`` counts events that Postgres does not have at that sequence. ``endings``
    counts viewers for which the last event was not the only terminal event."""

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
    """Compares the events of one viewer, which asked for all, with all stored events in their order."""
    truth = {event.sequence: event for event in stored}
    times = Counter(event.sequence for event in seen)
    verdict = Verdict(viewers=1, expected=len(stored))
    verdict.lost = sum(1 for sequence in truth if sequence not in times)
    verdict.repeated = sum(count - 1 for count in times.values())
    verdict.different = sum(1 for event in seen if truth.get(event.sequence) != event)
    furthest = 0
    for event in seen:
        # A repeated event is out of order too, but it is already counted.
        verdict.disordered += event.sequence < furthest and times[event.sequence] == 1
        furthest = max(furthest, event.sequence)
    endings = [n for n, event in enumerate(seen) if event.terminal]
    verdict.endings = int(endings != [len(seen) - 1] or not seen)
    return verdict


@dataclass(slots=True)
class Stored:
    """A task's stream in Postgres. ``lines`` are the messages of its log events, in the order of the sequences."""

    events: list[Seen] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    error: str = ""  # the type of the terminal event's error
    last_seq: int = 0
    closed: bool = False

    @classmethod
    def of(cls, rows: Sequence[tuple[int, str, str]], last_seq: int, closed: bool) -> Stored:
        """Makes it from rows of sequence, type and payload."""
        stored = cls(last_seq=last_seq, closed=closed)
        for sequence, type, payload in rows:
            data = orjson.loads(payload)
            event = Seen(sequence, type, data["timestamp"], data.get("status") or "")
            stored.events.append(event)
            if type == "log":
                stored.lines.append(data["message"])
            if event.terminal and data.get("error"):
                stored.error = data["error"]["type"]
                if stored.lines and stored.lines[-1] == data["error"]["message"]:
                    del stored.lines[-1]  # the line of the error, which the task did not write
        return stored

    @property
    def ending(self) -> str:
        """The end of the task, as ``SUCCESS`` or ``FAILURE WorkerLost``; empty before its end."""
        last = next((event.status for event in reversed(self.events) if event.terminal), "")
        return f"{last} {self.error}".strip()

    def faults(self, asked: int, endings: frozenset[str]) -> list[str]:
        """Lists what is wrong with the stream of a task that wrote ``asked`` lines, each with the time of its
        writing."""
        found = []
        if [event.sequence for event in self.events] != list(range(1, len(self.events) + 1)):
            found.append("the sequences in Postgres are not dense")
        if self.last_seq != len(self.events):
            found.append(
                f"the stream's last sequence is {self.last_seq} and it has {len(self.events)} events"
            )
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
            found.append("lines are stored in another order than they were written")
        return found


def written_at(line: str) -> int:
    """Returns the nanoseconds of the ``@t=<n>`` at the start of a line of the load job."""
    return int(line.split(" ", 1)[0].removeprefix("@t="))
