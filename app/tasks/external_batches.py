"""Stores batches of external workers, which report over REST. Batch numbers are claimed as a writer's are, so a
repeated batch is stored once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from app.db.clock import database_now
from app.errors import Conflict, NotFound, Unprocessable
from app.stream.background import with_pauses
from app.stream.event import Draft, task_stream
from app.stream.store import BATCH_BYTES, lock
from app.stream.transaction import Transaction
from app.tasks.batch_numbers import Answer, repeated_answer, store_answer
from app.tasks.fold import STARTED, State
from app.tasks.holds import paused_queues
from app.tasks.lifecycle import Claim, claim
from app.tasks.parents import parent_phase, parent_progress
from app.tasks.plan import Declared
from app.tasks.projection import load
from app.tasks.reported import ReportedEvent, is_bare_start, is_start, time_text
from app.tasks.reported_drafts import EventClock, ReportedDrafts, restore
from app.tasks.reports import Reports

EVENTS_IN_A_TURN = 50  # of a batch; then other threads run


@dataclass(frozen=True, slots=True)
class ExternalBatch:
    """``digest`` distinguishes a repeat from another batch of that number."""

    task_id: str
    attempt: int
    writer: str
    number: int
    worker: str
    digest: str
    events: Sequence[ReportedEvent]


def store_batch(
    tx: Transaction, batch: ExternalBatch, declared: Declared, queue_of: Callable[[str], str | None]
) -> Answer:
    """Stores the batch, renews the lease and returns the events' sequences; a repeat gets the same answer again.

    A first event with the status STARTED claims the attempt if it is queued, and its queue, which ``queue_of`` returns
    for a job type, is not paused; a last event with a terminal status ends it. Raises NotFound, Conflict when another
    attempt or the task's end came first, and Unprocessable for invalid events.
    """
    cur = tx.cur
    stream = task_stream(batch.task_id)
    if repeated := repeated_answer(cur, batch.writer, batch.number, batch.digest):
        cur.execute("SELECT cancel_requested FROM streams WHERE name = %s", (stream,))
        return repeated | {
            "cancel_requested": cur.fetchone() == (True,)
        }  # as it is now: a late repeat needs it
    # Locked as a stream that may end, with its parents first: its progress changes them too.
    row = lock(cur, [stream], [stream]).get(stream)
    if row is None:
        raise NotFound("There is no such task")
    answer, claimed = Answer(task_id=batch.task_id), None
    starts = bool(batch.events) and is_start(batch.events[0])
    if row.attempt != batch.attempt and not row.closed and starts:
        claimed = claim(
            tx,
            batch.task_id,
            batch.attempt,
            batch.worker,
            at=began_at(batch.events, cur),
            declared=declared,
        )
        if claimed is not None:
            _refuse_paused(cur, queue_of(claimed.job_type))
            answer["claim"] = {"job_type": claimed.job_type, "params": claimed.params}
            answer["claim"] |= {"retry_count": claimed.retry_count, "approved": sorted(claimed.approved)}
    state = load(cur, [stream])[stream]
    task = state["task"]
    if task["observed"]:
        raise Conflict("Its reporter sends the events of this task to /api/v2/events")
    if row.closed:
        raise Conflict(f"The task has ended: {task['status']}")
    if (task["attempt"], task["status"]) != (batch.attempt, STARTED):
        raise Conflict(
            f"Attempt {batch.attempt} does not run: the task is {task['status']} in attempt {task['attempt']}"
        )
    cur.execute(
        "UPDATE leases SET missed = 0, holder = coalesce(holder, %s) WHERE task_id = %s RETURNING holder",
        (batch.writer, batch.task_id),
    )
    holders = cur.fetchall()
    if not holders:
        raise Conflict("Its steps go on for this task")
    # The holder is a writer, not an account: two processes of one account would run the attempt twice.
    if task["worker"] != batch.worker or holders != [(batch.writer,)]:
        raise Conflict(f"Attempt {batch.attempt} runs at another worker")
    drafts, ends = list[Draft](), list[int]()
    reports = _drafts(cur, batch, state, claimed is not None, drafts, ends)
    first = [event.sequence for event in tx.appended.events if event.stream == stream][:1]
    stored = tx.append(drafts)
    sequences = [event.sequence for event in stored.events if event.stream == stream]
    answer["sequences"] = [sequences[n - 1] if n else first[0] for n in ends]
    if not stored.closed and reports.claim.parent and int(reports.progress) > int(task["progress"]):
        tx.append(parent_progress(cur, batch.task_id, reports.progress, reports.eta))
    store_answer(cur, batch.writer, batch.digest, answer)
    return answer | {"cancel_requested": row.cancel_requested}


def _refuse_paused(cur: Cursor, queue: str | None) -> None:
    """Raises Conflict for a paused queue; the claim is undone."""
    if queue is not None and queue in paused_queues(cur):
        raise Conflict(f"The queue {queue} is paused: nothing is claimed from it")


def began_at(events: Sequence[ReportedEvent], cur: Cursor) -> str | None:
    """Returns the time of a beginning, where the first event gives it; never in the future."""
    at = events[0].timestamp
    return min(time_text(at), database_now(cur)) if at else None


def _drafts(
    cur: Cursor, batch: ExternalBatch, state: State, claimed: bool, drafts: list[Draft], ends: list[int]
) -> Reports:
    """Adds the drafts of the batch, and for each of its events the number of drafts up to it. Raises Unprocessable."""
    task = state["task"]
    given = batch.task_id, batch.attempt, task["job_type"], task["params"], task["retry_count"]
    known = frozenset(phase["phase_id"] for phase in state["phases"])
    parent = parent_phase(cur, batch.task_id)
    expected = {"plan": task["plan"], "usual": task["usual"]}
    running = Claim(*given, task["started_at"], parent=parent, phases=known, **expected)
    clock, now = EventClock(task["updated_at"]), database_now(cur)
    reports = Reports(running, drafts.append, clock)
    restore(reports, state, task["updated_at"])
    made = ReportedDrafts(reports, clock, now, task["current_phase"], task["current_phase_message"])
    for n, event in enumerate(with_pauses(batch.events, EVENTS_IN_A_TURN)):
        # The claim has appended a first event that holds nothing but the status.
        if n or not claimed or not is_bare_start(event):
            try:
                made.add(event)
            except ValueError as error:
                raise Unprocessable("Refused", errors={f"events.{n}.phase_id": [str(error)]}) from None
        ends.append(len(drafts))
    if sum(len(draft.tail) for draft in drafts) > BATCH_BYTES:
        raise Unprocessable("Too much at once", errors={"events": [f"At most {BATCH_BYTES:,} bytes."]})
    return reports
