"""Children of a pool that are lost before they have sent how their tasks ended.

A child sends what it has to say a quarter of a second later, so one that is killed takes the ends of its last tasks
with it. The main process of the worker knows them, and says them in its place.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from celery.exceptions import TaskPredicate

from taskroom.celery import ends, heartbeat
from taskroom.celery.reporter import Reporter
from taskroom.celery.tree import place_in, reported_id

logger = logging.getLogger("taskroom")

LOOK_SECONDS = 1.0
KEPT_SECONDS = 10.0  # a child that lives so long after an end has sent it, or written it to the spool
MOST_KEPT = 2_000
SETTLE_SECONDS = 2.0  # what the child had sent when it was lost may still be on its way
# How long files in the spool are waited for: one may be for a server that nobody here reports to.
PATIENCE_SECONDS = 60.0
# Exit statuses of a child that has sent what it had. The second one is billiard's EX_RECYCLE.
LEFT_ITSELF = (0, 0x9B)
LINE = "The child of the pool that ran the task was lost: the last lines may be missing, and a result"


class _Ended(NamedTuple):
    """``child`` is billiard's process, or None for one that it has forgotten. ``error`` is None for a success, else
    Celery's ExceptionInfo."""

    at: float
    child: Any
    celery_id: str
    task: Any
    headers: Mapping[str, Any]
    worker: str
    error: Any


class LostChildren:
    """Keeps the ends of tasks until their children have surely said them. For a lost child they are said here: the
    server refuses the end of a task that has ended, so it does not matter whether the child has said some of them.

    They must not come before what the child has written to the spool: an attempt that begins after the task's end is a
    new task. The child says nothing more, so it is enough to wait for what is on its way, and until what lies in the
    spool is sent.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._children: dict[int, Any] = {}
        self._new: deque[_Ended] = deque(maxlen=MOST_KEPT)  # by the thread that hears of ends
        self._looking = threading.Lock()
        self._kept: list[_Ended] = []
        self._lost: dict[str, tuple[float, _Ended]] = {}  # by the task's id: its last end counts

    def watch(self, request: Any, pool: Any) -> None:
        """Keeps how the task of a request ends, where a child of the pool will run it. A retry is no end, and what
        Ignore means only the child knows."""
        if heartbeat.pool_name(pool) != "prefork":
            return
        known, original = weakref.ref(request), request.on_success.__func__

        def on_success(outcome: Any, **more: Any) -> Any:
            held = known()  # its other callbacks keep it as long as this one may be called
            try:
                failed, value = outcome[:2]
                if not (failed and _is_no_end(value)):
                    self._keep(held, pool, value if failed else None)
            except Exception:  # nothing in here may keep Celery from what it does now
                logger.exception("how a task ended is not known here")
            return original(held, outcome, **more)

        request.on_success = on_success

    def look(self, last: bool = False) -> None:
        """Says the ends that lost children may not have said. ``last``: at the end of the worker, whatever may come
        after them."""
        with self._looking:
            self._look(last)

    def _look(self, last: bool) -> None:
        now = time.monotonic()
        while self._new:
            self._kept.append(self._new.popleft())
        kept: list[_Ended] = []
        for one in self._kept[-MOST_KEPT:]:
            status = one.child._popen.returncode if one.child is not None else -1
            if status is None and now - one.at < KEPT_SECONDS:
                kept.append(one)
            elif status is not None and status not in LEFT_ITSELF:
                self._lost[one.celery_id] = now, one
        self._kept = kept
        if self._lost:
            self._say_lost(now, last)

    def _keep(self, request: Any, pool: Any, error: Any) -> None:
        pid = request.worker_pid
        child = self._children.get(pid)
        if child is None or child._popen.returncode is not None:
            self._children = {each.pid: each for each in pool._pool._pool}
            child = self._children.get(pid)
        worker = f"{request.hostname or 'local'}/{pid}"
        of = request.id, request.task, request.request_dict, worker
        self._new.append(_Ended(time.monotonic(), child, *of, error))

    def _say_lost(self, now: float, last: bool) -> None:
        reporter = self._reporter
        patience = PATIENCE_SECONDS if reporter.client.may_follow() else SETTLE_SECONDS
        running = set(heartbeat.running_ids())  # an attempt that runs again says itself how it ends
        for celery_id, (since, one) in list(self._lost.items()):
            if not last and now - since < patience:
                continue
            del self._lost[celery_id]
            task_id = reported_id(celery_id)
            if task_id not in running:
                status, fields = _end_of(one)
                place = place_in(one.headers, task_id, reporter.options)
                reporter.say(celery_id, one.task, status, LINE, worker=one.worker, place=place, **fields)


def _end_of(one: _Ended) -> tuple[str, Mapping[str, Any]]:
    if one.error is None:
        return "SUCCESS", {}
    status, fields = ends.failure(_exception(one.error), one.error)
    return str(status), fields


def _is_no_end(einfo: Any) -> bool:
    error = _exception(einfo)
    return isinstance(error, TaskPredicate) or not isinstance(error, Exception)


def _exception(einfo: Any) -> Any:
    """The exception of an ExceptionInfo, which billiard may have wrapped."""
    error = einfo.exception
    return getattr(error, "exc", error) if type(error).__name__ == "ExceptionWithTraceback" else error
