"""What is kept of events besides themselves, changed in their transaction and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor

from app.inbox import projection as inbox
from app.stream.event import Draft, Event
from app.tasks import parents, projection
from app.webhooks import subscriptions


def project(cur: Cursor, events: Sequence[tuple[Event, Draft]]) -> Sequence[Draft]:
    """Task, phase and notification rows, and deliveries; returns what the owners of the tasks are told, and what it
    means for their parents and steps."""
    inbox.project(cur, events)
    subscriptions.project(cur, events)
    told, changed = projection.project(cur, events)
    return [*told, *parents.apply_to_parents(cur, changed)]
