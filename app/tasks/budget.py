"""How much a user may have stored in a day: parameters, results and all events of tasks, in bytes, by days of UTC.

Nothing is counted for an event: a stream's own row knows its size, and triggers note what a task takes when it is made
and when it ends. What runs is looked at when somebody asks. Over it starts are refused and nothing else: a task that
runs was let in, and without its events it would tell its viewers something else than what happened.
"""

from __future__ import annotations

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.db.statements import Statement, as_text
from app.errors import TooMany
from app.models.base import Id
from app.models.queue import Lease
from app.models.streams import Stream
from app.models.tasks import StoredBytes, Task
from app.stream.store import Connect

KEPT_DAYS = 7
WORTH = 50  # rows of a user and day that are worth summing up

_user = sa.bindparam("user", type_=Id)
_now = sa.func.timezone("UTC", sa.func.now())
_today = sa.cast(_now, sa.Date)
_ended = sa.select(sa.func.coalesce(sa.func.sum(StoredBytes.bytes), 0)).where(
    StoredBytes.user_id == _user, StoredBytes.day == _today
)
_running = (
    sa.select(sa.func.coalesce(sa.func.sum(Stream.bytes), 0))
    .join_from(Lease, Task, Task.id == Lease.task_id)
    .join(Stream, Stream.id == Task.stream_id)
    .where(Task.user_id == _user)
)
_TODAY = Statement(
    sa.select(
        _ended.scalar_subquery() + _running.scalar_subquery(),
        _today + 1,
        sa.cast(sa.func.ceil(sa.extract("epoch", _today + 1 - _now)), sa.Integer),
    )
)
_FORGET = Statement(sa.delete(StoredBytes).where(StoredBytes.day < _today - KEPT_DAYS))
_MANY = Statement(
    sa.select(*as_text(StoredBytes.user_id), StoredBytes.day)
    .group_by(StoredBytes.user_id, StoredBytes.day)
    .having(sa.func.count() > sa.bindparam("worth"))
)
_gone = (
    sa.delete(StoredBytes)
    .where(StoredBytes.user_id == _user, StoredBytes.day == sa.bindparam("day"))
    .returning(StoredBytes.user_id, StoredBytes.day, StoredBytes.bytes)
    .cte("gone")
)
_SUM_UP = Statement(
    sa.insert(StoredBytes).from_select(
        ["user_id", "day", "bytes"],
        sa.select(_gone.c.user_id, _gone.c.day, sa.func.sum(_gone.c.bytes)).group_by(
            _gone.c.user_id, _gone.c.day
        ),
    )
)


class OverBudget(TooMany):
    """Says which budget, and when it begins anew."""


def check(cur: Cursor, user_id: str, limit: int) -> None:
    """Raises OverBudget when the user has had ``limit`` bytes stored today; 0 sets no limit. Of several who ask at once
    each may be let in."""
    if not limit:
        return
    stored, anew, seconds = _TODAY.execute(cur, user=user_id).fetchall()[0]
    if stored >= limit:
        raise OverBudget(
            f"The daily budget is used up: {int(stored):,} of {limit:,} bytes were stored for the tasks of this user "
            f"(TASKROOM_DAILY_BYTES); it begins anew at {anew}T00:00:00Z",
            headers={"Retry-After": str(max(1, seconds))},
        )


def sum_up(connect: Connect) -> None:
    """Makes one row of each user's day, and forgets what is a week old. Whoever asks sees it as it was, or as it is
    then."""
    with connect() as conn, conn.cursor() as cur:
        _FORGET.execute(cur)
        many = _MANY.execute(cur, worth=WORTH).fetchall()
    for user_id, day in many:
        with connect() as conn, conn.cursor() as cur:
            _SUM_UP.execute(cur, user=user_id, day=day)
