"""Makes reports of the events of Celery's workers."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple, Protocol, TypeVar

from taskroom.limits import NAME_LIMIT, TEXT_LIMIT, TRACEBACK_LIMIT
from taskroom.texts import cut, cut_before

MOST_TASKS = 50_000  # that are remembered; the oldest are forgotten first
MOST_RUNNING = 500  # of a worker that are told
BEAT_SECONDS = 2.0  # of a worker that does not say how often it reports
ATTEMPT_LIMIT = 64
SECRETS = ("password", "token", "secret", "authorization", "apikey")
HIDDEN = "[redacted]"
ENDS = {
    "task-succeeded": "SUCCESS",
    "task-failed": "FAILURE",
    "task-retried": "RETRY",
    "task-revoked": "REVOKED",
    "task-rejected": "FAILURE",
}
Event = dict[str, Any]
Value = TypeVar("Value")


class EventTarget(Protocol):
    def task(self, task_id: str, attempt: str | None, **fields: Any) -> None: ...

    def event(self, task_id: str, attempt: str | None, event: Event) -> None: ...

    def worker(self, fields: Event) -> None: ...

    def on_cancel(self, task_id: str, callback: Callable[[str], object]) -> None: ...


class _Running(NamedTuple):
    """``attempt`` is None where the beginning was not seen."""

    attempt: str | None
    worker: str


class Observer:
    """Takes events in any order. A task is kept alive by its worker, which says every few seconds that it runs it.
    ``revoke`` is called with the id of a task that somebody has cancelled.

    Events may be lost, as while the broker is away. So workers are asked from time to time what they run:
    ``before_look``, then ``looked`` with their answer, from another thread.
    """

    def __init__(self, client: EventTarget, revoke: Callable[[str], object]) -> None:
        self._client, self._revoke = client, revoke
        self._lock = threading.Lock()
        self._known: OrderedDict[str, None] = OrderedDict()  # to the server; they have not ended
        self._running: OrderedDict[str, _Running] = OrderedDict()
        self._before_look: set[str] = set()  # what ran
        self._ended: OrderedDict[str, None] = OrderedDict()  # since then

    def take(self, event: Event) -> None:
        """Reports one event; one of another kind is passed over."""
        kind, task_id = str(event.get("type")), event.get("uuid")
        with self._lock:
            if kind in ("worker-online", "worker-heartbeat"):
                self._beat(event)
            elif kind == "worker-offline":
                self._gone(str(event.get("hostname")))
            elif not task_id:
                return
            elif kind in ("task-sent", "task-received"):
                self._waits(str(task_id), event)
            elif kind == "task-started":
                self._starts(str(task_id), event)
            elif kind in ENDS and not (kind == "task-rejected" and event.get("requeue")):
                self._ends(str(task_id), ENDS[kind], event)

    def before_look(self) -> None:
        """The workers are about to be asked what they run."""
        with self._lock:
            self._before_look = set(self._running)
            self._ended.clear()

    def looked(self, answer: Mapping[str, Iterable[Event]]) -> None:
        """``answer``: what each worker runs. A task whose beginning was not seen is kept alive from now on; one whose
        end was not seen is not any more, and the server says so when its lease is over."""
        with self._lock:
            for worker, requests in answer.items():
                found = {str(request.get("id")): request for request in requests}
                for task_id, request in found.items():
                    if task_id not in self._running and task_id not in self._ended:
                        self._waits(task_id, request)
                        _remember(self._running, task_id, _Running(None, worker))
                for task_id in self._before_look - found.keys() - self._ended.keys():
                    running = self._running.get(task_id)
                    if running is not None and running.worker == worker:
                        del self._running[task_id]

    def _waits(self, task_id: str, event: Event) -> None:
        if not event.get("name") or task_id in self._known:
            return
        _remember(self._known, task_id, None)
        self._client.on_cancel(task_id, lambda why: self._revoke(task_id) if why == "cancelled" else None)
        parent, root = event.get("parent_id"), event.get("root_id")
        self._client.task(
            task_id,
            None,
            job_type=str(event["name"]),
            params=_params(event),
            queue=event.get("queue"),
            parent_id=parent if parent != task_id else None,
            root_id=root if root != task_id else None,
            created_at=_stamp(event),
        )

    def _starts(self, task_id: str, event: Event) -> None:
        worker = str(event.get("hostname"))
        attempt = f"{event.get('timestamp')}-{worker}"[:ATTEMPT_LIMIT]
        _remember(self._running, task_id, _Running(attempt, worker))
        self._client.task(task_id, None, worker=worker)
        self._client.event(task_id, attempt, _status("STARTED", event))

    def _ends(self, task_id: str, status: str, event: Event) -> None:
        running = self._running.pop(task_id, None)
        self._known.pop(task_id, None)
        _remember(self._ended, task_id, None)
        fields: dict[str, Any] = {}
        if status == "SUCCESS":
            fields["result"] = _hidden(event.get("result"))
            if event.get("runtime") is not None:
                fields["execution_time_ms"] = event["runtime"] * 1_000
        elif status != "REVOKED":
            fields["error"] = _error(event)
        self._client.event(task_id, running and running.attempt, _status(status, event, **fields))

    def _beat(self, event: Event) -> None:
        worker = str(event.get("hostname"))
        running = [task_id for task_id, each in self._running.items() if each.worker == worker]
        self._client.worker(
            {
                "name": worker,
                "host": worker.partition("@")[2] or worker,
                "pid": event.get("pid"),
                "running": running[-MOST_RUNNING:],
                "versions": {"celery": str(event.get("sw_ver") or "?")},
                "beat_seconds": float(event.get("freq") or BEAT_SECONDS),
            }
        )

    def _gone(self, worker: str) -> None:
        """Nobody keeps the tasks of this worker alive any more."""
        for task_id in [task_id for task_id, each in self._running.items() if each.worker == worker]:
            del self._running[task_id]


def _remember(found: OrderedDict[str, Value], task_id: str, value: Value) -> None:
    found[task_id] = value
    while len(found) > MOST_TASKS:
        found.popitem(last=False)


def _status(status: str, event: Event, **fields: Any) -> Event:
    return {"type": "task_status", "status": status, "timestamp": _stamp(event), **fields}


def _stamp(event: Event) -> str | None:
    try:
        at = datetime.fromtimestamp(float(event["timestamp"]), timezone.utc)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _params(event: Event) -> dict[str, Any]:
    """The arguments as Celery shows them. A text in which a secret may be is not shown at all."""
    texts = {name: event.get(name) for name in ("args", "kwargs")}
    return {name: _hidden(text) for name, text in texts.items() if text and text not in ("()", "[]", "{}")}


def _hidden(text: Any) -> Any:
    folded = str(text).lower().replace("_", "").replace("-", "")
    if any(word in folded for word in SECRETS):
        return HIDDEN
    return cut(text, TEXT_LIMIT) if isinstance(text, str) else text


def _error(event: Event) -> dict[str, Any]:
    """Celery has the exception as it shows itself: ``ValueError('no such file')``."""
    shown = str(event.get("exception") or "Rejected()")
    kind, bracket, rest = shown.partition("(")
    message = rest[:-1].strip("'\",") if bracket and rest.endswith(")") else shown
    trace = event.get("traceback")
    return {
        "type": kind.rpartition(".")[2][:NAME_LIMIT] or "Error",
        "message": cut(message or kind, TEXT_LIMIT),
        "traceback": cut_before(str(trace), TRACEBACK_LIMIT) if trace else None,
    }
