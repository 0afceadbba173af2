"""What only the main process of a worker learns: children that were killed, time limits, revoked and refused tasks."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

from celery import signals

from taskroom.celery import attempts, ends
from taskroom.celery.cancel import terminator
from taskroom.celery.lost import LostChildren
from taskroom.celery.receivers import connect
from taskroom.celery.reporter import Reporter
from taskroom.celery.tree import place_in, reported_id


class Parent:
    """Reports ends of tasks whose process cannot say them any more, or never had them. Such an end needs no name of the
    attempt: it is that of the attempt which runs."""

    def __init__(self, reporter: Reporter, lost: LostChildren) -> None:
        self._reporter, self._lost = reporter, lost

    def connect(self) -> None:
        connect(signals.task_received, self._received)
        connect(signals.task_failure, self._failure)
        connect(signals.task_retry, self._retry)
        connect(signals.task_revoked, self._revoked)
        connect(signals.task_unknown, self._unknown)
        connect(signals.task_rejected, self._rejected)

    def _received(self, sender: Any = None, request: Any = None, **_: Any) -> None:
        reporter = self._reporter
        if not reporter.wants(request.task):
            return
        reporter.memory.received(request)
        reporter.held.add(request)
        self._lost.watch(request, sender.pool)
        # The answer to a heartbeat comes sooner than that to a task which waits, or has nothing to report.
        ends_process = reporter.options.cancel == "terminate"
        terminate = terminator(reporter.app, request.id) if ends_process else None
        known = weakref.ref(request)

        def cancel(why: str) -> None:
            held = known()
            if why != "cancelled":
                return
            if terminate is not None:
                terminate()
            elif held is not None and held in reporter.held and held.time_start is None:
                reporter.remember_cancelled(held.id)

        reporter.client.on_cancel(reported_id(request.id), cancel)

    def _failure(
        self, sender: Any = None, task_id: str = "", exception: Any = None, einfo: Any = None, **_: Any
    ) -> None:
        if self._is_elsewhere(sender, task_id):
            status, fields = ends.failure(exception, einfo)
            self._reporter.say(task_id, sender, str(status), worker=self._worker(task_id), **fields)

    def _retry(
        self, sender: Any = None, request: Any = None, reason: Any = None, einfo: Any = None, **_: Any
    ) -> None:
        if self._is_elsewhere(sender, request.id):
            status, fields = ends.retry(reason, einfo, self._reporter.app.timezone)
            self._reporter.say(request.id, sender, str(status), **self._about(request), **fields)

    def _revoked(
        self,
        sender: Any = None,
        request: Any = None,
        terminated: bool = False,
        signum: Any = None,
        expired: bool = False,
        **_: Any,
    ) -> None:
        if not self._is_elsewhere(sender, request.id):
            return
        # The timer of a task with a countdown keeps its request, and a cancel that is said again would be remembered.
        for held in tuple(self._reporter.held):
            if held.id == request.id and held.time_start is None:
                self._reporter.held.discard(held)
        if self._reporter.forget_cancelled(request.id):
            return  # it has ended on the page
        why, more = "Revoked before it began", dict[str, Any]()
        if terminated:
            why = f"Terminated by a revoke: {_signal_name(signum)}"
        elif expired:
            why = f"Expired: it was to begin before {request.expires}"
            more["error"] = {"type": "Expired", "message": f"It was to begin before {request.expires}"}
        # Workers keep the ids of revoked tasks, and would refuse this one again.
        self._reporter.say(
            request.id, sender, "REVOKED", why, can_retry=False, **self._about(request), **more
        )

    def _unknown(self, sender: Any = None, name: Any = None, id: Any = None, **_: Any) -> None:
        if id and self._has(sender, str(name)):
            error = {"type": "NotRegistered", "message": f"No worker that got it has a task {name}"}
            self._reporter.say(id, str(name), "FAILURE", error=error)

    def _rejected(self, sender: Any = None, message: Any = None, exc: Any = None, **_: Any) -> None:
        """Of a message that is none of a task, or of one with arguments that cannot be read."""
        headers = getattr(message, "headers", None)
        about: Mapping[str, Any] = headers if isinstance(headers, Mapping) else {}
        celery_id, name = about.get("id"), about.get("task")
        if celery_id and name and self._has(sender, str(name)):
            error = (
                ends.error_of(exc)
                if exc is not None
                else {"type": "Rejected", "message": "It cannot be read"}
            )
            self._reporter.say(celery_id, str(name), "FAILURE", error=error)

    def _has(self, consumer: Any, name: str) -> bool:
        """Whether a task of which a worker knows only the name is to be reported: the worker's application says whose
        it is."""
        return consumer.app is self._reporter.app and self._reporter.options.wants(name)

    def _is_elsewhere(self, task: Any, celery_id: Any) -> bool:
        return self._reporter.wants(task) and attempts.of(celery_id) is None

    def _about(self, request: Any) -> dict[str, Any]:
        place = place_in(vars(request), reported_id(request.id), self._reporter.options)
        return {"place": place, "worker": self._worker(request.id)}

    def _worker(self, celery_id: Any) -> str | None:
        """The name that the child which runs the task has in its reports; None before one does, and when the message
        came again to this worker: then nobody knows of which child is spoken."""
        held = [request for request in tuple(self._reporter.held) if request.id == celery_id]
        if len(held) != 1 or not held[0].worker_pid:
            return None
        return f"{held[0].hostname or 'local'}/{held[0].worker_pid}"


def _signal_name(signum: Any) -> str:
    return str(getattr(signum, "name", None) or signum or "SIGTERM")
