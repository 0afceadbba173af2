"""The rows that follow from events, changed in the transaction of their events and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor

from app.inbox import store as inbox
from app.stream.event import Draft, Event
from app.tasks import parents, projection
from app.tasks.observed import groups
from app.webhooks import subscriptions


def project(cur: Cursor, events: Sequence[tuple[Event, Draft]]) -> Sequence[Draft]:
    """Updates the rows of tasks, phases, notifications and deliveries. Returns the events that follow: for the owners
    of the tasks, for their parents and groups, and for their steps. Nothing follows from the rows of notifications and
    deliveries."""
    inbox.project(cur, events)
    subscriptions.project(cur, events)
    for_owners, changed = projection.project(cur, events)
    return [
        *for_owners,
        *parents.apply_to_parents(cur, changed),
        *groups.apply_to_groups(cur, changed),
    ]
