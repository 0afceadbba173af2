"""The tasks that a batch names, under the locks of their streams; and those that it makes."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import orjson
from psycopg2.extensions import cursor as Cursor

from app.errors import Unavailable
from app.stream.event import Draft, Event, is_shared, task_stream
from app.stream.store import lock
from app.tasks.budget import ROWS_BYTES
from app.tasks.creation import first_event
from app.tasks.fold import PENDING, empty
from app.tasks.observed.creation import NewTask, insert_tasks, open_streams
from app.tasks.observed.fields import retry_fields
from app.tasks.observed.known import Attempts, KnownTask, known_tasks
from app.tasks.observed.part import PartRefused
from app.tasks.observed.reporter import Reporter
from app.tasks.observed.task import GROUP, UNKNOWN, ObservedTask
from app.tasks.projection import load


class Book:
    """``drafts`` are those of all tasks, in the order in which they are to be appended. ``now`` is Postgres's time."""

    def __init__(self, cur: Cursor, reporter: Reporter, now: str) -> None:
        self.cur, self.reporter, self.now = cur, reporter, now
        self.drafts: list[Draft] = []
        self.attempts = Attempts()
        self._tasks: dict[str, ObservedTask] = {}
        self._known: dict[str, KnownTask] = {}
        self._streams: dict[str, int] = {}  # that this batch has opened, by task
        self._new: list[tuple[ObservedTask, Mapping[str, Any]]] = []

    def open(
        self,
        ids: Collection[str],
        others: Collection[str],
        named: Collection[tuple[str, str]],
        to_make: Collection[str],
    ) -> None:
        """Reads and locks the tasks of these ids, all in one statement. ``named``: pairs of an id and an attempt. Tasks
        of ``others`` are only read. Those of ``to_make`` get a stream if they do not exist.

        Raises Unavailable when another batch is making the next task of one of the ids.
        """
        if not ids and not others:
            return
        self._known = known_tasks(self.cur, {*ids, *others})
        firsts = {self.first_of(id) for id in ids}
        every = firsts | {self.first_of(id) for id in others}
        pairs = {(self.first_of(id), name) for id, name in named}
        self.attempts = Attempts.read(self.cur, every, pairs)
        self._read({self.attempts.task_of(first) for first in every})
        missing = {id for id in to_make if self.task_id_of(id) not in self._known}
        self._streams = open_streams(self.cur, missing)
        self._read(missing - self._streams.keys())  # another batch has made them meanwhile
        current = {self.attempts.task_of(first) for first in firsts}
        if not self._lock(current):
            return
        self.attempts = Attempts.read(self.cur, every, pairs)
        moved = {self.attempts.task_of(first) for first in firsts} - current
        self._read(moved)
        # Their streams are newer than those that are locked, but perhaps not than those that other batches lock.
        if self._lock(moved, wait=False) < len(moved):
            raise Unavailable("Another batch reports the same tasks; try again", retry_after=1)

    def first_of(self, id: str) -> str:
        """Returns the id under which the attempts of this one are counted."""
        known = self._known.get(id)
        return known.first_id if known else id

    def task_id_of(self, id: str) -> str:
        """Returns the task that a reported id means."""
        return self.attempts.task_of(self.first_of(id))

    def find(self, id: str) -> ObservedTask | None:
        """Returns the task of a reported id; None when there is none yet. Raises Refused, in the same way for a task of
        somebody else as for one that does not exist."""
        task_id = self.task_id_of(id)
        known = self._known.get(task_id)
        if known and not self.reporter.may_report(known.user_id, known.tenant):
            raise PartRefused(404, "There is no such task")
        if known and not known.observed:
            raise PartRefused(409, "The workers of this installation run the task")
        return self._tasks.get(task_id)

    def observed(self, id: str) -> str | None:
        """Returns the observed task of a reported id; None when there is none that the reporter may report for."""
        task_id = self.task_id_of(id)
        return task_id if self._may_report(task_id) else None

    def parent(self, id: str) -> str | None:
        """Returns the task of a parent's id, which may be one of ours; None when there is none yet. Raises Refused for
        one of somebody else."""
        task_id = self.task_id_of(id)
        known = self._known.get(task_id)
        if known and not self.reporter.may_report(known.user_id, known.tenant):
            raise PartRefused(404, "There is no such parent", {"parent_id": ["There is no such task."]})
        return task_id if known or task_id in self._tasks else None

    def make(self, id: str, fields: Mapping[str, Any], at: str | None, heard: bool = True) -> ObservedTask:
        """Makes a task with the fields of its first event; ``at`` is the time of its creation."""
        task = ObservedTask(id, id, self.reporter.tenant, empty(), self.drafts, heard=heard, is_new=True)
        task.fields["task_id"] = id
        if id not in self._streams:  # the task was removed just now
            raise Unavailable("Another transaction changes the same tasks; try again", retry_after=1)
        task.stream_id = self._streams.pop(id)
        created_at = min(at or self.now, self.now)
        task.put(first_event(task.stream, created_at, PENDING, **fields))
        self._tasks[id] = task
        self._new.append((task, {**fields, "created_at": created_at, "status": PENDING}))
        return task

    def make_retry(self, ended: ObservedTask, at: str | None, goes_on: bool) -> ObservedTask:
        """Makes the task of an attempt that begins after the task's end. One that ``goes_on`` keeps its place below
        others."""
        id = str(uuid.uuid4())
        self._streams |= open_streams(self.cur, [id])
        task = self.make(id, retry_fields(ended, goes_on), at, heard=ended.heard)
        task.first_id, task.lease_seconds, task.tenant = ended.first_id, ended.lease_seconds, ended.tenant
        return task

    def release(self) -> None:
        """Drops what refers to itself, at the end of the batch."""
        for task in self._tasks.values():
            task.release()

    @property
    def tasks(self) -> Collection[ObservedTask]:
        return self._tasks.values()

    def stored_bytes(self, events: Iterable[Event]) -> int:
        """Returns the bytes of the events of tasks, of which ``events`` has those that this batch has appended, and of
        the rows of new tasks."""
        rows = sum(ROWS_BYTES + len(orjson.dumps(fields["params"])) for _, fields in self._new)
        return rows + sum(len(event.payload.encode()) for event in events if not is_shared(event.stream))

    def insert(self, reported_ids: Mapping[str, str]) -> None:
        """Inserts the rows of the new tasks; ``reported_ids``: the texts that the reporter has for them."""
        rows = []
        for task, fields in self._new:
            reporter = self.reporter.key if task.heard else None
            reported_id = reported_ids.get(task.task_id) if task.heard else None
            same = task.task_id, task.stream_id, task.tenant, reporter, reported_id, task.lease_seconds
            rows.append(NewTask(*same, fields))
        insert_tasks(self.cur, rows)
        if self._streams:  # of tasks that were refused after all
            self.cur.execute("DELETE FROM streams WHERE id = ANY(%s)", (list(self._streams.values()),))

    def _read(self, ids: Collection[str]) -> None:
        self._known |= known_tasks(self.cur, [id for id in ids if id not in self._known])

    def _may_report(self, id: str) -> bool:
        known = self._known.get(id)
        return bool(known and known.observed and self.reporter.may_report(known.user_id, known.tenant))

    def _lock(self, ids: Collection[str], wait: bool = True) -> int:
        """Locks and loads the observed tasks among the ids for which the reporter may report; returns how many."""
        streams = {task_stream(id): id for id in ids if self._may_report(id)}
        if not streams:
            return 0
        rows = lock(self.cur, streams, wait=wait)
        for stream, state in load(self.cur, list(rows)).items():
            id, row = streams[stream], rows[stream]
            known = self._known[id]
            newest = self.attempts.newest(known.first_id)
            # What was read before the lock may be older than the state.
            heard = known.reported_id is not None or state["task"]["job_type"] not in (UNKNOWN, GROUP)
            self._tasks[id] = ObservedTask(
                *(id, known.first_id, known.tenant, state, self.drafts),
                stream_id=row.id,
                last_seq=row.last_seq,
                began_seq=newest.began_seq if newest else 0,
                attempt=row.attempt,
                closed=row.closed,
                cancel_requested=row.cancel_requested,
                lease_seconds=known.lease_seconds,
                heard=heard,
                was_heard=heard,
            )
        return len(rows)
