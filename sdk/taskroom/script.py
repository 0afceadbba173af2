"""A run that begins and ends with a block of code, in any program: ``with taskroom.run("train") as run:``."""

from __future__ import annotations

import os
import socket
import sys
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from taskroom import capture, context, output, threads, values
from taskroom.client_sink import ClientSink
from taskroom.errors import AttemptSuperseded, Suspended, TaskCancelled
from taskroom.failures import error_of
from taskroom.limits import MOMENT_SECONDS, PARAMS_LIMIT, RESULT_LIMIT, TITLE_LIMIT, TYPE_LIMIT
from taskroom.runs import Run
from taskroom.server import Client, client_of, outer_run
from taskroom.sink import Nowhere
from taskroom.texts import cut

FLUSH_SECONDS = 2.0  # how long the end of a run waits for the disk; for the server it waits a moment


class ScriptRun(Run):
    """The run is STARTED when the block is entered and SUCCESS when it is left. An exception that leaves the block ends
    the run as FAILURE, a cancel or Ctrl-C as REVOKED; it is raised on."""

    def __init__(self, client: Client | None, task: Mapping[str, Any], stdout: bool) -> None:
        """``task`` is what the server should know of it. Without a client the run is reported nowhere."""
        super().__init__(str(uuid.uuid4()), Nowhere())
        self._client, self._task, self._stdout = client, task, stdout
        self._left = ExitStack()  # what is undone when the block is left
        self._pid: int | None = None  # of the process that has begun the run
        self._result: Any = None

    @property
    def url(self) -> str | None:
        return None if self._client is None else self._client.page(self.id)

    def result(self, value: Any) -> None:
        """Sets the result of the run, for when it succeeds: anything that JSON can hold."""
        self._result = value

    def __enter__(self) -> ScriptRun:
        if self._pid is not None:
            raise RuntimeError("this run has begun already: call taskroom.run again for another")
        self._pid = os.getpid()
        _install()
        self._left.enter_context(context.running(self))
        self._begin()
        if self._stdout:
            self._left.enter_context(output.teed(self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.close()
        if os.getpid() == self._pid:  # a forked child reports, and its parent ends the run
            self._end(error)
        self.sink = Nowhere()
        if self._client is not None:
            self._client.flush(FLUSH_SECONDS, MOMENT_SECONDS)

    def _begin(self) -> None:
        if self._client is None:
            return
        task = dict(self._task, worker=f"{socket.gethostname()}/{self._pid}")
        if self.outer is not None and not isinstance(self.outer.sink, Nowhere):
            task["parent_id"] = self.outer.id
        elif (outer := outer_run()) is not None:
            task["parent_id"] = outer
        attempt = uuid.uuid4().hex
        self.sink = sink = ClientSink(self._client, self.id, attempt)
        self._client.linger()
        sink.start(**task)

    def _end(self, error: BaseException | None) -> None:
        status = _status(error)
        failed = error_of(error, self) if status == "FAILURE" and error is not None else None
        self.close_phases(status == "SUCCESS")
        if not isinstance(self.sink, ClientSink) or isinstance(error, AttemptSuperseded):
            return
        if status == "SUCCESS":
            self.sink.end(status, result=values.bounded(self._result, RESULT_LIMIT))
        elif failed is not None:
            self.sink.end(status, error=failed)
        else:
            self.sink.end(status)


def run(
    job_type: str,
    *,
    title: str | None = None,
    params: Mapping[str, Any] | None = None,
    stdout: bool = True,
    source_lines: bool = True,
    lease_seconds: int | None = None,
    url: str | None = None,
    key: str | None = None,
) -> ScriptRun:
    """Makes a run for a ``with`` block, which it gives: call its ``log``, ``phase``, ``track``, ``progress`` and
    ``result``. Within another run it is a child of that one.

    ``logging`` and, unless ``stdout`` is false, what is printed become lines of its log. An exception that ends it is
    shown with the lines around the place in its code, unless ``source_lines`` is false. ``url`` and ``key`` are those
    of a Taskroom; without them the environment has them in TASKROOM_URL and TASKROOM_KEY, else the run is reported
    nowhere. A run of which its server hears nothing for ``lease_seconds`` is lost; with 0 it never is.
    """
    task: dict[str, Any] = {
        "job_type": values.name(job_type)[:TYPE_LIMIT],
        "params": values.bounded(dict(params or {}), PARAMS_LIMIT),
    }
    if title is not None:
        task["title"] = cut(values.text(title), TITLE_LIMIT)
    if lease_seconds is not None:
        task["lease_seconds"] = lease_seconds
    made = ScriptRun(client_of(url, key), task, stdout)
    made.source_lines = source_lines
    return made


def _status(error: BaseException | None) -> str:
    if isinstance(error, (TaskCancelled, Suspended, KeyboardInterrupt)):
        return "REVOKED"
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return "SUCCESS"
    return "FAILURE"


def _install() -> None:
    """Lets threads, executors and greenlets inherit runs, and makes ``logging`` lines of them."""
    capture.install()
    threads.install()
    if "gevent" in sys.modules:
        from taskroom import greenlets

        greenlets.install()
