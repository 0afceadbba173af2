"""What users have chosen to be told of runs: of each job type, and of all others."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from app.db.statements import Statement
from app.inbox.run_notice import USUAL
from app.models.accounts import User
from app.models.notifications import NotificationChoice

MOST = 200  # job types of a user
ALL_OTHERS = ""  # the name of no job type

_mine = NotificationChoice.user_id == sa.bindparam("user")
_READ = Statement(
    sa.select(NotificationChoice.job_type, NotificationChoice.choice)
    .where(_mine)
    .order_by(NotificationChoice.job_type)
)
# Of two that choose at once the second writes after the first, not between its two statements.
_LOCK = Statement(sa.select(User.id).where(User.id == sa.bindparam("user")).with_for_update(key_share=True))
_DELETE = Statement(sa.delete(NotificationChoice).where(_mine))


def read(cur: Cursor, user_id: str) -> tuple[str, dict[str, str]]:
    """Returns the choice for all job types that have none of their own, and those of the others."""
    found: dict[str, str] = dict(_READ.execute(cur, user=user_id).fetchall())
    return found.pop(ALL_OTHERS, USUAL), found


def write(cur: Cursor, user_id: str, default: str, job_types: Mapping[str, str]) -> None:
    """Makes these the choices of the user, in place of all earlier ones."""
    _LOCK.execute(cur, user=user_id)
    _DELETE.execute(cur, user=user_id)
    chosen = {ALL_OTHERS: default, **job_types}
    execute_values(
        cur,
        "INSERT INTO notification_choices (user_id, job_type, choice) VALUES %s",
        [(user_id, job_type, choice) for job_type, choice in chosen.items()],
    )
