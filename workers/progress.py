"""What task code calls. One line each, and never a wait for the network.

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
from workers import run as runs
from workers.phases import Phase
from workers.registry import job
from workers.texts import reason
from workers.values import filled

__all__ = ["RetryTask", "item_error", "job", "log", "phase", "require_approval", "track"]

Item = TypeVar("Item")
MAX_COUNTDOWN = 30 * 24 * 3600


class RetryTask(TaskroomError):
    """Raise it to try the task again after ``countdown`` seconds, while its job has retries left;
    then the task fails with this reason."""

    def __init__(self, reason: str, countdown: float | None = None) -> None:
        super().__init__(reason)
        if countdown is not None and not 0 <= float(countdown) <= MAX_COUNTDOWN:
            raise ValueError(f"countdown is {countdown!r}; give seconds, at most {MAX_COUNTDOWN:,}")
        self.countdown = countdown


def log(message: str, level: str = "INFO", component: str | None = None, phase: str | None = None) -> None:
    """One line in the task's log, under the open phase unless ``phase`` names another."""
    run = runs.current()
    if run.cancelled or run.superseded:
        run.check()
    run.log(message, level, component, phase)


@contextmanager
def phase(name: str, total: int | None = None, message: str = "") -> Iterator[Phase]:
    """A phase for the length of the block; call ``advance`` and ``error`` on what it gives."""
    run = runs.current()
    opened = run.begin(name, total, message)
    try:
        yield opened
    except runs.ApprovalNeeded:  # it goes on when that is given
        raise
    except BaseException as error:
        run.fail(opened, reason(error))
        raise
    run.end(opened)


def track(items: Iterable[Item], phase: str, message: str = "", total: int | None = None) -> Iterator[Item]:
    """Yields the items and counts each when its turn is over. ``message`` may use {n}, {total}, {item}."""
    run = runs.current()
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
        run.left(opened)  # by break, by an exception or by a cancel: a generator cannot tell
        return
    if message and opened.processed:
        opened.message = filled(message, n=opened.processed, total=opened.total, item="")
    run.end(opened)


def require_approval(key: str, title: str, risk_level: str = "medium", estimated_cost: float = 0.0) -> None:
    """Returns when somebody has approved ``key`` of this task. Else the attempt ends here, the task waits and holds no
    worker, and it runs again from its top when it is approved; rejected it ends. ValueError names a wrong argument."""
    run = runs.current()
    run.check()
    approval = Approval.of(key, title, risk_level, estimated_cost)
    if approval.key not in run.claim.approved:
        raise runs.ApprovalNeeded(approval)


def item_error(message: str | None = None) -> None:
    """Counts the present item of the innermost phase as failed, and logs why."""
    run = runs.current()
    if run.innermost:
        run.innermost.error()
    if message:
        log(message, "WARNING")
