"""The batches that this process has still to send, in their order: first those in its file, then those in memory."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Callable

from taskroom._transport.availability import Availability
from taskroom._transport.batches import Batch
from taskroom._transport.beats import Beats
from taskroom._transport.buffer import Buffer, Entry
from taskroom._transport.envelope import Envelope
from taskroom._transport.segment import Segment
from taskroom._transport.settings import Limits
from taskroom._transport.spool import Spool
from taskroom._transport.tasks import Tasks

MOST_HELD = 1_000  # entries that are kept although there is no room


class Outbox:
    """Makes batches of what is in the buffer, and numbers them. Whoever calls a method holds ``lock``, which nobody
    holds while the network is waited for."""

    def __init__(
        self,
        limits: Limits,
        spool: Spool,
        tasks: Tasks,
        availability: Availability,
        clock: Callable[[], float],
    ) -> None:
        self.lock = threading.Lock()
        self.progressed = threading.Condition(self.lock)  # told when batches are safe
        self.buffer = Buffer(limits)
        self.tasks = tasks
        self.beats = Beats()
        self.batch_bytes = limits.batch_bytes
        self.writer, self._number = str(uuid.uuid4()), 0
        self.added = 0  # batches ever made
        self.lost = 0  # batches that were given up, and times that entries were dropped
        self._limits, self._spool, self._clock = limits, spool, clock
        self._availability = availability
        self._memory: deque[Batch] = deque()
        self._events = self._bytes = 0  # in memory
        self._file: Segment | None = None
        self._held: deque[Entry] = deque()  # what is older than the buffer, and could not be dropped

    @property
    def safe(self) -> int:
        """How many of the batches ever made are not only in memory."""
        return self.added - len(self._memory)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to send, also not in the file."""
        return not (self.waiting or self._memory or (self._file is not None and self._file.has_more))

    @property
    def is_kept(self) -> bool:
        """Whether no event is only in memory."""
        return not (self.waiting or self._events)

    @property
    def waiting(self) -> int:
        """How many entries are in no batch yet."""
        return len(self.buffer.entries) + len(self._held)

    @property
    def has_batch(self) -> bool:
        """Whether what waits is enough for a batch."""
        buffer = self.buffer
        return self.waiting >= self._limits.batch_events or buffer.bytes >= self.batch_bytes or buffer.is_full

    def seal_one(self) -> None:
        """Makes a batch of what waits, when there is enough of it and room."""
        if self.has_batch and self._makes_room():
            self._add(self._envelope())

    def seal(self, *, partly: bool = True) -> None:
        """Makes batches of what waits; without ``partly`` only full ones. When memory is full they go to the file, and
        when that is full too, what waits is dropped."""
        left = self.waiting  # not what comes meanwhile, or this would not end, with ever smaller batches
        while left > 0 and (partly or self.has_batch):
            if not self._makes_room():
                self._drop()
                return
            envelope = self._envelope()
            self._add(envelope)
            left -= envelope.entries

    def seal_beats(self) -> None:
        """Makes a batch of what workers and queues said."""
        if self.beats:
            envelope = Envelope(self._limits, self.batch_bytes, self.tasks)
            envelope.beats = self.beats.take()
            self._add(envelope)

    def head(self) -> Batch | None:
        """The batch to send next. Raises OSError when the file cannot be read any more."""
        if self._file is not None:
            batch = self._file.head()
            if batch is not None:
                return batch
            file, self._file = self._file, None
            self.lost += file.torn > 0
            file.remove()
        return self._memory[0] if self._memory else None

    def settle(self, batch: Batch, stored: bool) -> None:
        """The head is stored, or given up."""
        self.tasks.settled((batch.writer, batch.number), stored)
        self.lost += not stored
        if self._memory and self._memory[0] is batch:
            self._forget_first()
        elif self._file is not None:  # perhaps it went there while it was sent
            head = self._file.head()
            if head is not None and (head.writer, head.number) == (batch.writer, batch.number):
                self._file.advance()
        self.progressed.notify_all()

    def spill(self) -> bool:
        """Writes all batches in memory to the file. False when some had to stay."""
        while self._memory:
            file = self._spool.write(self._file, self._memory[0])
            if file is None:
                break
            self._file = file
            self._forget_first()
        self.progressed.notify_all()
        return not self._memory

    def keep(self) -> None:
        """Writes all that waits to the file; what cannot be kept there goes on filling memory."""
        if self.spill():
            self.seal()
            self.spill()

    def leave_file(self) -> int:
        """Leaves the file to other processes. What comes next is another writer's, so that it waits for nobody. Returns
        the number of events that it leaves."""
        file, self._file = self._file, None
        if file is None:
            return 0
        file.close()
        self.renew_writer()
        return file.events

    def renew_writer(self) -> None:
        self.writer, self._number = str(uuid.uuid4()), 0

    def in_child(self) -> Outbox:
        """The outbox of a forked child. The parent sends what is in this one, and has its lock and its file."""
        if self._file is not None:
            self._file.close()
        self.tasks.in_child([*self._held, *self.buffer.entries])
        return Outbox(self._limits, self._spool, self.tasks, self._availability, self._clock)

    def _envelope(self) -> Envelope:
        envelope = Envelope(self._limits, self.batch_bytes, self.tasks)
        now = self._clock()
        while self.waiting:
            source = self._held or self.buffer.entries
            if not envelope.fits(source[0]):
                break
            entry = source.popleft()
            if source is not self._held:
                self.buffer.took(entry)
            self._say_gap(envelope, entry)
            self.tasks.take(entry, now)
            envelope.add(entry)
        return envelope

    def _say_gap(self, envelope: Envelope, entry: Entry) -> None:
        """Says in the log of a task that events of it are missing here."""
        count = self.buffer.gap_before(entry)
        if count:
            message = f"{count:,} events are missing here: there was no room for them"
            line = {"type": "log", "level": "WARNING", "message": message, "component": "taskroom"}
            envelope.add((entry[0], entry[1], line, None, entry[4]))

    def _add(self, envelope: Envelope) -> None:
        self._number += 1
        batch = envelope.batch(self.writer, self._number)
        self.tasks.sent((batch.writer, batch.number), envelope.told)
        self._memory.append(batch)
        self._events += batch.events
        self._bytes += len(batch.body)
        self.added += 1

    def _makes_room(self) -> bool:
        if not self._has_room():
            self.spill()
        return self._has_room()

    def _has_room(self) -> bool:
        """Whether memory may have one more. Batches take little room; the number of their events, which a process that
        is killed loses, is bounded while nobody takes them."""
        many = self._availability.failures > 0 and self._events >= self._limits.memory_events
        return not many and self._bytes < self._limits.memory_bytes

    def _forget_first(self) -> None:
        batch = self._memory.popleft()
        self._events -= batch.events
        self._bytes -= len(batch.body)

    def _drop(self) -> None:
        self.lost += 1
        self._held.extend(self.buffer.drop_all(MOST_HELD - len(self._held)))
