"""The Celery task that runs jobs: it claims an attempt, calls the job, and reports how the attempt ended."""

from __future__ import annotations

import gc
import logging
import socket
import sys
import time
from dataclasses import replace
from typing import Any

from celery.signals import celeryd_after_setup, task_revoked, worker_process_init, worker_process_shutdown

from app.broker.client import RUN
from app.config import QUEUE
from app.db.clock import later
from app.errors import causes
from app.errors.survived import survived
from app.jobs import BULK
from app.observability import log_format
from app.stream.event import Draft, now
from app.tasks import lifecycle
from app.tasks.approvals import approval_wait
from app.tasks.endings import ending
from app.tasks.fair_claims import FairClaim, next_hint
from app.tasks.fold import RETRY, STARTED, SUCCESS, TERMINAL, WAITING
from app.tasks.lifecycle import Claim
from app.tasks.parents import delegation
from app.tasks.steps import step_retry, step_wait
from workers import children, contexts, lost, output, pools, runtime
from workers.announcement import cap
from workers.celery_app import celery
from workers.current import running
from workers.outcomes import failed, run_job
from workers.registry import declared, jobs, types_of
from workers.run import Run
from workers.settings import settings

logger = logging.getLogger("taskroom.execute")

CLAIM_SECONDS = 60.0
MOST_RUNNING = 1_000_000  # as RUNNING_PER_USER may be
SWITCH_SECONDS = 0.0005


@celery.task(name=RUN, bind=True, Request="workers.lost:RunRequest")
def run_task(self: Any, task_id: str, number: int) -> None:
    """Runs the fairest waiting task, which may be another than the message names. A message that is late or
    doubled, or whose user has as many running as may, claims nothing."""
    worker = pools.worker_name(self.request.hostname or socket.gethostname())
    queue = (self.request.delivery_info or {}).get("routing_key") or QUEUE
    claim = _claim(task_id, number, worker, queue)
    if claim is None:
        logger.info("task %s: nothing to claim as %d", task_id, number)
        return
    with log_format.task(task_id=claim.task_id, job_type=claim.job_type, attempt=claim.attempt):
        try:
            _run(claim)
        except BaseException as error:  # the attempt may not have its end: nobody else knows about it
            lost.end(worker, lost.error_of(error))
            raise
        _send_next(claim, queue)


def _claim(task_id: str, number: int, worker: str, queue: str) -> Claim | None:
    """Claims a task. Waits for Postgres up to CLAIM_SECONDS; a round sends another message when Postgres is back."""
    here, limit = runtime.runtime(), time.monotonic() + CLAIM_SECONDS
    types = types_of(queue)
    # Who runs as many tasks as may must be able to cancel them: a bulk action takes a slot that is left for others.
    most = cap() if types != [BULK] else replace(cap(), most=MOST_RUNNING)
    fair_claim = FairClaim(most, queue, types, (task_id, number), worker, declared)
    while True:
        try:
            return fair_claim.claim_fairest(here.transaction)
        except Exception as error:
            if not causes.of(error).is_temporary or time.monotonic() > limit:
                survived(logger, error, "task %s: not claimed, a round sends another message", task_id)
                return None
            time.sleep(0.5)


def _run(claim: Claim) -> None:
    here = runtime.runtime()
    job = jobs().get(claim.job_type)
    run = Run(claim, here.writer)
    run.source_lines = settings().source_lines
    started = time.monotonic()
    with here.leases.renewed(run):
        here.writer.open()  # its thread renews the lease, also before the first report
        try:
            with running(run):
                outcome = run_job(job, run)
            if run.superseded:
                logger.warning("task %s: attempt %d lost its lease meanwhile", claim.task_id, claim.attempt)
            else:
                seconds = time.monotonic() - started
                _end(run, outcome, seconds * 1000)
                status = outcome.get("status", STARTED if "steps" in outcome else WAITING)
                here.metrics.attempt_ended(status, seconds)
        finally:
            here.writer.flush()  # finished means durable
    here.dispatcher.send_hints(here.leases.take_hints())
    goes_on = outcome.get("status") not in TERMINAL and not run.superseded
    if goes_on and run.cancelled:
        _cancel_late(claim.task_id)
    elif goes_on and outcome.get("status") == RETRY:
        here.dispatcher.send_hint(claim.task_id, claim.attempt + 1, claim.job_type, outcome["retry_in"])


