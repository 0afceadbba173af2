"""The functions that a job's code calls to report. None of them waits for the network.

@job("thumbnails", params=ThumbnailParams, phases=("scan", "resize"))
def thumbnails(folder):
    with phase("scan"):
        files = find(folder)
    for file in track(files, phase="resize", message="{n} of {total}"):
        resize(file)
        log(f"resized {file}")
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

from app.errors import TaskroomError
from app.tasks.approvals import Approval
from workers import current
from workers.errors import ApprovalNeeded
from workers.phases import Phase
from workers.registry import job
from workers.texts import reason
from workers.values import filled

__all__ = ["RetryTask", "item_error", "job", "log", "phase", "require_approval", "track"]

Item = TypeVar("Item")
MAX_COUNTDOWN = 30 * 24 * 3600


class RetryTask(TaskroomError):
    """Raised by a job's code to be run again after ``countdown`` seconds. When no retries are left, the task fails with
    this reason."""

    def __init__(self, reason: str, countdown: float | None = None) -> None:
        super().__init__(reason)
        if countdown is not None and not 0 <= float(countdown) <= MAX_COUNTDOWN:
            raise ValueError(f"countdown is {countdown!r}; give seconds, at most {MAX_COUNTDOWN:,}")
        self.countdown = countdown


def log(message: str, level: str = "INFO", component: str | None = None, phase: str | None = None) -> None:
    """Writes a line into the task's log, under the open phase unless ``phase`` names another."""
    run = current.get()
    if run.cancelled or run.superseded:
        run.check()
    run.log(message, level, component, phase)


@contextmanager
def phase(name: str, total: int | None = None, message: str = "") -> Iterator[Phase]:
    """Opens a phase for the length of the block, and gives it: call its ``advance`` and ``error``."""
    run = current.get()
    opened = run.begin(name, total, message)
    try:
        yield opened
    except ApprovalNeeded:  # the phase goes on when the task is approved
        raise
    except BaseException as error:
        run.fail(opened, reason(error))
        raise
    run.end(opened)


def track(items: Iterable[Item], phase: str, message: str = "", total: int | None = None) -> Iterator[Item]:
    """Yields the items, and counts each when the loop asks for the next. ``message`` may use {n}, {total}, {item}."""
    run = current.get()
    if total is None and isinstance(items, Sized):
        total = len(items)
    opened = run.begin(phase, total, "")
    try:
        for n, item in enumerate(items, 1):
            yield item
            run.check()
            opened.processed = n
            if opened.due():
                if message:
                    opened.message = filled(message, n=n, total=opened.total, item=item)
                opened.report()
    except GeneratorExit:
        run.leave_early(opened)  # after a break, an exception or a cancel: a generator cannot see which
        return
    if message and opened.processed:
        opened.message = filled(message, n=opened.processed, total=opened.total, item="")
    run.end(opened)


def require_approval(key: str, title: str, risk_level: str = "medium", estimated_cost: float = 0.0) -> None:
    """Returns when ``key`` of this task has been approved. Otherwise the attempt ends here and the task waits without a
    worker: approved, it runs again from its top; rejected, it ends. Raises ValueError for a wrong argument."""
    run = current.get()
    run.check()
    approval = Approval.of(key, title, risk_level, estimated_cost)
    if approval.key not in run.claim.approved:
        raise ApprovalNeeded(approval)


def item_error(message: str | None = None) -> None:
    """Counts the current item of the innermost phase as failed, and logs ``message`` as a warning."""
    run = current.get()
    if run.innermost:
        run.innermost.error()
    if message:
        log(message, "WARNING")
