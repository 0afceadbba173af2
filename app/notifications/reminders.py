"""What nobody did but time: an approval that waits for days, a trial that ends.

Each is said once a subject and day, in short transactions of one page each, however often and by however many it is
asked for: the event ids are asked under the locks of the users' streams. ``at`` is the time it is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from psycopg2.extensions import cursor as Cursor

from app.inbox.notification import notification
from app.stream.event import Draft, user_stream
from app.stream.store import claim_event_id, lock_shared
from app.stream.transaction import Begin

WAITS_LONG = timedelta(days=3)
TRIAL_DAYS = (3, 1)  # before the day of its end
PAGE = 100
FIRST = "00000000-0000-0000-0000-000000000000"


class Reminder(NamedTuple):
    """``position`` is where the next page begins after; ``id`` says it once on the user's stream."""

    position: tuple[Any, ...]
    id: str
    drafted: Draft


Find = Callable[[Cursor, tuple[Any, ...]], list[Reminder]]
"""The next page after a position, in the order of positions."""


def remind_of_approvals(begin: Begin, at: datetime) -> int:
    """Reminds the owner of each task that has waited for three days or more; returns how many reminders it sent.
    Raises StoreAway: those sent by then stay sent, and the next call goes on."""
    first = datetime.min.replace(tzinfo=UTC), FIRST
    return _remind(begin, lambda cur, after: _long_waiting(cur, at, after), first)


def warn_of_trials(begin: Begin, at: datetime) -> int:
    """Warns, three days and one day before the day (UTC) on which a tenant's trial ends, the tenant's admins; where
    it has none, all its users but ``worker`` accounts, which are programs. Returns how many; raises StoreAway."""
    return _remind(begin, lambda cur, after: _ending(cur, at, after), (FIRST,))


def _remind(begin: Begin, find: Find, position: tuple[Any, ...]) -> int:
    sent = 0
    while True:
        with begin() as tx:
            found = find(tx.cur, position)
            if not found:
                return sent
            lock_shared(tx.cur, {reminder.drafted.stream for reminder in found})
            # Who decided, cancelled or moved meanwhile had the same lock: what is over by now is left out.
            still = {reminder.id for reminder in find(tx.cur, position)}
            due = [
                r.drafted for r in found if r.id in still and claim_event_id(tx.cur, r.drafted.stream, r.id)
            ]
            if due:
                tx.append(due)
        position, sent = found[-1].position, sent + len(due)


def _long_waiting(cur: Cursor, at: datetime, after: tuple[Any, ...]) -> list[Reminder]:
    cur.execute(
        """SELECT asked_at, task_id::text, user_id::text, tasks.title, tenant
           FROM approvals JOIN tasks ON tasks.id = task_id
           WHERE decided_at IS NULL AND status = 'WAITING' AND asked_at <= %s AND (asked_at, task_id) > (%s, %s)
           ORDER BY asked_at, approvals.task_id LIMIT %s""",
        (at - WAITS_LONG, *after, PAGE),
    )
    return [
        Reminder(
            (asked_at, task_id),
            f"approval-reminder:{task_id}:{_day(at)}",
            notification(
                user_stream(user_id),
                "Pending approval",
                f"Task '{title}' is waiting for 3+ days",
                "approval_required",
                tenant=tenant,
                related_type="task",
                related_id=task_id,
                action_url=f"/runs/{task_id}",
            ),
        )
        for asked_at, task_id, user_id, title, tenant in cur.fetchall()
    ]


def _ending(cur: Cursor, at: datetime, after: tuple[Any, ...]) -> list[Reminder]:
    today = _day(at)
    cur.execute(
        """SELECT users.id::text, name, ending.day - %(today)s FROM users JOIN tenants ON name = tenant,
               LATERAL (SELECT (trial_ends_at AT TIME ZONE 'UTC')::date AS day) AS ending
           WHERE users.id > %(after)s AND ending.day = ANY(%(days)s) AND (
               role IN ('admin', 'global_admin') OR role <> 'worker' AND NOT EXISTS (
                   SELECT FROM users AS admin
                   WHERE admin.tenant = name AND admin.role IN ('admin', 'global_admin')))
           ORDER BY users.id LIMIT %(page)s""",
        {
            "today": today,
            "days": [today + timedelta(days=n) for n in TRIAL_DAYS],
            "after": after[0],
            "page": PAGE,
        },
    )
    return [
        Reminder(
            (user_id,),
            f"trial-expiry:{tenant}:{today}",
            notification(
                user_stream(user_id),
                f"Trial ends in {left} day{'s' if left > 1 else ''}",
                f"The trial of {tenant} ends on {today + timedelta(days=left)}",
                "trial_expiring",
                tenant=tenant,
                related_type="tenant",
                related_id=tenant,
            ),
        )
        for user_id, tenant, left in cur.fetchall()
    ]


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
