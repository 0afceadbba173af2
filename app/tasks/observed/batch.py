"""Stores a batch of observed tasks: one transaction, and one append for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.db.clock import database_now
from app.stream.background import with_pauses
from app.stream.transaction import Transaction
from app.tasks import budget
from app.tasks.batch_numbers import Answer, repeated_answer, store_answer
from app.tasks.observed import ahead, leases, resends, rows
from app.tasks.observed.cancel import cancelled_before
from app.tasks.observed.fleet import QueueEntry, Whose, WorkerEntry, report_queues, report_workers
from app.tasks.observed.lookups import Lookups
from app.tasks.observed.part import Part, PartRefused
from app.tasks.observed.reporter import Reporter
from app.tasks.observed.schedules import ScheduleEntry, report_schedules
from app.tasks.observed.taking import Taken, Taking

PARTS_IN_A_TURN = 10


@dataclass(frozen=True, slots=True)
class ObservedBatch:
    """``parts`` are in the order of the request; for a part that is invalid its id and the reason. ``host_url`` is the
    address of this web process, without a path."""

    reporter: Reporter
    writer: str
    number: int
    digest: str
    parts: Sequence[Part | tuple[str | None, PartRefused]]
    workers: Sequence[WorkerEntry]
    queues: Sequence[QueueEntry]
    schedules: Sequence[ScheduleEntry]
    host_url: str


def store_batch(tx: Transaction, batch: ObservedBatch, lookups: Lookups, round_seconds: float) -> Answer:
    """Stores the batch once and returns its answer; a repeat gets the same answer again. A part that is refused leaves
    the others as they are.

    Raises Conflict for a wrong number, with the next one as ``next_batch``, and for other content under the last
    number; Unavailable when another batch makes the same tasks at this moment.
    """
    cur = tx.cur
    if kept := repeated_answer(cur, batch.writer, batch.number, batch.digest):
        return kept
    # Workers are reported more often than anything else: what only tasks need is not asked for.
    now = database_now(cur) if batch.parts else ""
    taking = Taking(cur, batch.reporter, now, lookups)
    try:
        return _stored(tx, batch, taking, round_seconds)
    finally:
        taking.book.release()


def _stored(tx: Transaction, batch: ObservedBatch, taking: Taking, round_seconds: float) -> Answer:
    cur = tx.cur
    running = {id for worker in batch.workers for id in worker.running}
    waiting = {id for worker in batch.workers for id in worker.waiting}
    taking.open([part for part in batch.parts if isinstance(part, Part)], running | waiting)
    taken, refused, cancel = list[Taken](), list[Answer](), list[str]()
    for part in with_pauses(batch.parts, PARTS_IN_A_TURN):
        if not isinstance(part, Part):
            refused.append(part[1].row(part[0]))
            continue
        try:
            taken.append(taking.take(part))
        except PartRefused as refusal:
            refused.append(refusal.row(part.task_id))
            cancel += [part.task_id] if refusal.cancelled else []
    rows.insert(cur, taking, taken, batch.writer)
    stored = tx.append([*taking.book.drafts, *resends.told(taking.not_again)])
    assert not stored.refused, "the streams are locked, and the parts were checked"
    stored_bytes = taking.book.stored_bytes(stored.events) + ahead.size(taking.ahead)
    budget.pay(cur, batch.reporter.user_id, stored_bytes)
    leases.keep(cur, batch.writer, {task for _, task, _ in taken}, round_seconds)
    cancel += [part.task_id for part, task, _ in taken if task.cancel_requested and not task.closed]
    stopped, not_stored = _report_fleet(tx, batch, taking, running, waiting)
    cancel += stopped
    last = {event.stream: event.sequence for event in stored.events}
    answer = {
        "tasks": [_row(batch, each, last) for each in taken],
        "refused": refused,
        "cancel": list(dict.fromkeys(cancel)),
        "resend": resends.take(
            *(cur, batch.reporter.key, batch.writer, [worker.name for worker in batch.workers]),
            {task.fields["job_type"] for _, task, _ in taken if task.fields["can_retry"]},
        ),
        "next_batch": batch.number + 1,
    }
    if not_stored:
        answer["not_stored"] = not_stored
    store_answer(cur, batch.writer, batch.digest, answer)
    return answer


def _report_fleet(
    tx: Transaction, batch: ObservedBatch, taking: Taking, running: set[str], waiting: set[str]
) -> tuple[list[str], dict[str, list[str]]]:
    """Renews the leases of the tasks that workers run or hold, and stores workers, queues and schedules. Returns the
    ids, as given, of the tasks that are to stop, or not to begin, and the names of what there was no room for."""
    cur, whose = tx.cur, Whose.of(batch.reporter)
    uuids = {id: batch.reporter.uuid_of(id) for id in sorted(running | waiting)}
    tasks = {id: task_id for id, uuid in uuids.items() if (task_id := taking.book.observed(uuid))}
    cancelled = leases.renew(cur, list(tasks.values()))
    cancelled |= cancelled_before(cur, [task_id for id, task_id in tasks.items() if id in waiting])

    def tasks_of(ids: list[str]) -> list[str]:
        return [tasks[id] for id in ids if id in tasks]

    not_stored = {
        "workers": report_workers(cur, whose, batch.workers, tasks_of),
        "queues": report_queues(cur, whose, batch.queues),
        "schedules": report_schedules(cur, whose, batch.schedules, batch.reporter.uuid_of),
    }
    stopped = [id for id, task_id in tasks.items() if task_id in cancelled]
    return stopped, {kind: names for kind, names in not_stored.items() if names}


def _row(batch: ObservedBatch, taken: Taken, last: Mapping[str, int]) -> Answer:
    part, task, makes = taken
    row: Answer = {"task_id": task.task_id, "sequence": last.get(task.stream, task.last_seq)}
    if makes:
        row["url"] = f"{batch.host_url}/runs/{task.task_id}"
    if part.task_id != task.task_id:
        row["id"] = part.task_id
    if task.task_id != task.first_id:
        row["retry_of"] = task.fields["retry_of"]
    if warnings := getattr(part, "warnings", None):
        row["warnings"] = warnings
    return row