def _send_next(claim: Claim, queue: str) -> None:
    """Sends a message for the user's next task, if one claimed nothing because the user had as many running as may."""
    here = runtime.runtime()
    try:
        with here.connect() as conn, conn.cursor() as cur:
            hint = next_hint(cur, claim.task_id, types_of(queue))
    except Exception as error:
        survived(logger, error, "task %s: the next task of its user waits for a round", claim.task_id)
        return
    if hint:
        here.dispatcher.send_hint(*hint)


def _cancel_late(task_id: str) -> None:
    """Ends a task that was cancelled before its attempt left it waiting."""
    try:
        with runtime.runtime().transaction() as tx:
            lifecycle.end_if_cancelled(tx, task_id)
    except Exception as error:  # it keeps its lease, or can be cancelled once more
        survived(logger, error, "task %s: not cancelled", task_id)


def _end(run: Run, outcome: dict[str, Any], run_ms: float) -> None:
    """Reports the end of the attempt through the writer, so that it comes after everything else."""
    claim = run.claim
    if asks := outcome.get("asks"):
        for item in approval_wait(run.stream, asks, run.percent, claim.attempt, run.finish(success=False)):
            run.put(item)
        if claim.parent:
            run.put(step_wait(*claim.parent, asks.title))
        return
    if steps := outcome.get("steps"):
        run.finish(success=True)
        run.put(delegation(run.stream, claim.attempt, steps))
        return
    phases = run.finish(outcome["status"] == SUCCESS)
    for item in _ending(
        run,
        job_type=claim.job_type,
        progress=run.percent,
        phases=phases,
        retry_count=claim.retry_count + (outcome["status"] == RETRY),
        run_ms=run_ms,
        attempt=claim.attempt,
        logged_at=now(),
        at=claim.claimed_at and later(claim.claimed_at, time.monotonic() - claim.began),
        **outcome,
    ):
        run.put(item)
    if claim.parent and outcome["status"] == RETRY:
        run.put(step_retry(*claim.parent, outcome.get("error")))


def _ending(run: Run, **fields: Any) -> list[Draft]:
    """The last events of the attempt. It fails when its result cannot be encoded."""
    try:
        return ending(run.stream, **fields)
    except Exception as error:
        logger.exception("task %s: its end could not be encoded", run.claim.task_id)
        return ending(run.stream, **(fields | {"result": None, "retry_in": None} | failed(error, run)))


@worker_process_init.connect
def _prepare(**_: Any) -> None:
    contexts.install()
    output.install()
    children.allow()
    gc.collect()
    gc.freeze()  # every full collection under a flood of events would walk all modules again
    # The writer gets the interpreter back after each answer of Postgres. From a task that computes it would
    # wait 5 ms each time, which makes 35 ms from log() to a viewer.
    sys.setswitchinterval(SWITCH_SECONDS)


@celeryd_after_setup.connect
def _prepare_shared(**_: Any) -> None:
    """Prepares the main process where tasks run in its threads or greenlets."""
    if pools.shared():
        _prepare()


@worker_process_shutdown.connect
def _flush(**_: Any) -> None:
    children.terminate()
    runtime.close(runtime.CLOSE_SECONDS)


@task_revoked.connect
def _revoked(request: Any = None, **_: Any) -> None:
    """Cancels the task of a message that an operator has revoked (``celery control revoke``)."""
    if request is None or request.task_name != RUN:
        return
    try:
        with runtime.runtime().transaction() as tx:
            lifecycle.cancel(tx, request.args[0], "celery revoke")
    except Exception as error:
        survived(logger, error, "task %s: revoked in Celery, but not cancelled", request.args[:1])
