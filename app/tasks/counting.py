"""The counts of tasks by status, summed up: what was added for each change becomes a row a user and status."""

from __future__ import annotations

import sqlalchemy as sa

from app.db.statements import Statement, as_text
from app.models.tasks import TaskCount
from app.stream.store import Connect

WORTH = 50  # rows of a user that are worth it: as many as a count may read at no cost to speak of

_MANY = Statement(
    sa.select(*as_text(TaskCount.user_id)).group_by(TaskCount.user_id).having(sa.func.count() > WORTH)
)
_gone = (
    sa.delete(TaskCount)
    .where(TaskCount.user_id == sa.bindparam("user"))
    .returning(TaskCount.user_id, TaskCount.tenant, TaskCount.status, TaskCount.number)
    .cte("gone")
)
_key, _sum = (_gone.c.user_id, _gone.c.tenant, _gone.c.status), sa.func.sum(_gone.c.number)
_SUM_UP = Statement(
    sa.insert(TaskCount).from_select(
        ["user_id", "tenant", "status", "number"], sa.select(*_key, _sum).group_by(*_key).having(_sum != 0)
    )
)


def sum_up(connect: Connect) -> int:
    """Adds up the pending changes of each user in a transaction of its own; returns the number of users. A concurrent
    reader sees the counts from before or after. A concurrent call finds the rows gone and adds nothing."""
    with connect() as conn, conn.cursor() as cur:
        users = [user_id for (user_id,) in _MANY.execute(cur)]
    for user_id in users:
        with connect() as conn, conn.cursor() as cur:
            _SUM_UP.execute(cur, user=user_id)
    return len(users)
