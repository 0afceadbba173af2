"""Tasks that this process runs: each delivery is an attempt, from the signal before it to the one after it."""

from __future__ import annotations

import os
import sys
from typing import Any

from celery import signals

from taskroom import capture, context, threads
from taskroom.celery import attempts, ends
from taskroom.celery.attempts import Attempt, AttemptSink
from taskroom.celery.cancel import terminator
from taskroom.celery.pools import Pools
from taskroom.celery.receivers import connect
from taskroom.celery.reporter import Reporter
from taskroom.celery.tree import reported_id
from taskroom.sink import Nowhere

# Their lines are about the worker; "celery.redirected" has what the task prints, in pieces.
OWN_LOGGERS = ("celery.redirected", "celery.app.trace", "celery.worker", "celery.pool", "celery.concurrency")
# A task of which nobody hears for so long is lost. It outlives a minute without a network and the pause before the next
# try: it goes on meanwhile, and what it says must not come too late.
LEASE_SECONDS = 120
TASK_LOGGER = "celery.task"  # the parent of all of get_task_logger; it hands nothing on to the root logger


class Running:
    """Makes an attempt the current run of the thread or greenlet in which Celery calls the task."""

    def __init__(self, reporter: Reporter, pools: Pools) -> None:
        self._reporter, self._pools = reporter, pools
        self._client, self._options = reporter.client, reporter.options

    def connect(self) -> None:
        connect(signals.task_prerun, self._prerun)
        connect(signals.task_retry, self._retry)
        connect(signals.task_failure, self._failure)
        connect(signals.task_postrun, self._postrun)

    def _prerun(
        self, task_id: str = "", task: Any = None, args: Any = (), kwargs: Any = None, **_: Any
    ) -> None:
        if not self._reporter.wants(task):
            return
        _install()
        request = task.request
        about = vars(request)
        outer = attempts.of(task_id)
        if outer is not None:  # an eager task tries again within itself
            outer.report_end(("RETRY", {"retry_in": 0}))
        delivery = request.delivery_info or {}
        queue = None if request.is_eager else delivery.get("routing_key")
        fields = self._reporter.fields(about, task.name, task, args, kwargs, queue)
        fields["worker"] = f"{request.hostname or 'local'}/{os.getpid()}"
        fields["lease_seconds"] = LEASE_SECONDS
        if request.is_eager and self._options.tree and (caller := _caller(task_id)):
            fields.setdefault("parent_id", caller)
        if about.get("chain") or about.get("chord"):
            fields |= self._reporter.ahead(about)
        name = attempts.name_of(request.retries or 0, request.hostname)
        attempt = Attempt(task, task_id, reported_id(task_id), name, self._client, self._pools.is_child)
        attempt.source_lines, attempt.secrets = self._options.source_lines, self._options.redact
        ends_process = self._options.cancel == "terminate" and not request.is_eager
        on_cancel = terminator(self._reporter.app, task_id) if ends_process else None
        attempt.start(fields, on_cancel)
        if self._reporter.forget_cancelled(task_id) and isinstance(attempt.sink, AttemptSink):
            attempt.sink.ask_to_stop("cancelled")
        if self._options.stdout:
            attempt.print_lines()

    def _retry(
        self, sender: Any = None, request: Any = None, reason: Any = None, einfo: Any = None, **_: Any
    ) -> None:
        attempt = attempts.of(request.id)
        if attempt is not None:
            attempt.outcome = ends.retry(reason, einfo, self._reporter.app.timezone, attempt)

    def _failure(self, task_id: str = "", exception: Any = None, einfo: Any = None, **_: Any) -> None:
        attempt = attempts.of(task_id)
        if attempt is not None:
            attempt.outcome = ends.failure(exception, einfo, attempt)

    def _postrun(self, task_id: str = "", state: Any = None, retval: Any = None, **_: Any) -> None:
        attempt = attempts.of(task_id)
        if attempt is None:
            return
        try:
            end = ends.after(attempt, state, retval, self._reporter.redaction)
        finally:
            attempt.leave()
        if not attempt.is_open:  # it has sent itself again, unless that has failed
            if end[0] == "FAILURE":
                self._reporter.say(task_id, attempt.task, "FAILURE", **end[1])
            return
        if attempt.cancelled and self._options.cancel == "terminate":
            self._client.task(
                attempt.id, attempt.name, can_retry=False
            )  # workers refuse a revoked id from now on
        attempt.report_end(end)
        self._client.keep()


def _caller(celery_id: str) -> str | None:
    """The run whose code calls an eager task; earlier tries of the task itself are passed over."""
    run = context.find()
    while isinstance(run, Attempt) and run.celery_id == celery_id:
        run = run.outer
    return None if run is None or isinstance(run.sink, Nowhere) else run.id


def _install() -> None:
    """Lets threads and greenlets inherit attempts, and makes lines of what they log."""
    capture.install(own=OWN_LOGGERS, roots=(TASK_LOGGER,))
    threads.install()
    if "gevent" in sys.modules:
        from taskroom import greenlets

        greenlets.install()
