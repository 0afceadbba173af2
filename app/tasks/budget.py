"""The daily budget of a user in bytes: parameters, results and all events of tasks, by days of UTC.

No event updates a counter: a stream's row has its size, and triggers add a task's bytes when it is created and when it
ends. Running tasks are added at each check. What a user reports of observed tasks is added once for each batch, to the
reporter and not to the owner of the task, whom the reporter names. Over the budget only new tasks are refused: a
running task keeps all its events, or its viewers would not see what happened.
"""

from __future__ import annotations

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.db.statements import Statement
from app.errors import TooMany
from app.models.base import Id
from app.models.queue import Lease
from app.models.streams import Stream
from app.models.tasks import StoredBytes, Task
from app.stream.store import Connect
from app.tasks.sums import Sums

KEPT_DAYS = 7
ROWS_BYTES = 2_000  # of a task besides its texts, about; the trigger takes the same

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
    .where(Task.user_id == _user, sa.not_(Task.observed))
)
_TODAY = Statement(
    sa.select(
        _ended.scalar_subquery() + _running.scalar_subquery(),
        _today + 1,
        sa.cast(sa.func.ceil(sa.extract("epoch", _today + 1 - _now)), sa.Integer),
    )
)
_PAY = Statement(sa.insert(StoredBytes).values(user_id=_user, day=_today, bytes=sa.bindparam("bytes")))
_FORGET = Statement(sa.delete(StoredBytes).where(StoredBytes.day < _today - KEPT_DAYS))
_SUMS = Sums(StoredBytes, ("user_id", "day"), "bytes", group=("user_id", "day"))


def check(cur: Cursor, user_id: str, limit: int) -> None:
    """Raises TooMany when ``limit`` bytes have been stored for the user today; 0 sets no limit. Several requests at
    once may all pass."""
    if not limit:
        return
    stored, reset, seconds = _TODAY.execute(cur, user=user_id).fetchall()[0]
    if stored >= limit:
        raise TooMany(
            f"The daily budget is used up: {int(stored):,} of {limit:,} bytes were stored for this user "
            f"(TASKROOM_DAILY_BYTES); it begins anew at {reset}T00:00:00Z",
            headers={"Retry-After": str(max(1, seconds))},
        )


def pay(cur: Cursor, user_id: str, size: int) -> None:
    """Adds bytes that the user has reported."""
    if size:
        _PAY.execute(cur, user=user_id, bytes=size)


def sum_up(connect: Connect) -> None:
    """Sums up the rows of each user and day, and deletes days older than a week."""
    with connect() as conn, conn.cursor() as cur:
        _FORGET.execute(cur)
    _SUMS.sum_up(connect)
