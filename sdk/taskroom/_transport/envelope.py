"""The content of a batch while it is put together."""

from __future__ import annotations

from typing import Any

from taskroom._transport.batches import Batch
from taskroom._transport.buffer import Entry, ends_attempt
from taskroom._transport.encoding import encode_event, encoded_pairs
from taskroom._transport.settings import Limits
from taskroom._transport.tasks import Tasks

JOB_TYPE = b'"job_type"'
WAITS = "PENDING"


class _Row:
    """What a batch says of one task. ``pairs`` are the JSON of the names and values of its fields. ``ended``: its last
    event ends the attempt, or the task."""

    def __init__(self, attempt: str | None) -> None:
        self.attempt, self.ended = attempt, False
        self.pairs: dict[bytes, bytes] = {}
        self.events: list[bytes] = []


class Envelope:
    """Takes entries in their order. Each task has one row, with the events of one attempt."""

    def __init__(self, limits: Limits, most_bytes: int, tasks: Tasks) -> None:
        self.entries = self.events = 0
        self.size = 0  # bytes of JSON, about
        self.beats: dict[str, list[bytes]] = {}
        self._rows: dict[str, _Row] = {}
        self._limits, self._most_bytes, self._tasks = limits, most_bytes, tasks

    def __bool__(self) -> bool:
        return bool(self._rows or self.beats)

    @property
    def told(self) -> list[str]:
        """The tasks of which this batch says more than their type."""
        return [name for name, row in self._rows.items() if row.pairs.keys() - {JOB_TYPE}]

    def fits(self, entry: Entry) -> bool:
        """Whether the entry may be in this batch."""
        if self.events >= self._limits.batch_events or self.size >= self._most_bytes:
            return False
        row = self._rows.get(entry[0])
        if row is None:
            return len(self._rows) < self._limits.batch_tasks
        if row.attempt is None and not row.events:
            return True
        event = entry[2]
        if event is not None and row.events and (row.ended or event.get("status") == WAITS):
            return False  # the server takes nothing after an end, and a PENDING only as the first
        return entry[1] == row.attempt or (entry[1] is None and entry[2] is None)

    def add(self, entry: Entry) -> None:
        """Adds an entry that fits."""
        task_id, attempt, event, fields, at = entry
        self.entries += 1
        row = self._rows.get(task_id)
        if row is None:
            row = self._rows[task_id] = _Row(attempt)
            self.size += 100 + len(task_id)
            self._add_fields(row, self._tasks.fields_to_send(task_id))
        if attempt is not None:
            row.attempt = attempt
        if fields is not None:
            self._add_fields(row, fields)
        if event is not None:
            encoded = encode_event(event, at)
            row.events.append(encoded)
            row.ended = ends_attempt(event)
            self.events += 1
            self.size += len(encoded)

    def _add_fields(self, row: _Row, fields: dict[str, Any]) -> None:
        for name, value in encoded_pairs(fields):
            row.pairs[name] = value
            self.size += len(name) + len(value) + 2

    def batch(self, writer: str, number: int) -> Batch:
        """The batch of all that was added."""
        parts = [b'"tasks":[' + b",".join(self._encoded(*item) for item in self._rows.items()) + b"]"]
        parts += [b'"%s":[%s]' % (kind.encode(), b",".join(beats)) for kind, beats in self.beats.items()]
        return Batch.of(writer, number, self.events, b",".join(parts) + b"}")

    def _encoded(self, task_id: str, row: _Row) -> bytes:
        head: dict[str, Any] = {"task_id": task_id}
        if row.attempt is not None:
            head["attempt"] = row.attempt
        pairs = [*encoded_pairs(head), *row.pairs.items(), (b'"events"', b"[" + b",".join(row.events) + b"]")]
        return b"{" + b",".join([b"%s:%s" % pair for pair in pairs]) + b"}"
