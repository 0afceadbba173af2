"""What this process has said of its tasks, and which of them it keeps alive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskroom._transport.buffer import Entry, ends_attempt
from taskroom._transport.recent import Recent

MOST_TASKS = 10_000  # that are remembered; the oldest are forgotten first
MOST_BATCHES = 20_000  # with fields of tasks
LEASE_SECONDS = 60.0  # unless the task says another
SHORTEST_RENEWAL = 1.5
NONE: Mapping[str, Any] = {}  # never changed: most tasks that are remembered have no other


class _Task:
    __slots__ = ("batch", "fields", "job_type", "lost")

    def __init__(self) -> None:
        self.fields: Mapping[str, Any] = NONE  # as far as no answer has confirmed them
        self.job_type: Any = None
        self.lost = False  # whether a batch with some of them was lost
        self.batch: tuple[str, int] | None = None  # writer and number of the last one with some of them


class _Lease:
    __slots__ = ("attempt", "due", "seconds")

    def __init__(self, attempt: str, seconds: float) -> None:
        self.attempt, self.seconds = attempt, seconds
        self.due = 0.0


class Tasks:
    """Only for who holds the outbox's lock."""

    def __init__(self) -> None:
        self._tasks: Recent[str, _Task] = Recent(MOST_TASKS)
        self._leases: dict[str, _Lease] = {}
        self._batches: Recent[tuple[str, int], list[str]] = Recent(MOST_BATCHES)

    def take(self, entry: Entry, now: float) -> None:
        """Learns from an entry that goes into a batch."""
        task_id, attempt, event, fields, _ = entry
        if fields is not None:
            self._learn(task_id, fields)
            if attempt is not None:
                # Events alone keep no task alive: those of a forked child would, after the end of its parent.
                self._lease(task_id, attempt, fields.get("lease_seconds"))
        elif event is not None and ends_attempt(event):
            self._leases.pop(task_id, None)
        if task_id in self._leases:
            lease = self._leases[task_id]
            lease.due = now + lease.seconds / 3

    def fields_to_send(self, task_id: str) -> dict[str, Any]:
        """What the next mention of the task has to say, beside what is new: its type always, because a server that
        does not know it cannot take the task; all fields when a batch with them was lost."""
        task = self._tasks.get(task_id)
        if task is None or task.job_type is None:
            return {}
        if task.lost:
            task.lost = False
            return {"job_type": task.job_type, **task.fields}
        return {"job_type": task.job_type}

    def sent(self, batch: tuple[str, int], task_ids: list[str]) -> None:
        """The batch has fields of these tasks."""
        self._batches.put(batch, task_ids)
        for name in task_ids:
            task = self._tasks.get(name)
            if task is not None:
                task.batch = batch

    def settled(self, batch: tuple[str, int], stored: bool) -> None:
        """The batch is stored, or given up: then the fields in it are said again."""
        for name in self._batches.pop(batch) or ():
            task = self._tasks.get(name)
            if task is None:
                continue
            if not stored:
                task.lost = True
            elif task.batch == batch and not task.lost:
                task.fields = NONE

    def refused(self, task_id: str) -> None:
        """The server did not take what was said of the task, so it is not kept alive, and said anew if it comes up."""
        task = self._tasks.get(task_id)
        if task is not None:
            task.lost = True
        self._leases.pop(task_id, None)

    def due(self, now: float) -> list[tuple[str, str]]:
        """The tasks and attempts whose leases a mention has to renew now."""
        due = [(name, lease) for name, lease in self._leases.items() if lease.due <= now]
        for _, lease in due:
            lease.due = now + lease.seconds / 3
        return [(name, lease.attempt) for name, lease in due]

    def next_due(self) -> float:
        return min((lease.due for lease in self._leases.values()), default=float("inf"))

    def in_child(self, entries: list[Entry]) -> None:
        """In a forked child: what the parent has said may arrive later than what the child says. Whose process begins
        an attempt keeps it alive, and no other."""
        for entry in entries:
            if entry[3] is not None:
                self._learn(entry[0], entry[3])
        for task in self._tasks:
            task.lost, task.batch = bool(task.fields), None
        self._leases = {}

    def _learn(self, task_id: str, fields: dict[str, Any]) -> None:
        task = self._tasks.get(task_id)
        if task is None:
            task = _Task()
            self._tasks.put(task_id, task)
        task.fields = {**task.fields, **fields} if task.fields else fields
        task.job_type = fields.get("job_type", task.job_type)

    def _lease(self, task_id: str, attempt: str, seconds: Any) -> None:
        try:
            seconds = LEASE_SECONDS if seconds is None else float(seconds)
        except Exception:  # the value may be of any type, and its conversion may raise anything
            seconds = LEASE_SECONDS
        if seconds > 0 and len(self._leases) < MOST_TASKS:
            self._leases[task_id] = _Lease(attempt, max(seconds, 3 * SHORTEST_RENEWAL))
        else:
            self._leases.pop(task_id, None)
