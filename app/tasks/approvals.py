"""Approvals: a task that waits for approval holds no worker, and the first decision wins.

The rows are folds of the events ``approval_needed`` and ``approval_decided``, which name the decision, the user and the
time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import marshmallow as ma
import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.db.statements import Statement, as_text
from app.models import tasks as models
from app.stream.event import Draft, clean, draft, now, shortened
from app.tasks.fold import WAITING
from app.tasks.status import status_event

RISKS = ("low", "medium", "high", "critical")
START = "start"  # the key of the approval that a task may need before its first attempt
LONGEST_KEY, LONGEST_TITLE = 128, 255


class ApprovalSchema(ma.Schema):
    """The approval that a task needs before its first attempt, as a request gives it."""

    title = ma.fields.String(required=True, validate=ma.validate.Length(1, LONGEST_TITLE))
    risk_level = ma.fields.String(load_default="medium", validate=ma.validate.OneOf(RISKS))
    estimated_cost = ma.fields.Float(load_default=0.0, validate=ma.validate.Range(0))


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """A request for approval. ``key`` names it within its task, so the next attempt knows which ones are granted."""

    key: str
    title: str
    risk_level: str = "medium"
    estimated_cost: float = 0.0

    @classmethod
    def of(cls, key: str, title: str, risk_level: str, estimated_cost: float) -> ApprovalRequest:
        """Returns the checked approval. Raises ValueError, which names the field."""
        key, title = clean(key), clean(title)
        if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
            raise ValueError(f"key: 1 to {LONGEST_KEY} printable characters")
        if key == START:
            raise ValueError(
                f"key: {START!r} is reserved for the approval before a task runs; use another key"
            )
        if not title:
            raise ValueError("title: empty; it names what is to be approved")
        if risk_level not in RISKS:
            raise ValueError(f"risk_level: {risk_level!r} is none of {', '.join(RISKS)}")
        if not 0 <= float(estimated_cost) < float("inf"):
            raise ValueError(f"estimated_cost: {estimated_cost!r} is not a cost")
        return cls(key, shortened(title, LONGEST_TITLE), risk_level, float(estimated_cost))


def approval_request(stream: str, approval: ApprovalRequest, attempt: int | None = None) -> Draft:
    """Returns the event that asks for the approval."""
    return draft(stream, "approval_needed", {"timestamp": now(), **asdict(approval)}, attempt=attempt)


def approval_wait(
    stream: str, approval: ApprovalRequest, progress: float, attempt: int, phases: Iterable[str]
) -> list[Draft]:
    """Returns the last events of an attempt that asks for approval and frees its worker; its open phases wait too."""
    at = now()
    waits = {"timestamp": at, "status": "in_progress", "message": "Waits for approval", "eta_seconds": None}
    drafts = [draft(stream, "phase_update", waits | {"phase_id": phase}, attempt=attempt) for phase in phases]
    message = f"Waits for approval: {approval.title}"
    return [
        *drafts,
        approval_request(stream, approval, attempt),
        status_event(stream, WAITING, at, attempt, current_phase_message=message, progress=progress),
    ]


_NAMES = ("key", "title", "risk_level", "estimated_cost", "approved", "decided_by", "asked_at", "decided_at")
_its = models.Approval.task_id == sa.bindparam("task")
_GRANTED = Statement(sa.select(models.Approval.key).where(_its, models.Approval.approved.is_(True)))
_columns = [getattr(models.Approval, name) for name in _NAMES]
_OF_START = Statement(sa.select(*_columns[:4]).where(_its, models.Approval.key == START))
_ALL = Statement(sa.select(*as_text(*_columns)).where(_its).order_by(models.Approval.asked_at))


def approved_keys(cur: Cursor, task_id: str) -> frozenset[str]:
    return frozenset(key for (key,) in _GRANTED.execute(cur, task=task_id))


def start_approval(cur: Cursor, task_id: str) -> ApprovalRequest | None:
    """Returns the approval that the task needed before it ran. A retry asks for it again; otherwise a retry would run
    without approval."""
    row = _OF_START.execute(cur, task=task_id).fetchone()
    return ApprovalRequest(*row) if row else None


def list_approvals(cur: Cursor, task_id: str) -> list[dict[str, Any]]:
    """Returns all approvals that the task asked for, the oldest first, with their decisions."""
    return [dict(zip(_NAMES, row, strict=True)) for row in _ALL.execute(cur, task=task_id)]
