"""One attempt of a task in a worker of Taskroom's own: a run with a claim, whose reports the writer stores."""

from __future__ import annotations

import os
from collections.abc import Callable

import taskroom
from app.stream.event import Draft
from app.stream.writer import Writer
from app.tasks.lifecycle import Claim
from workers.sink import WriterSink


class Run(taskroom.Run):
    """``cancel`` and ``supersede`` are called by the writer's thread."""

    sink: WriterSink

    def __init__(self, claim: Claim, writer: Writer) -> None:
        sink = WriterSink(claim, writer.put)
        super().__init__(claim.task_id, sink, sink.reports.names)
        self.claim = claim
        self.pid = os.getpid()
        self.saved: dict[str, int] = {}  # the bytes of the outputs that this attempt has saved, by name
        self.summary = ""  # what became of it, in the words of its code
        self.parent_progress = -1.0  # the progress that was reported to the parent task

    @property
    def stream(self) -> str:
        return self.sink.reports.stream

    @property
    def percent(self) -> float:
        """The progress of the whole run, from 0 to 100."""
        return self.sink.reports.progress

    @property
    def eta(self) -> float | None:
        """The seconds until the whole run ends, as last reported."""
        return self.sink.reports.eta

    @property
    def put(self) -> Callable[[Draft], None]:
        """Hands over an event to the writer of this process."""
        return self.sink.reports.put

    @property
    def forked(self) -> bool:
        """Whether this is a child of the process that claimed the attempt: it reports, and ends nothing."""
        return os.getpid() != self.pid

    @property
    def cancelled(self) -> bool:
        return self.sink.stop == "cancelled"

    @property
    def superseded(self) -> bool:
        return self.sink.stop == "superseded"

    def cancel(self) -> None:
        """Lets the next report raise TaskCancelled."""
        self.sink.stop = self.sink.stop or "cancelled"

    def supersede(self) -> None:
        """Lets the next report raise AttemptSuperseded."""
        self.sink.stop = "superseded"

    def report_to(self, writer: Writer) -> None:
        """Changes the writer, as after a fork."""
        self.sink.reports.put = writer.put

    def finish(self, success: bool) -> list[str]:
        """Closes all phases when the job's code has ended. Returns those that the end of the attempt has to end."""
        self.close_phases(success)
        return list(self.sink.reports.running)
