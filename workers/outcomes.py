"""How an attempt ended: what the job's code returned or raised, as arguments of ``ending``."""

from __future__ import annotations

from typing import Any

from billiard.common import terminate_handler_fired  # type: ignore[import-untyped]

from app.tasks.endings import WORKER_LOST, cancelled_error
from app.tasks.fold import FAILURE, RETRY, REVOKED, SUCCESS
from app.tasks.reports import result_json, traceback_text
from workers import children
from workers.capture import captured
from workers.output import finished
from workers.progress import RetryTask
from workers.registry import Job, may_retry_lost, unknown
from workers.run import ApprovalNeeded, AttemptSuperseded, Delegated, Run, TaskCancelled
from workers.schemas import InvalidParams, loaded
from workers.texts import formatted, reason

MESSAGE_LIMIT = 2_000

Outcome = dict[str, Any]
"""The ``status`` and what belongs to it, or the approval that the attempt ``asks`` for, or how many ``steps`` go on
for it."""


def call(job: Job | None, run: Run) -> Outcome:
    """Runs the job's code. Nothing that it raises leaves this function: an attempt without an end would be taken
    for a lost worker, and nobody would see why."""
    if job is None:
        return failed(LookupError(unknown(run.claim.job_type)))
    error: BaseException | None = None
    result = None
    try:
        with captured(run), finished(run):
            result = result_json(job.function(**loaded(job.params, run.claim.params)))
    except BaseException as caught:
        error = caught
    if run.forked:
        children.leave(run, error)
    # A cancel that came while the last item ran is too late: the work is done.
    return {"status": SUCCESS, "result": result} if error is None else raised(job, run, error)


def raised(job: Job, run: Run, error: BaseException) -> Outcome:
    """What an exception out of the job's code means for its attempt."""
    if isinstance(error, AttemptSuperseded):
        return {"status": FAILURE}
    if isinstance(error, TaskCancelled):
        return {"status": REVOKED, "error": cancelled_error()}
    if isinstance(error, ApprovalNeeded):
        return {"status": REVOKED, "error": cancelled_error()} if run.cancelled else {"asks": error.approval}
    if isinstance(error, Delegated):
        return {"status": REVOKED, "error": cancelled_error()} if run.cancelled else {"steps": error.steps}
    if isinstance(error, RetryTask):
        return _retry_or_fail(job, run, error, error.countdown)
    if isinstance(error, job.retry_for) and not isinstance(error, InvalidParams):
        return _retry_or_fail(job, run, error, None)
    if isinstance(error, SystemExit) and terminate_handler_fired():
        return _cut_short(run)
    # Also what is no Exception: SystemExit, KeyboardInterrupt, asyncio's CancelledError, a Timeout of gevent.
    return failed(error)


def _cut_short(run: Run) -> Outcome:
    """The worker ends and would not wait any longer: as if it had been lost, but at once."""
    if run.cancelled:
        return {"status": REVOKED, "error": cancelled_error()}
    error = WORKER_LOST | {"message": "The worker was shut down before the task was done"}
    if may_retry_lost(run.claim.job_type, run.claim.retry_count):
        return {"status": RETRY, "error": error, "retry_in": 0.0}
    return {"status": FAILURE, "error": error}


def _retry_or_fail(job: Job, run: Run, error: BaseException, countdown: float | None) -> Outcome:
    if run.cancelled:  # however the cancel came out of the task's code, it is no reason to run it again
        return {"status": REVOKED, "error": cancelled_error()}
    if run.claim.retry_count >= job.max_retries:
        return failed(error)
    wait = countdown if countdown is not None else job.retry_delay * 2**run.claim.retry_count
    return failed(error) | {"status": RETRY, "retry_in": wait}


def failed(error: BaseException) -> Outcome:
    # A reason that task code gives itself needs no class before it.
    kind = "TaskFailed" if isinstance(error, RetryTask) else type(error).__name__
    message = reason(error)[:MESSAGE_LIMIT]
    return {
        "status": FAILURE,
        "error": {"type": kind, "message": message, "traceback": traceback_text(formatted(error))},
    }
