"""Acts on the tasks of a bulk action, one after the other, with the rights that its caller has at each of them."""

from __future__ import annotations

from typing import NamedTuple

from app.auth import bulk_trail, present, trail
from app.auth.owners import Owner
from app.auth.principal import Principal
from app.errors import Conflict, Problem, TooMany
from app.inbox.run_notice import run_notice
from app.jobs import BULK, ORCHESTRATE
from app.jobs.step_params import steps_in
from app.stream.event import Draft, task_stream, user_stream
from app.stream.transaction import Begin, Hint, Transaction
from app.tasks import bulk, retries
from app.tasks.bulk import ASKED, CANCEL, CANCELLED, REFUSED, RETRIED, Order, Target
from app.tasks.fold import TERMINAL, State
from app.tasks.observed import cancel as cancelling
from app.tasks.projection import load

# Of an observed task that waited: its message stays at the broker, and a worker that was away hears of the cancel only
# in the answer to its first report.
MAY_RUN = "but may still run if it is short, before its worker hears of it"


class Limits(NamedTuple):
    """``daily_bytes``: of an owner of tasks; ``steps``: of all tasks that one bulk action starts again."""

    daily_bytes: int
    steps: int


class Settled(NamedTuple):
    """``title`` is None where readers of the bulk action may not know it."""

    target: Target
    title: str | None


class BulkAction:
    """One attempt of a bulk action. Each task has a transaction of its own."""

    def __init__(self, begin: Begin, order: Order, limits: Limits) -> None:
        self._begin, self._order, self._limits = begin, order, limits
        self._by = order.user_id, order.key_id
        self._acted = set[str]()  # their steps are done with them
        self._steps = 0

    def settle(self, target: Target) -> Settled:
        """Acts on the task, unless an earlier attempt has, and stores what became of it."""
        if target.outcome is not None:
            if target.outcome != REFUSED:
                self._acted.add(target.task_id)
            return Settled(target, None)
        goes_on, title, bulk_id = False, None, self._order.task_id
        with self._begin() as tx:
            try:
                by, owner = present.changing(tx.cur, *self._by, target.task_id)
                stream = task_stream(target.task_id)
                task = load(tx.cur, [stream])[stream]["task"]
                title = task["title"] if self._is_known(owner) else None
                note = ""
                if self._order.action == CANCEL:
                    outcome, about, goes_on = self._cancel(tx, task, by)
                else:
                    outcome, about = self._retry(tx, task)
                    note = "its reporter was asked" if outcome == ASKED else f"run {about}"
                trail.record(
                    tx.cur, by, self._order.action, "task", target.task_id, note=note, bulk_id=bulk_id
                )
                number = bulk_trail.count(tx.cur, bulk_id, owner)
                if number and self._order.action == CANCEL:
                    tx.append([_notice(bulk_id, by, owner, number)])
            except Problem as refused:
                outcome, about = REFUSED, refused.detail
                bulk_trail.count(tx.cur, bulk_id, None)
            target = target._replace(outcome=outcome, about=about)
            bulk.settle(tx.cur, bulk_id, target)
        while goes_on:
            with self._begin() as tx:
                goes_on = cancelling.cancel_below(tx, target.task_id, by.email, bulk_id)
        if outcome != REFUSED:
            self._acted.add(target.task_id)
        return Settled(target, title)

    def _is_known(self, owner: Owner) -> bool:
        """Whether all who may read the bulk action may read the task: a global admin acts on tasks of any tenant."""
        return owner.user_id == self._order.user_id or (
            owner.tenant is not None and owner.tenant == self._order.tenant
        )

    def _cancel(self, tx: Transaction, task: State, by: Principal) -> tuple[str, str | None, bool]:
        if task["status"] in TERMINAL and task["parent_id"] in self._acted:
            return CANCELLED, "with the task that it is a step of", False
        goes_on = cancelling.cancel(tx, task["task_id"], by.email, self._order.task_id)
        stream = task_stream(task["task_id"])
        ended = load(tx.cur, [stream])[stream]["task"]["status"] in TERMINAL
        may_run = MAY_RUN if ended and task["observed"] else None
        return CANCELLED if ended else ASKED, may_run, goes_on

    def _retry(self, tx: Transaction, task: State) -> tuple[str, str]:
        if task["parent_id"] in self._acted:
            raise Conflict("The task that it is a step of is started again")
        retries.may_retry(task)
        retries.refuse_older(tx, task)
        if task["observed"]:
            return ASKED, retries.ask_reporter(tx, task["task_id"])[0]
        steps = steps_in(task["params"]) if task["job_type"] == ORCHESTRATE else 0
        if steps and self._steps + steps > self._limits.steps:
            raise TooMany(f"One bulk action starts {self._limits.steps:,} steps at most")
        made = retries.retry(tx, task, self._limits.daily_bytes)
        self._steps += steps
        if not made.waits:
            tx.hints.append(Hint(made.task_id, 1, made.job_type))
        return RETRIED, made.task_id


def _notice(bulk_id: str, by: Principal, owner: Owner, number: int) -> Draft:
    """Returns the notification of the owner of runs that somebody else cancels. It takes the place of the one that
    counted one run less, so it is right whenever the bulk action ends, also cancelled or lost."""
    return run_notice(
        user_stream(owner.user_id),
        f"{by.email} cancelled {number:,} of your runs",
        "The trail says which",
        "info",
        run_id=bulk_id,
        job_type=BULK,
        tenant=owner.tenant,
        to="/?status=REVOKED",
    )
