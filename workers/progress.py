"""The functions that a job's code calls to report. They wait only while the writer's buffer is full.

@job("thumbnails", params=ThumbnailParams, phases=("scan", "resize"))
def thumbnails(folder):
    with phase("scan"):
        files = find(folder)
    for file in track(files, phase="resize", message="{n} of {total}"):
        resize(file)
        log(f"resized {file}")

They are those of ``taskroom``, which do nothing outside of a run; these raise NoRun there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from os import PathLike
from typing import TypeVar

from app.errors import TaskroomError
from app.tasks.approvals import ApprovalRequest
from taskroom import Phase, values
from taskroom.limits import TEXT_LIMIT
from taskroom.texts import clean, cut
from workers import current, outputs
from workers.errors import ApprovalNeeded
from workers.registry import job

__all__ = [
    "RetryTask",
    "group",
    "item_error",
    "job",
    "log",
    "phase",
    "require_approval",
    "save_output",
    "summary",
    "track",
]

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
    run = current.run()
    if run.sink.stop is not None:
        run.check()
    run.line(message, level, component, phase)  # one call less than ``run.log``


def phase(name: str, total: int | None = None, message: str = "") -> AbstractContextManager[Phase]:
    """Opens a phase for the length of the block, and gives it: call its ``advance`` and ``error``."""
    return current.run().phase(name, total, message)


def group(name: str) -> AbstractContextManager[None]:
    """Puts the lines of the block into a group of the log, which can be folded; groups may be within one another."""
    return current.run().group(name)


def track(items: Iterable[Item], phase: str, message: str = "", total: int | None = None) -> Iterator[Item]:
    """Yields the items, and counts each when the loop asks for the next. ``message`` may use {n}, {total}, {item}."""
    return current.run().track(items, phase, message, total)


def require_approval(key: str, title: str, risk_level: str = "medium", estimated_cost: float = 0.0) -> None:
    """Returns when ``key`` of this task has been approved. Otherwise the attempt ends here and the task waits without a
    worker: approved, it runs again from its top; rejected, it ends. Raises ValueError for a wrong argument."""
    run = current.get()
    run.check()
    approval = ApprovalRequest.of(key, title, risk_level, estimated_cost)
    if approval.key not in run.claim.approved:
        raise ApprovalNeeded(approval)


def item_error(message: str | None = None) -> None:
    """Counts the current item of the innermost phase as failed, and logs ``message`` as a warning."""
    current.run().item_error(message)


def summary(text: str) -> None:
    """Says in a few words what became of the run: lists, its page and its notification show them once it has
    succeeded. Of several the last one counts."""
    current.get().summary = cut(clean(values.text(text)), TEXT_LIMIT)


def save_output(path: str | PathLike[str], name: str | None = None) -> bool:
    """Copies a file, which becomes an output of the task: its page lists it, and whoever may read the task may download
    it. It has the name of the file unless ``name`` is given, and takes the place of an output of that name.

    Returns whether it was saved. A file that is too large, or that cannot be read, is a warning in the task's log.
    """
    run = current.get()
    run.check()
    return outputs.save(run, path, name)
