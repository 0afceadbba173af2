"""Cancels or retries many runs: what ``POST tasks/bulk`` starts."""

from __future__ import annotations

from collections import Counter
from typing import Any

import marshmallow as ma

from app.config import QUICK_QUEUE
from app.errors import TaskroomError
from app.jobs import BULK, NOTHING_DONE
from app.stream.store import DatabaseUnavailable
from app.tasks import bulk
from app.tasks.bulk import ACTIONS, ASKED, CANCEL, CANCELLED, OUTCOMES, REFUSED, RETRIED, Order, Target
from workers import current
from workers.jobs._bulk import MAY_RUN, BulkAction, Limits, Settled
from workers.progress import job, log, phase, summary, track
from workers.runtime import runtime
from workers.settings import settings

NAMED = 500  # tasks of which the result says what became of them; the log has all


class NotOrdered(TaskroomError):
    """Nobody ordered this run by ``POST tasks/bulk``, which checks and stores who asks for what."""


class BulkParams(ma.Schema):
    action = ma.fields.String(required=True, validate=ma.validate.OneOf(ACTIONS))
    number = ma.fields.Integer(metadata={"description": "How many runs are named"})
    filter = ma.fields.Dict(metadata={"description": "The filter that the runs match"})
    succeeded = ma.fields.Boolean(metadata={"description": "Whether a retry is also of those that succeeded"})


@job(
    BULK,
    params=BulkParams,
    title="Many runs at once",
    phases=("find", "act"),
    retry_lost=True,
    retry_for=(DatabaseUnavailable,),
    max_retries=5,
    queue=QUICK_QUEUE,
)
def bulk_action(**_: Any) -> dict[str, Any]:
    """Cancels or retries many runs, and says what became of each."""
    here, task_id = runtime(), current.get().claim.task_id
    with here.connect() as conn, conn.cursor() as cur:
        order = bulk.find(cur, task_id)
    if order is None:
        raise NotOrdered("POST tasks/bulk starts a bulk action; no other call does")
    targets, more = _targets(order)
    limits = Limits(settings().daily_budget, settings().steps_per_minute)
    acting, settled = BulkAction(here.transaction, order, limits), list[Target]()
    for target in track(targets, phase="act", message="{n} of {total}", total=len(targets)):
        found = acting.settle(target)
        _say(order, found)
        settled.append(found.target)
    counts = Counter(target.outcome for target in settled)
    may_run = sum(target.about == MAY_RUN for target in settled)
    summary(words_of(order.action, counts, may_run))
    settled.sort(key=lambda target: (target.outcome != REFUSED, target.position))
    return {
        "action": order.action,
        "runs": len(targets),
        **{outcome: counts[outcome] for outcome in OUTCOMES if counts[outcome]},
        "more": more,
        "tasks": [
            {"task_id": target.task_id, "outcome": target.outcome, "about": target.about}
            for target in settled[:NAMED]
        ],
    }


def _targets(order: Order) -> tuple[list[Target], bool]:
    """Returns the tasks of the order, and whether its filter had more."""
    here = runtime()
    with phase("find", message="Looking for the runs that match") as find:
        if order.listing is not None:
            for number in bulk.resolve(here.connect, order):
                find.advance(number - find.processed)
        with here.connect() as conn, conn.cursor() as cur:
            targets = list(bulk.targets(cur, order.task_id))
            resolved = bulk.find(cur, order.task_id)
    more = resolved is not None and resolved.more
    if more:
        log(f"More than {len(targets):,} runs match; the others stay as they are", level="WARNING")
    return targets, more


def words_of(action: str, counts: Counter[str | None], may_run: int = 0) -> str:
    """Says how many runs had which outcome: "302 started again, 698 refused". It begins with ``NOTHING_DONE`` when none
    was changed. ``may_run``: of those that were cancelled, the observed ones, whose workers may begin them before they
    hear of it."""
    asked = "asked to stop" if action == CANCEL else "asked of their reporters"
    words = {CANCELLED: "cancelled", RETRIED: "started again", ASKED: asked, REFUSED: "refused"}
    if may_run:
        words[CANCELLED] += f" ({may_run:,} may still run, if short)"
    said = [f"{counts[outcome]:,} {words[outcome]}" for outcome in words if counts[outcome]]
    if counts[REFUSED] == counts.total():
        return f"{NOTHING_DONE}, {said[0] if said else 'no run matched'}"
    return ", ".join(said)


def _say(order: Order, settled: Settled) -> None:
    """Writes the line of a task into the log."""
    target = settled.target
    name = f"{settled.title} ({target.task_id})" if settled.title else target.task_id
    if target.outcome == REFUSED:
        # No error, which nobody has to look at: the answer that a call for it alone would get.
        log(f"{name}: refused. {target.about}", level="WARNING")
        return
    asked = "asked to stop" if order.action == CANCEL else "its reporter is asked to start it again"
    words = {CANCELLED: "cancelled", ASKED: asked, RETRIED: f"started again as {target.about}"}
    also = f" {target.about}" if target.outcome == CANCELLED and target.about else ""
    log(f"{name}: {words[str(target.outcome)]}{also}")
