"""Reminders that only the time causes: an approval that waits for days, a trial that ends.

Each subject gets one reminder a day, however often and by however many processes these functions are called: event ids
are claimed under the locks of the users' streams. Each page is a short transaction. ``at`` is the current time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.db.statements import Statement, as_text
from app.inbox.notification import notification
from app.inbox.run_notice import ASKS, run_notice
from app.models.accounts import Tenant, User
from app.models.tasks import Approval, Task
from app.stream.claims import claim_event_id
from app.stream.event import Draft, user_stream
from app.stream.store import lock_shared
from app.stream.transaction import Begin

WAITS_LONG = timedelta(days=3)
TRIAL_DAYS = (3, 1)  # before the day of its end
PAGE = 100
FIRST_ID = "00000000-0000-0000-0000-000000000000"

_LONG_WAITING = Statement(
    sa.select(
        *(Approval.asked_at, *as_text(Approval.task_id, Task.user_id)),
        *(Task.job_type, Task.title, Task.tenant, Approval.risk_level),
    )
    .join(Task, Task.id == Approval.task_id)
    .where(Approval.decided_at.is_(None), Task.status == "WAITING")
    .where(Approval.asked_at <= sa.bindparam("until"))
    .where(sa.tuple_(Approval.asked_at, Approval.task_id) > sa.bindparam("after"))
    .order_by(Approval.asked_at, Approval.task_id)
    .limit(sa.bindparam("page"))
)

_day_of_end = sa.cast(sa.func.timezone("UTC", Tenant.trial_ends_at), sa.Date)
_is_admin = User.role == sa.any_(sa.literal(["admin", "global_admin"], sa.ARRAY(sa.Text)))
_with_admin = sa.select(User.tenant).where(User.tenant.is_not(None), _is_admin)
_ENDING = Statement(
    sa.select(*as_text(User.id), Tenant.name, _day_of_end)
    .join(Tenant, Tenant.name == User.tenant)
    .where(User.id > sa.bindparam("after"))
    .where(_day_of_end == sa.any_(sa.bindparam("days", type_=sa.ARRAY(sa.Date))))
    .where(sa.or_(_is_admin, sa.and_(User.role != "worker", Tenant.name.not_in(_with_admin))))
    .order_by(User.id)
    .limit(sa.bindparam("page"))
)


class Reminder(NamedTuple):
    """The next page begins after ``position``; ``id`` is the event id that keeps it single on the user's stream."""

    position: tuple[Any, ...]
    id: str
    draft: Draft


Find = Callable[[Cursor, tuple[Any, ...]], list[Reminder]]
"""Returns the page after a position, in the order of positions."""


def remind_of_approvals(begin: Begin, at: datetime) -> int:
    """Reminds the owner of each task that has waited for three days or more; returns how many reminders it sent.
    Raises DatabaseUnavailable: reminders sent before it stay sent, and the next call sends the rest."""
    first = datetime.min.replace(tzinfo=UTC), FIRST_ID
    return _remind(begin, lambda cur, after: _long_waiting(cur, at, after), first)


def warn_of_trials(begin: Begin, at: datetime) -> int:
    """Warns a tenant's admins three days and one day before the day (UTC) on which the trial ends. A tenant without
    admins has all its users warned but ``worker`` accounts, which are programs. Returns how many warnings it sent;
    raises DatabaseUnavailable."""
    return _remind(begin, lambda cur, after: _ending_trials(cur, at, after), (FIRST_ID,))


def _remind(begin: Begin, find: Find, position: tuple[Any, ...]) -> int:
    sent = appended = 0
    while True:
        with begin() as tx:
            found = find(tx.cur, position)
            if not found:
                return sent
            lock_shared(tx.cur, {reminder.draft.stream for reminder in found})
            # A decision, a cancel or a move takes the same lock, so a second read leaves out what ended meanwhile.
            still = {reminder.id for reminder in find(tx.cur, position)}
            due = [r.draft for r in found if r.id in still and claim_event_id(tx.cur, r.draft.stream, r.id)]
            appended = len(tx.append(due).events) if due else 0
        position, sent = found[-1].position, sent + appended


def _long_waiting(cur: Cursor, at: datetime, after: tuple[Any, ...]) -> list[Reminder]:
    waiting = _LONG_WAITING.execute(cur, until=at - WAITS_LONG, after=after, page=PAGE)
    return [
        Reminder(
            (asked_at, task_id),
            f"approval-reminder:{task_id}:{_day(at)}",
            run_notice(
                user_stream(user_id),
                "Pending approval",
                f"Task '{title}' is waiting for 3+ days",
                ASKS,
                run_id=task_id,
                job_type=job_type,
                tenant=tenant,
                choice="approvals",
                again=True,
                metadata={"risk_level": risk_level},
            ),
        )
        for asked_at, task_id, user_id, job_type, title, tenant, risk_level in waiting.fetchall()
    ]


def _ending_trials(cur: Cursor, at: datetime, after: tuple[Any, ...]) -> list[Reminder]:
    today = _day(at)
    days = [today + timedelta(days=n) for n in TRIAL_DAYS]
    ending = _ENDING.execute(cur, days=days, after=after[0], page=PAGE)
    return [
        Reminder(
            (user_id,),
            f"trial-expiry:{tenant}:{today}",
            notification(
                user_stream(user_id),
                f"Trial ends in {(day - today).days} day{'s' if (day - today).days > 1 else ''}",
                f"The trial of {tenant} ends on {day}",
                "trial_expiring",
                tenant=tenant,
                related_type="tenant",
                related_id=tenant,
            ),
        )
        for user_id, tenant, day in ending.fetchall()
    ]


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
