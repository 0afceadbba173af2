"""How many runs a bulk action has changed, in its entry of the trail, and in one more for each other owner of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.auth.owners import Owner
from app.auth.trail import BULK
from app.db.statements import Statement, as_text
from app.models.base import Id
from app.models.trail import TrailEntry


def count(cur: Cursor, bulk_id: str, owner: Owner | None) -> int:
    """Counts one more run, in the transaction that changes it: a run of another owner also in the entry of this owner,
    which is added with its first run. ``owner`` is None of a run that was refused. Returns how many runs that entry
    has, 0 of one's own.

    The owner's entry has the tenant of the run where that is another one than the tenant of the bulk action. Admins of
    a tenant so read either the entry of the bulk action or those of the owners. No entry is added or counted after the
    retention has deleted that of the bulk action."""
    done = int(owner is not None)
    whole = _COUNT.execute(cur, bulk_id=bulk_id, done=done, refused=1 - done).fetchone()
    if owner is None or whole is None:
        return 0
    user_id, tenant = whole
    if user_id == owner.user_id:
        return 0
    of = {"owner_id": owner.user_id, "tenant": None if owner.tenant == tenant else owner.tenant}
    counted = _COUNT_OWNER.execute(cur, bulk_id=bulk_id, **of).fetchone()
    if counted is None:
        _ADD_OWNER.execute(cur, bulk_id=bulk_id, **of)
    return int(counted[0]) if counted else 1


def _of(entry: Any) -> sa.ColumnElement[bool]:
    """Returns the condition of the entries of a bulk action that count its runs."""
    bulk_id: sa.BindParameter[Any] = sa.bindparam("bulk_id", type_=Id)
    return sa.and_(
        entry.bulk_id == bulk_id, entry.action == sa.any_(sa.literal(list(BULK), sa.ARRAY(sa.Text)))
    )


_owner_id: sa.BindParameter[Any] = sa.bindparam("owner_id", type_=Id)
_tenant: sa.BindParameter[Any] = sa.bindparam("tenant", type_=sa.Text)
_whole = sa.and_(_of(TrailEntry), TrailEntry.owner_id.is_(None))
_COUNT = Statement(
    sa.update(TrailEntry)
    .where(_whole)
    .values(
        number=TrailEntry.number + sa.bindparam("done"), refused=TrailEntry.refused + sa.bindparam("refused")
    )
    .returning(*as_text(TrailEntry.user_id), TrailEntry.tenant)
)
_COUNT_OWNER = Statement(
    sa.update(TrailEntry)
    .where(_of(TrailEntry), TrailEntry.owner_id == _owner_id, TrailEntry.tenant.is_not_distinct_from(_tenant))
    .values(number=TrailEntry.number + 1)
    .returning(TrailEntry.number)
)
# The title is of the bulk action, which the owner and the tenant may not know.
_COPIED = (
    *("user_id", "user_name", "key_id", "key_name", "address"),
    *("action", "kind", "target", "bulk_id"),
)
_ADD_OWNER = Statement(
    sa.insert(TrailEntry).from_select(
        (*_COPIED, "owner_id", "tenant", "number", "title"),
        sa.select(
            *(getattr(TrailEntry, name) for name in _COPIED),
            *(_owner_id, sa.cast(_tenant, sa.Text), sa.literal(1), sa.literal("")),
        ).where(_whole),
    )
)
