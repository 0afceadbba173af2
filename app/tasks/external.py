"""Stores batches of external workers, which report over REST. Batch numbers are claimed as a writer's are, so a
repeated batch is stored once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from app.db.clock import database_now, seconds_between
from app.errors import Conflict, NotFound, Unprocessable
from app.stream.background import with_pauses
from app.stream.claims import UnknownWriter, claim_batch, register_writer
from app.stream.event import Draft, now, shortened, task_stream
from app.stream.store import BATCH_BYTES, lock
from app.stream.transaction import Transaction
from app.tasks.endings import cancelled_error, ending
from app.tasks.fold import FAILURE, REVOKED, RUNNING_PHASE, STARTED, TERMINAL, State, open_phases
from app.tasks.lifecycle import Claim, claim
from app.tasks.parents import parent_phase, parent_progress
from app.tasks.plan import Declared
from app.tasks.projection import load
from app.tasks.reports import NAME_LIMIT, TEXT_LIMIT, Reports, result_json, traceback_text

EVENTS_IN_A_TURN = 50  # of a batch; then other threads run


@dataclass(frozen=True, slots=True)
class Batch:
    """``events`` are validated, each with its ``type``; ``digest`` distinguishes a repeat from another batch of that
    number."""

    task_id: str
    attempt: int
    writer: str
    number: int
    worker: str
    digest: str
    events: Sequence[Mapping[str, Any]]


Answer = dict[str, Any]


def store_batch(tx: Transaction, batch: Batch, declared: Declared) -> Answer:
    """Stores the batch, renews the lease and returns the events' sequences; a repeat gets the same answer again.

    A first event with the status STARTED claims the attempt if it is queued; a last event with a terminal status ends
    it. Raises NotFound, Conflict when another attempt or the task's end came first, and Unprocessable for invalid
    events.
    """
    cur = tx.cur
    if batch.number == 1:
        register_writer(cur, batch.writer)
    try:
        fresh = claim_batch(cur, batch.writer, batch.number)
    except UnknownWriter:
        raise Conflict(f"Batch {batch.number} is neither this writer's next nor its last") from None
    if not fresh:
        return _stored_answer(cur, batch)
    stream = task_stream(batch.task_id)
    # Locked as a stream that may end, with its parents first: its progress changes them too.
    row = lock(cur, [stream], [stream]).get(stream)
    if row is None:
        raise NotFound("There is no such task")
    answer, claimed = Answer(task_id=batch.task_id), None
    starts = bool(batch.events) and batch.events[0].get("status") == STARTED
    if row.attempt != batch.attempt and not row.closed and starts:
        claimed = claim(
            tx,
            batch.task_id,
            batch.attempt,
            batch.worker,
            at=batch.events[0].get("timestamp"),
            declared=declared,
        )
        if claimed is not None:
            answer["claim"] = {"job_type": claimed.job_type, "params": claimed.params}
            answer["claim"] |= {"retry_count": claimed.retry_count, "approved": sorted(claimed.approved)}
    state = load(cur, [stream])[stream]
    task = state["task"]
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
    made = _BatchDrafts(cur, batch, state, claimed=claimed is not None)
    first = [event.sequence for event in tx.appended.events if event.stream == stream][:1]
    stored = tx.append(made.drafts)
    sequences = [event.sequence for event in stored.events if event.stream == stream]
    answer["sequences"] = [sequences[n - 1] if n else first[0] for n in made.ends]
    if not stored.closed and made.reports.claim.parent and int(made.reports.progress) > int(task["progress"]):
        tx.append(parent_progress(cur, batch.task_id, made.reports.progress))
    cur.execute(
        "UPDATE writers SET answer = %s WHERE id = %s",
        (Json({"digest": batch.digest, "answer": answer}), batch.writer),
    )
    return answer | {"cancel_requested": row.cancel_requested}


def _stored_answer(cur: Cursor, batch: Batch) -> Answer:
    """Returns the stored answer of a repeated batch, with the current ``cancel_requested``: a late repeat needs it."""
    cur.execute(
        "SELECT answer, (SELECT cancel_requested FROM streams WHERE name = %s) FROM writers WHERE id = %s",
        (task_stream(batch.task_id), batch.writer),
    )
    kept, cancel_requested = cur.fetchall()[0]
    if kept is None or kept["digest"] != batch.digest:
        raise Conflict(f"Batch {batch.number} was stored with other events")
    return Answer(kept["answer"]) | {"cancel_requested": bool(cancel_requested)}


class _BatchDrafts:
    """Makes the drafts of a batch. ``ends`` has for each of its events the number of drafts up to it."""

    def __init__(self, cur: Cursor, batch: Batch, state: State, claimed: bool) -> None:
        task = state["task"]
        given = batch.task_id, batch.attempt, task["job_type"], task["params"], task["retry_count"]
        known = frozenset(phase["phase_id"] for phase in state["phases"])
        running = Claim(
            *given,
            task["started_at"],
            parent=parent_phase(cur, batch.task_id),
            plan=task["plan"],
            phases=known,
        )
        self._cur = cur
        self.drafts: list[Draft] = []
        self.ends: list[int] = []
        self.reports = reports = Reports(running, self.drafts.append)
        reports.progress, reports.progress_known = task["progress"], task["progress_known"] is not False
        reports.estimate.restore(state["phases"], now())
        reports.running = dict.fromkeys(open_phases(state))
        self._at = task["current_phase"], task["current_phase_message"]
        for n, event in enumerate(with_pauses(batch.events, EVENTS_IN_A_TURN)):
            # The claim has appended a first event that holds nothing but the status.
            if n or not claimed or len(event.keys() - {"timestamp"}) > 2:
                self._add(n, event)
            self.ends.append(len(self.drafts))
        if sum(len(draft.tail) for draft in self.drafts) > BATCH_BYTES:
            raise Unprocessable("Too much at once", errors={"events": [f"At most {BATCH_BYTES:,} bytes."]})

    def _add(self, n: int, event: Mapping[str, Any]) -> None:
        fields = dict(event)
        type = fields.pop("type")
        if type == "log":
            line = fields["message"], fields["level"], fields["component"], fields["phase"]
            self.reports.log(*line, fields.get("timestamp"))
        elif type != "task_status":
            self._phase(n, type, fields)
        elif fields["status"] in TERMINAL:
            self._end(fields)
        else:
            self._status(fields)

    def _phase(self, n: int, type: str, fields: dict[str, Any]) -> None:
        try:
            fields["phase_id"] = self.reports.phase_name(fields["phase_id"])
        except ValueError as error:
            raise Unprocessable("Refused", errors={f"events.{n}.phase_id": [str(error)]}) from None
        if fields.get("message"):
            fields["message"] = shortened(fields["message"], TEXT_LIMIT)
        if fields.get("status") in RUNNING_PHASE:
            self._at = fields["phase_id"], fields.get("message")
        self.reports.emit(type, fields)

    def _status(self, fields: Mapping[str, Any]) -> None:
        phase, message = self._at
        phase = fields.get("current_phase", phase)
        message = fields.get("current_phase_message", message)
        if "progress" in fields:
            self.reports.raise_progress(fields["progress"])
            self.reports.progress_known = True
        self._at = phase and phase[:NAME_LIMIT], message
        self.reports.status(*self._at, fields.get("eta_seconds"), fields.get("timestamp"))

    def _end(self, fields: Mapping[str, Any]) -> None:
        claim, status = self.reports.claim, fields["status"]
        at = fields.get("timestamp") or max(database_now(self._cur), claim.started_at)
        run_ms = fields.get("execution_time_ms")
        if run_ms is None:
            run_ms = seconds_between(claim.started_at, at) * 1000
        error = None
        if status == FAILURE:
            given = fields.get("error") or {"type": "TaskFailed", "message": "The worker gave no reason"}
            trace = given.get("traceback")
            error = {"type": given["type"], "message": shortened(given["message"], TEXT_LIMIT)}
            error["traceback"] = trace and traceback_text(trace)
        elif status == REVOKED:
            error = cancelled_error()
        self.drafts += ending(
            self.reports.stream,
            status,
            job_type=claim.job_type,
            progress=self.reports.progress,
            phases=self.reports.running,
            result=result_json(fields.get("result")),
            error=error,
            retry_count=claim.retry_count,
            run_ms=run_ms,
            attempt=claim.attempt,
            at=at,
        )
