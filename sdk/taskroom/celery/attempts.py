"""The attempts that this process runs: each delivery of a task is one."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from contextvars import Token
from typing import Any, Optional

from taskroom import context, output
from taskroom.client_sink import ClientSink
from taskroom.limits import MOMENT_SECONDS
from taskroom.runs import Run
from taskroom.server import Client
from taskroom.sink import Nowhere

HOST_LIMIT = 40  # characters of a host's name in that of an attempt, which has 64 at most

End = tuple[
    Optional[str], Mapping[str, Any]
]  # the status, or None for an attempt that others end, and its fields
NO_END: End = (None, {})


class AttemptSink(ClientSink):
    """As ClientSink, but that somebody has cancelled the task counts more than that the attempt is over: an attempt
    that begins after the cancel hears both."""

    def __init__(
        self, client: Client, task_id: str, attempt: str, on_cancel: Callable[[], object] | None = None
    ) -> None:
        super().__init__(client, task_id, attempt)
        self._on_cancel = on_cancel

    def ask_to_stop(self, why: str) -> None:
        if why == "superseded":
            self.stop = self.stop or "superseded"
            return
        first, self.stop = self.stop != "cancelled", "cancelled"
        if first and self._on_cancel is not None:
            self._on_cancel()


class Attempt(Run):
    """One attempt of a task of Celery, from the signal before it to the signal after it.

    ``celery_id`` is the task's id as Celery has it, ``id`` the one under which it is reported. ``parent_ends``: when an
    exception leaves the attempt that ends this process, the main process of the worker reports how. What signals say of
    its end is in ``outcome``, and the last state that it gave itself in ``last_state``. ``before_end`` are called when
    it ends, with whether it succeeds.
    """

    def __init__(
        self, task: Any, celery_id: str, task_id: str, name: str, client: Client, parent_ends: bool
    ) -> None:
        super().__init__(task_id, Nowhere())
        self.task, self.celery_id, self.name, self.parent_ends = task, celery_id, name, parent_ends
        self.entered = False  # whether the task's function was called
        self.inside = False  # whether it runs: what stops a task may be raised there only
        self.cancelled = False  # whether a cancel has ended it
        self.outcome: End | None = None
        self.cause: BaseException | None = None  # of a retry
        self.last_state: tuple[str | None, Any] = (None, None)
        self.take_state: Callable[[Any, Any], None] | None = None
        self.before_end: list[Callable[[bool], object]] = []
        self._client = client
        self._pid = os.getpid()
        self._teed: AbstractContextManager[None] | None = None
        self._token: Token[Run | None] | None = None

    @property
    def url(self) -> str | None:
        return self._client.page(self.id)

    def check(self) -> None:
        """As of every run, but only while the task's function runs: what is no Exception would end the process of the
        worker when it leaves a handler that Celery calls before or after it."""
        if self.inside:
            super().check()

    def start(self, fields: Mapping[str, Any], on_cancel: Callable[[], object] | None) -> None:
        """Reports the beginning. Until ``leave`` this is the current run of this thread or greenlet."""
        self.sink = sink = AttemptSink(self._client, self.id, self.name, on_cancel)
        sink.start(**fields)
        self._token = context.enter(self)

    def print_lines(self) -> None:
        """Makes what the task prints into lines. The streams of a worker stay as they are then; those of another
        process, in which a task is called as a function, are put back with ``leave``."""
        if not self.task.request.is_eager:
            output.keep()
            return
        self._teed = output.teed(self)
        self._teed.__enter__()

    def leave(self) -> None:
        """Makes what was the current run before the current one again."""
        output.finish(self)
        if self._teed is not None:
            self._teed.__exit__(None, None, None)
        if self._token is not None:
            context.leave(self, self._token)

    @property
    def is_open(self) -> bool:
        """Whether nothing was said of its end yet."""
        return isinstance(self.sink, ClientSink)

    def flush(self, seconds: float) -> None:
        """Waits until the server or the disk has what was reported, at most so long, and a moment for the server."""
        self._client.flush(seconds, MOMENT_SECONDS)

    def report_end(self, end: End) -> None:
        """Reports the end, and nothing after it. A forked child of the task does not end it."""
        status, fields = end
        sink = self.sink
        if status is not None and os.getpid() == self._pid and isinstance(sink, ClientSink):
            for call in self.before_end:
                call(status == "SUCCESS")
            self.close_phases(status == "SUCCESS")
            sink.end(status, **fields)
        self.sink = Nowhere()


def current() -> Attempt | None:
    """The attempt that the calling code belongs to; runs that the task has begun itself are passed over."""
    run = context.find()
    while run is not None and not isinstance(run, Attempt):
        run = run.outer
    return run


def of(celery_id: str) -> Attempt | None:
    """The attempt of this task, when the calling code belongs to it."""
    attempt = current()
    return attempt if attempt is not None and attempt.celery_id == celery_id else None


def name_of(retries: int, hostname: str | None) -> str:
    """A name for an attempt: another one for each delivery, also of the same message."""
    return f"{retries}-{(hostname or 'local')[:HOST_LIMIT]}-{next(_names)}"


def _new_names() -> Iterator[str]:
    """Names that no other process has. A random number for each attempt would be a system call for each."""
    process = secrets.token_hex(4)
    return (f"{process}{number:x}" for number in itertools.count())


def _after_fork() -> None:
    global _names
    _names = _new_names()


_names = _new_names()
if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_after_fork)
