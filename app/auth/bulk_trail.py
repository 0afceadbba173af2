"""How many runs a bulk action has changed, in its entry of the trail, and in one more for each other owner of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor
from sqlalchemy import orm

from app.auth.trail import BULK
from app.db.statements import Statement
from app.models.base import Id
from app.models.trail import TrailEntry

_owner_id: sa.BindParameter[Any] = sa.bindparam("owner_id", type_=Id)


def count(cur: Cursor, bulk_id: str, owner_id: str | None) -> int:
    """Counts one more run, in the transaction that changes it: a run of another owner also in the entry of this owner,
    which is added with its first run. ``owner_id`` is None of a run that was refused. Returns how many runs of this
    other owner there are so far, 0 of one's own."""
    done = int(owner_id is not None)
    _COUNT.execute(cur, bulk_id=bulk_id, done=done, refused=1 - done)
    if owner_id is None:
        return 0
    _ADD_OWNER.execute(cur, bulk_id=bulk_id, owner_id=owner_id)
    counted = _COUNT_OWNER.execute(cur, bulk_id=bulk_id, owner_id=owner_id).fetchone()
    return int(counted[0]) if counted else 0


def _of(entry: Any) -> sa.ColumnElement[bool]:
    """Returns the condition of the entries of a bulk action that count its runs."""
    bulk_id: sa.BindParameter[Any] = sa.bindparam("bulk_id", type_=Id)
    return sa.and_(
        entry.bulk_id == bulk_id, entry.action == sa.any_(sa.literal(list(BULK), sa.ARRAY(sa.Text)))
    )


_COUNT = Statement(
    sa.update(TrailEntry)
    .where(_of(TrailEntry), TrailEntry.owner_id.is_(None))
    .values(
        number=TrailEntry.number + sa.bindparam("done"), refused=TrailEntry.refused + sa.bindparam("refused")
    )
)
_COUNT_OWNER = Statement(
    sa.update(TrailEntry)
    .where(_of(TrailEntry), TrailEntry.owner_id == _owner_id)
    .values(number=TrailEntry.number + 1)
    .returning(TrailEntry.number)
)
# The owner may be of another tenant than the bulk action: its entry has neither the title nor the tenant of that.
_COPIED = (
    *("user_id", "user_name", "key_id", "key_name", "address"),
    *("action", "kind", "target", "bulk_id"),
)
_theirs = orm.aliased(TrailEntry)
_ADD_OWNER = Statement(
    sa.insert(TrailEntry).from_select(
        (*_COPIED, "owner_id", "number", "title"),
        sa.select(
            *(getattr(TrailEntry, name) for name in _COPIED), _owner_id, sa.literal(0), sa.literal("")
        ).where(
            _of(TrailEntry),
            TrailEntry.owner_id.is_(None),
            TrailEntry.user_id != _owner_id,
            ~sa.exists().where(_of(_theirs), _theirs.owner_id == _owner_id),
        ),
    )
)
