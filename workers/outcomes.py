"""How an attempt ended: what the job's code returned or raised, as arguments of ``ending``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from billiard.common import terminate_handler_fired  # type: ignore[import-untyped]
from greenlet import GreenletExit

from app.tasks.endings import WORKER_LOST, cancelled_error
from app.tasks.fold import FAILURE, RETRY, REVOKED, SUCCESS
from app.tasks.reports import result_json
from taskroom.failures import error_of
from taskroom.output import finished
from taskroom.source import add_library
from workers import capture, children, outputs
from workers.errors import ApprovalNeeded, AttemptSuperseded, Delegated, TaskCancelled
from workers.progress import RetryTask
from workers.registry import Job, may_retry_lost, unknown
from workers.run import Run
from workers.schemas import InvalidParams, loaded

_HERE = Path(__file__).resolve().parent
add_library(str(_HERE), own=str(_HERE / "jobs"))
add_library(str(_HERE.parent / "app"))

Outcome = dict[str, Any]
"""The ``status`` and the fields that belong to it; or ``asks``: the approval that the task waits for; or ``steps``: how
many steps the task waits for."""


def run_job(job: Job | None, run: Run) -> Outcome:
    """Runs the job's code. It raises nothing, whatever that code raises: an attempt without an end would be taken for
    that of a lost worker, and nobody would see why."""
    if job is None:
        return failed(LookupError(unknown(run.claim.job_type)), run)
    error: BaseException | None = None
    result = None
    capture.install()
    try:
        with finished(run):
            result = _stored(job.function(**loaded(job.params, run.claim.params)))
            outputs.warn_of_missing(run, job.outputs)
    except BaseException as caught:
        error = caught
    if run.forked:
        children.exit_forked(run, error)
    # A cancel that came while the last item ran is too late: the work is done.
    if error is not None:
        return outcome_of(job, run, error)
    return {"status": SUCCESS, "result": result} | ({"summary": run.summary} if run.summary else {})


def _stored(result: Any) -> Any:
    """The result as JSON stores it. Raises TypeError for what it cannot hold."""
    try:
        return result_json(result)
    except TypeError as error:
        raise TypeError(f"The result cannot be stored: {error}") from None


def outcome_of(job: Job, run: Run, error: BaseException) -> Outcome:
    """What an exception that came out of the job's code means for its attempt."""
    if isinstance(error, AttemptSuperseded):
        return {"status": FAILURE}
    if isinstance(error, TaskCancelled):
        return {"status": REVOKED, "error": cancelled_error() | {"phase": run.phase_of(error)}}
    if isinstance(error, ApprovalNeeded):
        return {"status": REVOKED, "error": cancelled_error()} if run.cancelled else {"asks": error.approval}
    if isinstance(error, Delegated):
        return {"status": REVOKED, "error": cancelled_error()} if run.cancelled else {"steps": error.steps}
    if isinstance(error, RetryTask):
        return _retry_or_fail(job, run, error, error.countdown)
    if isinstance(error, job.retry_for) and not isinstance(error, InvalidParams):
        return _retry_or_fail(job, run, error, None)
    if isinstance(error, GreenletExit) or (isinstance(error, SystemExit) and terminate_handler_fired()):
        return _terminated(run)
    # Also what is no Exception: SystemExit, KeyboardInterrupt, asyncio's CancelledError, a Timeout of gevent.
    return failed(error, run)


def _terminated(run: Run) -> Outcome:
    """The outcome when the worker, at its shutdown or by ``revoke --terminate``, does not wait for the job's code: that
    of a lost worker, but at once."""
    if run.cancelled:
        return {"status": REVOKED, "error": cancelled_error()}
    error = WORKER_LOST | {"message": "The worker was shut down before the task was done"}
    if may_retry_lost(run.claim.job_type, run.claim.retry_count):
        return {"status": RETRY, "error": error, "retry_in": 0.0}
    return {"status": FAILURE, "error": error}


def _retry_or_fail(job: Job, run: Run, error: BaseException, countdown: float | None) -> Outcome:
    if run.cancelled:  # the job's code turned the cancel into another exception: no reason to run it again
        return {"status": REVOKED, "error": cancelled_error()}
    if run.claim.retry_count >= job.max_retries:
        return failed(error, run)
    wait = countdown if countdown is not None else job.retry_delay * 2**run.claim.retry_count
    return failed(error, run) | {"status": RETRY, "retry_in": wait}


def failed(error: BaseException, run: Run | None = None) -> Outcome:
    """The outcome FAILURE, with the exception's class, text and traceback, its phase and its place in the source."""
    found = error_of(error, run)
    # The class RetryTask would say nothing about a reason that the job's code gives itself.
    return {
        "status": FAILURE,
        "error": found | {"type": "TaskFailed"} if isinstance(error, RetryTask) else found,
    }
