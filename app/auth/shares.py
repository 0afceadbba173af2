"""Shares of runs in Postgres: each is a token, kept as a hash, that reads one run and its children."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.auth import api_keys
from app.auth.key_text import SHARE_PREFIX, hash_of, new_key
from app.auth.owners import Owner
from app.auth.principal import Principal
from app.db.statements import Statement, as_text
from app.errors import Conflict, Foreign, NotFound
from app.models.accounts import ApiKey, Share, User
from app.models.base import Ids
from app.models.tasks import Task

MOST_OF_TASK, MOST_OF_USER = 20, 200  # live shares
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=30)  # until a share expires
USUAL = timedelta(days=1)

_NAMES = ("id", "created_by", "created_at", "expires_at")
_id, _of_task = Share.id == sa.bindparam("share"), Share.task_id == sa.bindparam("task")
_mine = Share.user_id == sa.bindparam("user")
_live = sa.and_(Share.revoked_at.is_(None), Share.expires_at > sa.func.now())

# With the rights that the maker has now, and the key by which it made the share.
_principal = (
    sa.select(
        *as_text(Share.id, Share.task_id),
        sa.extract("epoch", Share.expires_at),
        *as_text(User.id),
        User.role,
        sa.case((Share.key_id.is_(None), User.tenant), else_=ApiKey.tenant),
        *as_text(Task.user_id),
        Task.tenant,
    )
    .join_from(Share, User, User.id == Share.user_id)
    .join(Task, Task.id == Share.task_id)
    .outerjoin(ApiKey, ApiKey.id == Share.key_id)
    .where(_live, sa.or_(Share.key_id.is_(None), api_keys.LIVE))
)
_BY_HASH = Statement(_principal.where(Share.hash == sa.bindparam("hash")))
_BY_IDS = Statement(_principal.where(Share.id == sa.any_(sa.bindparam("ids", type_=Ids))))

# Locks the row: closing the account ends its shares, and must either find this one or come before it. And of two
# creations at once one counts after the other.
_LOCK_USER = Statement(
    sa.select(User.id).where(User.id == sa.bindparam("user")).with_for_update(key_share=True)
)
# Not the row of the task, which changes with each report: an advisory lock, until the end of the transaction.
_LOCK_TASK = Statement(
    sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(sa.bindparam("task"), 0)))
)
_COUNT_OF_TASK = Statement(sa.select(sa.func.count()).select_from(Share).where(_of_task, _live))
_COUNT_OF_USER = Statement(sa.select(sa.func.count()).select_from(Share).where(_mine, _live))
_CREATE = Statement(
    sa.insert(Share)
    .values(
        task_id=sa.bindparam("task"),
        user_id=sa.bindparam("user"),
        key_id=sa.bindparam("key"),
        hash=sa.bindparam("hash"),
        expires_at=sa.func.now() + sa.bindparam("lifetime"),
    )
    .returning(*as_text(Share.id))
)
_listed = sa.select(*as_text(Share.id), User.email, *as_text(Share.created_at, Share.expires_at)).where(
    User.id == Share.user_id
)
_ONE = Statement(_listed.where(_id))
_all = sa.bindparam("all", type_=sa.Boolean)
_OF_TASK = Statement(
    _listed.where(_of_task, _live, sa.or_(_mine, _all))
    .order_by(Share.created_at.desc(), Share.id.desc())
    .limit(MOST_OF_TASK)
)
_REVOKE = Statement(
    sa.update(Share)
    .where(_id, _of_task, Share.revoked_at.is_(None), sa.or_(_mine, _all))
    .values(revoked_at=sa.func.now())
)


def find(cur: Cursor, hashed: str) -> Principal | None:
    """Returns the principal of a live share whose maker may still share the run."""
    row = _BY_HASH.execute(cur, hash=hashed).fetchone()
    return _principal_of(row) if row else None


def present(cur: Cursor, ids: Collection[str]) -> dict[str, Principal]:
    """Returns the principals of those of the shares that are live and whose makers may still share, by id."""
    found = map(_principal_of, _BY_IDS.execute(cur, ids=list(ids)).fetchall())
    return {principal.session_id: principal for principal in found if principal}


def _principal_of(row: Sequence[Any]) -> Principal | None:
    id, task_id, expires_at, user_id, role, tenant, *owner = row
    maker = Principal(user_id, "", role, tenant, id, float(expires_at))
    if not maker.may_share(Owner(*owner)):
        return None
    return Principal(
        *(id, "", "viewer", None, id, float(expires_at)),
        scopes=frozenset({"read"}),
        shared_task=task_id,
        shared_by=user_id,
    )


def create(cur: Cursor, by: Principal, task_id: str, lifetime: timedelta) -> tuple[dict[str, Any], str]:
    """Makes a share; returns its row and its token. Raises Conflict beyond the limits."""
    _LOCK_USER.execute(cur, user=by.user_id)
    _LOCK_TASK.execute(cur, task=task_id)
    for count, most, whose in ((_COUNT_OF_TASK, MOST_OF_TASK, "run"), (_COUNT_OF_USER, MOST_OF_USER, "user")):
        if count.execute(cur, task=task_id, user=by.user_id).fetchall()[0][0] >= most:
            raise Conflict(f"A {whose} has at most {most} live shares; revoke one first")
    token = new_key(SHARE_PREFIX)
    values = {"task": task_id, "user": by.user_id, "key": by.key_id, "lifetime": lifetime}
    ((id,),) = _CREATE.execute(cur, hash=hash_of(token), **values).fetchall()
    (row,) = _ONE.execute(cur, share=id).fetchall()
    return _row(row), token


def of_task(cur: Cursor, task_id: str, user_id: str, all: bool) -> list[dict[str, Any]]:
    """Returns the live shares of a run, newest first: all, or those that the user made."""
    return [_row(row) for row in _OF_TASK.execute(cur, task=task_id, user=user_id, all=all)]


def revoke(cur: Cursor, id: str, task_id: str, user_id: str, all: bool) -> None:
    """Revokes a share of the run; without ``all`` only one that the user made. Raises NotFound."""
    if _REVOKE.execute(cur, share=id, task=task_id, user=user_id, all=all).rowcount == 0:
        foreign = _ONE.execute(cur, share=id).fetchone()
        raise (Foreign if foreign else NotFound)("There is no such share")


def _row(row: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(_NAMES, row, strict=True))
