"""Decides what each part of a batch does: it makes a task, begins an attempt, adds events, or is refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from psycopg2.extensions import cursor as Cursor

from app.tasks.endings import cancelled_error
from app.tasks.fold import RETRY, REVOKED, STARTED
from app.tasks.observed import ahead
from app.tasks.observed.book import Book
from app.tasks.observed.fields import (
    Place,
    created_at,
    first_fields,
    group_fields,
    later_fields,
    unheard_fields,
)
from app.tasks.observed.groups import group_start
from app.tasks.observed.known import KnownAttempt
from app.tasks.observed.lookups import Lookups
from app.tasks.observed.named_owners import owners_of
from app.tasks.observed.part import Part, PartRefused, name_of
from app.tasks.observed.reporter import Reporter
from app.tasks.observed.task import ObservedTask
from app.tasks.observed.tree import is_above
from app.tasks.reported import Status, time_text

GOES_ON = "This attempt was given up as lost, and goes on here: its reporter was heard of again"


class Taken(NamedTuple):
    """A part that was accepted. ``makes``: it made the task, or is the first that names it as its own."""

    part: Part
    task: ObservedTask
    makes: bool


class Taking:
    """``now`` is Postgres's time. ``begun`` are the attempts that the batch begins, by the id under which they are
    counted; ``nodes`` the tasks that it makes for groups, and for parents of which only a child was heard;
    ``not_again`` ended tasks that cannot be started again any more; ``ahead``: what comes after tasks, by their ids."""

    def __init__(self, cur: Cursor, reporter: Reporter, now: str, lookups: Lookups) -> None:
        self.book = Book(cur, reporter, now)
        self.begun: list[tuple[str, KnownAttempt]] = []
        self.nodes: list[ObservedTask] = []
        self.not_again: list[ObservedTask] = []
        self.ahead: dict[str, list[dict[str, Any]]] = {}
        self._cur, self._reporter, self._now, self._lookups = cur, reporter, now, lookups
        self._owners: Mapping[str, str] = {}
        self._ids: dict[str, str] = {}

    def open(self, parts: Sequence[Part], running: Collection[str]) -> None:
        """Reads and locks what the parts name. ``running``: ids of tasks that are only to be known."""
        ids = {self._id(part) for part in parts}
        parents = {parent for part in parts if (parent := self._place(part).parent_id)}
        others = parents | {self._reporter.uuid_of(id) for id in running}
        named = {(self._id(part), part.attempt) for part in parts if part.attempt is not None}
        to_make = parents | {self._id(part) for part in parts if part.job_type}
        self._owners = owners_of(self._cur, {part.owner for part in parts if part.owner}, self._reporter)
        self.book.open(ids, others, named, to_make)

    def take(self, part: Part) -> Taken:
        """Adds the drafts of the part. Raises Refused before it adds any, unless the task was cancelled."""
        id, now = self._id(part), self._now
        task = self.book.find(id)
        if task and task.is_group:
            raise PartRefused(409, "It is the node of a group")
        if part.job_type is None and not (task and task.heard):
            missing = {"job_type": ["Missing: nothing was heard of the task before."]}
            raise PartRefused(422, "Unprocessable Content", missing)
        heard = task is not None and task.heard
        place = self._checked_place(part, task)
        begins = self._begins(part, task)
        named = self._owners.get(part.owner or "")
        owner = task.fields["user_id"] if task else named or self._reporter.user_id
        makes = task is None or (begins and task.closed)
        lost = task if begins and self._known(part) is not None else None  # its attempt goes on
        if makes and (refusal := self._lookups.over_budget(self._cur, self._reporter.user_id)):
            raise PartRefused(429, refusal)
        if task is None:
            self._make_parent(place, part, owner)
            task = self.book.make(id, first_fields(part, owner, place), created_at(part))
        else:
            if makes:
                task = self.book.make_retry(task, created_at(part), goes_on=lost is not None)
            if not task.closed:
                self._add_fields(task, part, named, place)
            elif part.can_retry is False and task.fields["can_retry"]:
                task.fields["can_retry"] = False
                self.not_again.append(task)
        comes_late = task.attempt and part.events and part.only_waits  # its sender was slower than the worker
        if part.ahead is not None and not comes_late:
            self.ahead[task.task_id] = ahead.rows_of(part.ahead, self._uuid)
        if part.lease_seconds is not None:
            task.lease_seconds, task.lease_due = part.lease_seconds, True
        if begins:
            self._begin(part, task, lost)
        if lost is not None:
            task.warn(GOES_ON, now)
        if not task.closed:
            task.report(part.events, now, begins)
        return Taken(part, task, makes or not heard)

    def _add_fields(self, task: ObservedTask, part: Part, owner: str | None, place: Place) -> None:
        changes = later_fields(task, part, owner, place)
        if "parent_id" in changes:
            self._make_parent(place, part, owner or task.fields["user_id"])
        if changes:
            task.change(self._now, **changes)
        task.heard = True

    def _id(self, part: Part) -> str:
        return self._uuid(part.task_id)

    def _uuid(self, text: str) -> str:
        """Returns the id that the text becomes; a batch asks several times."""
        found = self._ids.get(text)
        if found is None:
            found = self._ids[text] = self._reporter.uuid_of(text)
        return found

    def _place(self, part: Part) -> Place:
        """Returns the place as the part names it; a task that names itself names none."""
        named = (part.parent_id, part.root_id, part.group_id)
        if not any(named):
            return Place()
        ids = (self._uuid(text) if text else None for text in named)
        parent, root, group = (None if id == self._id(part) else id for id in ids)
        return Place(parent or group, root, group)

    def _checked_place(self, part: Part, task: ObservedTask | None) -> Place:
        """Returns the place with the parent's task. Raises Refused for a parent of somebody else. A parent that is
        below the task is left out."""
        place = self._place(part)
        if place.parent_id is None or (task and task.fields["parent_id"]):
            return place
        parent = self.book.parent(place.parent_id)
        if parent and task and is_above(self._cur, task.task_id, parent, self.book.tasks):
            return place._replace(parent_id=None)
        return place._replace(parent_id=parent or place.parent_id)

    def _make_parent(self, place: Place, part: Part, owner: str) -> None:
        """Makes the task or the node above, unless it is known."""
        if place.parent_id is None or self.book.parent(place.parent_id):
            return
        at, is_group = created_at(part), place.parent_id == place.group_id
        fields = group_fields(owner, place, part) if is_group else unheard_fields(owner, part)
        node = self.book.make(place.parent_id, fields, at, heard=False)
        if is_group:
            for item in group_start(node.stream, min(at or self._now, self._now)):
                node.put(item)
        self.nodes.append(node)

    def _begins(self, part: Part, task: ObservedTask | None) -> bool:
        """Whether the part begins an attempt, in a new task where the attempt was lost: an end is final, and the code
        that reports goes on. Raises PartRefused when what it reports is over."""
        if part.attempt is None:
            _check_without_attempt(part, task)
            return False
        if known := self._known(part):
            current = task is not None and (known.task_id, known.attempt) == (task.task_id, task.attempt)
            if task and current and task.runs:
                return False
            if not (task and current and task.was_lost):
                raise PartRefused(409, f"Attempt {part.attempt} is over")
        if part.events and part.only_waits:
            return False
        if task and task.cancel_requested:
            if task.runs:  # its reporter has gone, or would have ended it
                task.end_attempt(REVOKED, cancelled_error(), self._now)
            raise PartRefused(409, "The task was cancelled", cancelled=True)
        return True

    def _known(self, part: Part) -> KnownAttempt | None:
        """Returns the attempt of this name, if it has begun before."""
        first = self.book.first_of(self._id(part))
        return self.book.attempts.named(first, part.attempt) if part.attempt is not None else None

    def _begin(self, part: Part, task: ObservedTask, lost: ObservedTask | None) -> None:
        first = part.events[0].timestamp if part.events else None
        at = min(time_text(first), self._now) if first else self._now
        fields = task.fields
        before = lost.fields["worker"] if lost is not None else None  # a reporter says it once
        worker = name_of(part.worker) or before or self._reporter.name
        task.begin(
            worker,
            at,
            self._now,
            lambda: self._lookups.forecast(self._cur, fields["job_type"], fields["user_id"], task.tenant),
        )
        task.lease_due = True
        newest = self.book.attempts.newest(task.first_id)
        number = newest.number + 1 if newest else 1
        attempt = KnownAttempt(str(part.attempt), number, task.task_id, task.attempt, task.began_seq)
        self.book.attempts.add(task.first_id, attempt)
        self.begun.append((task.first_id, attempt))


def _check_without_attempt(part: Part, task: ObservedTask | None) -> None:
    """Raises Refused for events that need an attempt that runs, and for those of a worker when another one runs it:
    what the main process of a worker says of its child may come after the next attempt has begun elsewhere."""
    if part.only_waits:
        return
    if task and task.closed:
        raise PartRefused(409, f"The task has ended: {task.fields['status']}")
    if task and task.runs and (worker := name_of(part.worker)) and worker != task.fields["worker"]:
        raise PartRefused(409, "Another worker runs the task by now")
    statuses = {event.status for event in part.events if isinstance(event, Status)}
    if not (task and task.runs) and statuses & {STARTED, RETRY}:
        raise PartRefused(422, "Unprocessable Content", {"attempt": ["Name the attempt that begins."]})
