"""How an attempt has ended, of what Celery's signals say."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Mapping
from typing import Any

from celery import states
from celery.exceptions import WorkerShutdown, WorkerTerminate
from celery.utils.time import maybe_make_aware

from taskroom import failures
from taskroom.celery.attempts import NO_END, Attempt, End
from taskroom.celery.redaction import Redaction
from taskroom.limits import NAME_LIMIT, TEXT_LIMIT, TRACEBACK_LIMIT
from taskroom.texts import cut, cut_before
from taskroom.values import text

REPLACED = "Replaced by new task"  # Celery's text of the Ignore that Task.replace raises


def failure(error: Any, einfo: Any = None, attempt: Attempt | None = None) -> End:
    """An attempt that failed. ``einfo`` is Celery's, with the traceback as a text; ``attempt`` is the one that failed,
    where this process has it."""
    return "FAILURE", {"error": error_of(error, einfo, attempt)}


def retry(why: Any, einfo: Any, timezone: Any, attempt: Attempt | None = None) -> End:
    """An attempt that is followed by another one. ``why`` is the exception that Task.retry raises, or None."""
    fields: dict[str, Any] = {"retry_in": _seconds(getattr(why, "when", None), timezone)}
    cause = getattr(why, "exc", None)
    if cause is not None:
        fields["error"] = error_of(cause, einfo, attempt)
    elif why is not None and getattr(why, "message", None):
        fields["error"] = {"type": "Retry", "message": cut(text(why.message), TEXT_LIMIT)}
    return "RETRY", fields


def again(cause: BaseException | None, seconds: float, attempt: Attempt) -> End:
    """An attempt that is followed by another one in so many seconds."""
    fields: dict[str, Any] = {"retry_in": round(seconds, 1)}
    if cause is not None:
        fields["error"] = error_of(cause, attempt=attempt)
    return "RETRY", fields


def after(attempt: Attempt, state: str | None, value: Any, redaction: Redaction) -> End:
    """The end of an attempt whose function was left, by Celery's state and the value that it returned or raised."""
    if attempt.outcome is not None:
        return attempt.outcome
    if state == states.SUCCESS:
        return "SUCCESS", {"result": redaction.of(value)}
    if state == states.FAILURE:
        return failure(value, attempt=attempt)
    if state == states.RETRY:
        return retry(value, None, attempt.task.app.timezone, attempt)
    if state == states.REJECTED:
        if getattr(value, "requeue", False):
            attempt.line("The task has rejected its message, which is delivered again", "INFO")
            return "RETRY", {"retry_in": 0}
        return "FAILURE", {
            "error": {**error_of(value, attempt=attempt), "message": cut(text(value.reason), TEXT_LIMIT)}
        }
    if state == states.IGNORED:
        return _ignored(attempt, value, redaction)
    return _left(attempt, sys.exc_info()[1])


def error_of(error: Any, einfo: Any = None, attempt: Attempt | None = None) -> dict[str, Any]:
    """The error that an attempt ends with."""
    if isinstance(error, BaseException):
        found = failures.error_of(error, attempt)
    else:
        found = {"type": type(error).__name__, "message": cut(text(error), TEXT_LIMIT), "traceback": ""}
    told = getattr(einfo, "traceback", None)
    if isinstance(told, str):
        found["traceback"] = cut_before(told, TRACEBACK_LIMIT)
    # Exceptions that no message can carry are replaced by one that knows the name.
    kind = getattr(error, "exc_cls_name", None)
    return found if kind is None else {**found, "type": text(kind)[:NAME_LIMIT]}


def _ignored(attempt: Attempt, value: Any, redaction: Redaction) -> End:
    """Of a task that has raised Ignore: what it said of its state before counts."""
    if attempt.cancelled:
        return "REVOKED", {}
    if attempt.sink.stop == "superseded":
        return NO_END
    if text(value) == REPLACED:
        attempt.line("The task has replaced itself by another one, which has its id", "INFO")
        return "RETRY", {"retry_in": 0}
    state, meta = attempt.last_state
    if state is not None and state == states.FAILURE:
        told = meta.get("exc_message", meta) if isinstance(meta, Mapping) else meta
        kind = text(meta.get("exc_type") or state) if isinstance(meta, Mapping) else state
        message = told if isinstance(told, str) else text(redaction.of(told))
        return "FAILURE", {"error": {"type": kind[:NAME_LIMIT], "message": cut(message, TEXT_LIMIT)}}
    if state == states.REVOKED:
        return "REVOKED", {}
    attempt.line(f"The task raised Ignore, in the state {state or 'that Celery has of it'}", "INFO")
    return "SUCCESS", {"result": redaction.of(meta)}


def _left(attempt: Attempt, error: BaseException | None) -> End:
    """Of an attempt that an exception has left which is none of Celery's, such as SystemExit."""
    if type(error).__name__ == "GreenletExit":  # of gevent, by control.revoke(terminate=True)
        return "REVOKED", {}
    task = attempt.task
    if attempt.parent_ends:
        if _is_of_signal(error):
            return NO_END  # the main process has sent it, and says how the task ends
        again = task.acks_late and task.reject_on_worker_lost
    else:
        again = task.acks_late and isinstance(error, (WorkerShutdown, WorkerTerminate))
    if again:
        attempt.line("The worker has ended, and the message is delivered again", "WARNING")
        return "RETRY", {"retry_in": 0}
    return failure(error or RuntimeError("the task was left without an end"), attempt=attempt)


def _is_of_signal(error: BaseException | None) -> bool:
    """Whether the pool's handler of signals has raised this, wherever the task was."""
    trace = error.__traceback__ if error is not None else None
    while trace is not None and trace.tb_frame.f_globals.get("__name__") != "billiard.common":
        trace = trace.tb_next
    return trace is not None


def _seconds(when: Any, timezone: Any) -> float:
    """The seconds until a time, or a number of seconds as it is; 0 when there is none."""
    try:
        if isinstance(when, datetime.datetime):
            aware: datetime.datetime = maybe_make_aware(when, timezone)
            return max(0.0, (aware - datetime.datetime.now(datetime.timezone.utc)).total_seconds())
        return max(0.0, float(when or 0))
    except (TypeError, ValueError, OverflowError):
        return 0.0
