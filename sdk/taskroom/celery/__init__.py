"""Tasks of a Celery application, each a run on a page of Taskroom: one line in the project that has them.

``options`` are what the project asks for. ``signals`` connects the parts to one application: ``published`` reports what
waits, ``attempts`` what runs in this process, ``ends`` what only the main process of a worker learns. ``states`` makes
progress of ``update_state``, ``cancel`` stops tasks, ``resend`` starts them again, ``heartbeat`` and ``depths`` tell of
workers and queues, and ``schedules`` of beat. Nothing but ``instrument`` imports Celery.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from taskroom.celery.options import Cancel, Options
from taskroom.server import client_of
from taskroom.source import SECRETS


def instrument(
    app: Any,
    *,
    url: str | None = None,
    key: str | None = None,
    include: Iterable[str] = ("*",),
    exclude: Iterable[str] = (),
    redact: Iterable[str] = SECRETS,
    stdout: bool = True,
    source_lines: bool = True,
    cancel: Cancel = "raise",
    tree: bool = True,
) -> None:
    """Reports the tasks of a Celery application from now on; a second call for the same one does nothing.

    ``include`` and ``exclude`` are patterns of task names, such as ``shop.*``. Arguments and parts of results are not
    shown when their names contain one of the words of ``redact``. With ``stdout`` prints become lines, and with
    ``source_lines`` an exception is shown with the lines around the place in the task's code. A cancel raises
    TaskCancelled from the next report of the task; with ``cancel="terminate"`` Celery ends its process. Without
    ``tree`` no task is a child of another. ``url`` and ``key`` are those of a Taskroom; without them the environment
    has them in TASKROOM_URL and TASKROOM_KEY, else nothing is reported. Raises ValueError for what cannot be used.
    """
    options = Options.of(
        include, exclude, redact, stdout=stdout, cancel=cancel, tree=tree, source_lines=source_lines
    )
    client = client_of(url, key)
    if client is not None:
        from taskroom.celery.signals import connect

        connect(app, client, options)
