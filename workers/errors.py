"""What the job's code raises, or sees raised, to end its attempt."""

from __future__ import annotations

from app.tasks.approvals import ApprovalRequest
from taskroom.errors import AttemptSuperseded, Suspended, TaskCancelled

__all__ = ["ApprovalNeeded", "AttemptSuperseded", "Delegated", "NoRun", "TaskCancelled"]


class ApprovalNeeded(Suspended):
    """Raised by require_approval: the attempt ends, and the task runs again from its top once it is approved."""

    def __init__(self, approval: ApprovalRequest) -> None:
        super().__init__(approval.key)
        self.approval = approval


class Delegated(BaseException):
    """Raised by orchestrate: the attempt ends, and the task ends when its ``steps`` have ended."""

    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        self.steps = steps


class NoRun(RuntimeError):
    """Raised by a report outside of a task."""
