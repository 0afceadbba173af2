"""What all parts share that report the tasks of one application."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

from celery.worker import state

from taskroom.celery.ahead import ahead
from taskroom.celery.memory import Memory, can_repeat
from taskroom.celery.options import Options
from taskroom.celery.redaction import Arguments, Redaction
from taskroom.celery.tree import place_in, reported_id
from taskroom.limits import TITLE_LIMIT
from taskroom.server import Client
from taskroom.texts import cut
from taskroom.values import text

TYPE_LIMIT = 155  # characters of a task's name


class Reporter:
    """Reports tasks of ``app`` to ``client``, as ``options`` say. ``memory`` has messages of this process, ``held`` the
    requests that this worker has received, until Celery forgets them."""

    def __init__(self, app: Any, client: Client, options: Options) -> None:
        self.app, self.client, self.options = app, client, options
        self.redaction = Redaction(options.redact)
        self.memory = Memory()
        self.held: weakref.WeakSet[Any] = weakref.WeakSet()
        self._cancelled: set[str] = set()
        self._arguments = Arguments(self.redaction)

    def wants(self, task: Any) -> bool:
        """Whether a task is of this application, and to be reported."""
        return task.app is self.app and self.options.wants(task.name)

    def fields(
        self, about: Mapping[str, Any], name: str, task: Any, args: Any, kwargs: Any, queue: Any
    ) -> dict[str, Any]:
        """What the server should know of a task. ``about`` has the headers of its message, which are the attributes of
        its request too; ``task`` is None where only the name is known."""
        task_id = reported_id(about.get("id"))
        texts = about.get("argsrepr"), about.get("kwargsrepr")
        found: dict[str, Any] = {
            "job_type": name[:TYPE_LIMIT],
            "params": self._arguments.of(task, args, kwargs, texts) or None,
            "can_retry": can_repeat(about),
            **place_in(about, task_id, self.options),
        }
        if queue:
            found["queue"] = str(queue)
        if about.get("shadow"):
            found["title"] = cut(text(about["shadow"]), TITLE_LIMIT)
        return found

    def ahead(self, about: Mapping[str, Any]) -> dict[str, Any]:
        """What follows a task, of whose request or message ``about`` has the chain and the chord."""
        if not self.options.tree:
            return {}
        parts = ahead(about.get("chain"), about.get("chord"), self.options.wants)
        return {"ahead": parts} if parts else {}

    def remember_cancelled(self, celery_id: str) -> None:
        """Lets this worker refuse a task that it holds and that a user has cancelled."""
        self._cancelled.add(celery_id)
        state.revoked.add(celery_id)

    def forget_cancelled(self, celery_id: str) -> bool:
        """Returns whether a user has cancelled the task while it waited here. From now on the worker takes its id
        again, for somebody may want it to be started again."""
        if celery_id not in self._cancelled:
            return False
        self._cancelled.discard(celery_id)
        state.revoked.discard(celery_id)
        return True

    def say(self, celery_id: Any, task: Any, status: str, line: str = "", **fields: Any) -> None:
        """Reports a status of a task whose attempt another process has, or nobody. ``worker`` is the name of that
        process: when another one runs the task by now, the server refuses what is said of it."""
        task_id = reported_id(celery_id)
        name = task if isinstance(task, str) else task.name
        said = {name: fields.pop(name, None) for name in ("can_retry", "worker")} | fields.pop("place", {})
        self.client.task(task_id, None, job_type=name[:TYPE_LIMIT], **said)
        if line:
            event = {"type": "log", "level": "WARNING", "message": line, "component": "celery"}
            self.client.event(task_id, None, event)
        self.client.event(task_id, None, {"type": "task_status", "status": status, **fields})
