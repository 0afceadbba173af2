"""Starts tasks again, when somebody wants it on the page of one that has ended.

The new run has the id of the old one, as a retry of Celery has: Taskroom makes a task of its own for an attempt that
begins after the end. Who does not remember the message asks the workers who does, by Celery's remote control.
"""

from __future__ import annotations

import logging
from typing import Any

from celery.app.task import Context

from taskroom.celery.broker_thread import in_thread
from taskroom.celery.memory import Memory, SentMessage
from taskroom.celery.tree import reported_id
from taskroom.server import Client

logger = logging.getLogger("taskroom")

COMMAND = "taskroom_resend"
ASK_SECONDS = 2.0
# What a run alone is no part of any more, and what was true for the first one only.
WITHOUT = {"chord": None, "group_id": None, "group_index": None, "expires": None, "eta": None, "retries": 0}


class Resender:
    """Sends again what ``memory`` has. ``wanted`` is called by the thread that sends to the server."""

    def __init__(self, app: Any, memory: Memory, client: Client) -> None:
        self._app, self._memory, self._client = app, memory, client

    def wanted(self, celery_id: str) -> None:
        """Starts the task again, in a thread of its own."""
        in_thread(lambda: self._find(celery_id), f"the task {celery_id} cannot be started again")

    def serve(self) -> None:
        """Lets other processes ask this worker. A later call replaces an earlier one's answer."""
        from celery.worker.control import inspect_command

        inspect_command(name=COMMAND, args=[("task_id", str), ("send", bool)], visible=False)(self._command)

    def _find(self, celery_id: str) -> None:
        message = self._memory.find(celery_id)
        if message is not None:
            self._send(celery_id, message)
            return
        answers = self._ask(celery_id)
        known = {host: answer["at"] for each in answers for host, answer in each.items() if answer.get("at")}
        if not known:
            logger.warning("the task %s cannot be started again: no worker here remembers it", celery_id)
            self._client.task(reported_id(celery_id), None, can_retry=False)
            return
        latest = max(known, key=lambda host: known[host])  # the one that has received it last
        self._ask(celery_id, destination=[latest], send=True)

    def _ask(
        self, celery_id: str, destination: list[str] | None = None, send: bool = False
    ) -> list[dict[str, Any]]:
        arguments = {"task_id": celery_id, "send": send}
        broadcast = self._app.control.broadcast
        found: list[dict[str, Any]] | None = broadcast(
            COMMAND, arguments=arguments, destination=destination, reply=True, timeout=ASK_SECONDS
        )
        return found or []

    def _command(self, state: Any, task_id: str = "", send: bool = False, **_: Any) -> dict[str, Any]:
        """Says when this worker has received the task, and sends it again if it is asked to."""
        message = self._memory.find(task_id)
        if message is not None and send:
            self.wanted(task_id)
        return {"at": message.at if message is not None else None}

    def _send(self, celery_id: str, message: SentMessage) -> None:
        task = self._app.tasks.get(message.headers["task"])
        if task is None:
            logger.warning("the task %s cannot be started again: its code is not here", celery_id)
            return
        args, kwargs, embed = message.content(self._app.conf.accept_content)
        request = Context(
            message.headers, args=args, kwargs=kwargs, delivery_info=message.delivery_info, **embed
        )
        task.signature_from_request(request, args, kwargs, **WITHOUT).apply_async()
