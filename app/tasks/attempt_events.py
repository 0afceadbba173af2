"""The events that begin an attempt."""

from __future__ import annotations

from app.stream.event import Draft, draft
from app.tasks.fold import STARTED
from app.tasks.plan import Forecast
from app.tasks.progress_estimate import ProgressEstimate
from app.tasks.status import status_event


def attempt_events(
    stream: str,
    job_type: str,
    number: int,
    worker: str,
    at: str,
    started_at: str | None,
    expected: Forecast,
    retries: int,
) -> list[Draft]:
    """Returns the first events of attempt ``number``, which begins ``at`` after so many ``retries``. ``started_at``:
    the beginning of the first attempt, if this is another. The events are not fenced: the caller holds the lock of the
    stream."""
    began = status_event(
        stream,
        STARTED,
        at,
        progress=0,
        progress_known=expected.plan is not None,
        plan=expected.plan,
        usual=expected.usual,
        eta_seconds=ProgressEstimate(expected.plan, expected.usual, retries).eta,
        started_at=started_at or at,
        error=None,
        attempt=number,
        attempt_started_at=at,
        worker=worker,
    )
    started = {"timestamp": at, "agent_type": job_type}
    return [began, draft(stream, "agent_started", started, projected=False)]
