"""The events that begin an attempt."""

from __future__ import annotations

from app.stream.event import Draft, draft
from app.tasks.fold import STARTED
from app.tasks.plan import Plan
from app.tasks.status import status_event


def attempt_events(
    stream: str,
    job_type: str,
    number: int,
    worker: str,
    at: str,
    started_at: str | None,
    plan: Plan | None,
) -> list[Draft]:
    """Returns the first events of attempt ``number``, which begins ``at``. ``started_at``: the beginning of the first
    attempt, if this is another. They are not fenced: the caller holds the lock of the stream."""
    began = status_event(
        stream,
        STARTED,
        at,
        progress=0,
        progress_known=plan is not None,
        plan=plan,
        started_at=started_at or at,
        error=None,
        attempt=number,
        worker=worker,
    )
    started = {"timestamp": at, "agent_type": job_type}
    return [began, draft(stream, "agent_started", started, projected=False)]
