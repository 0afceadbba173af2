"""API keys in Postgres: each as a hash, with its owner, scopes and tenant."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor
from sqlalchemy.dialects.postgresql import insert

from app.auth.key_text import SHOWN, hash_of, new_key
from app.auth.principal import SCOPES, Principal, may_hold_key
from app.db.statements import Statement, as_text, composed
from app.errors import Conflict, Forbidden, Foreign, NotFound
from app.models.accounts import ApiKey, User
from app.models.base import Ids

MOST = 50  # live keys of an owner
LONGEST_NAME = 100  # characters
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=3_650)  # until a key expires, if it does

_NAMES = ("id", "name", "prefix", "scopes", "tenant", "owner", "created_at", "expires_at", "last_used_at")
_id, _mine = ApiKey.id == sa.bindparam("key"), ApiKey.user_id == sa.bindparam("user")
_of_owner = User.id == ApiKey.user_id
_unrevoked = ApiKey.revoked_at.is_(None)
LIVE = sa.and_(_unrevoked, sa.or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > sa.func.now()))

_principal = sa.select(
    *as_text(User.id),
    User.email,
    User.role,
    ApiKey.tenant,
    *as_text(ApiKey.id),
    sa.extract("epoch", ApiKey.expires_at),
    ApiKey.scopes,
).where(_of_owner, LIVE)
_BY_HASH = Statement(_principal.where(ApiKey.hash == sa.bindparam("hash")))
_BY_IDS = Statement(_principal.where(ApiKey.id == sa.any_(sa.bindparam("ids", type_=Ids))))
# In one order, and without waiting: several processes write at once.
_unwritten = (
    sa.select(ApiKey.id)
    .where(ApiKey.id == sa.any_(sa.bindparam("ids", type_=Ids)))
    .where(sa.func.coalesce(ApiKey.last_used_at < sa.func.now() - sa.bindparam("interval"), sa.true()))
    .order_by(ApiKey.id)
    .with_for_update(key_share=True, skip_locked=True)
)
_USED = Statement(
    sa.update(ApiKey)
    .where(ApiKey.id == sa.any_(sa.func.array(_unwritten.scalar_subquery())))
    .values(last_used_at=sa.func.now())
)
# Locks the row: a change of the account revokes its keys, and must either find this one or be read by it. And of two
# creations at once one counts after the other.
_LOCK_OWNER = Statement(
    sa.select(User.role, User.tenant).where(User.id == sa.bindparam("user")).with_for_update(key_share=True)
)
_COUNT = Statement(sa.select(sa.func.count()).select_from(ApiKey).where(_mine, LIVE))
_new = insert(ApiKey).values(
    {name: sa.bindparam(name) for name in ("name", "hash", "prefix", "scopes", "tenant")}
    | {
        "user_id": sa.bindparam("user"),
        "expires_at": sa.func.now() + sa.cast(sa.bindparam("lifetime"), sa.Interval),
    }
)
_CREATE = Statement(_new.on_conflict_do_nothing(index_elements=[ApiKey.hash]).returning(*as_text(ApiKey.id)))
_same = ApiKey.hash == sa.bindparam("hash")
_useless = sa.and_(_same, sa.or_(sa.not_(_mine), sa.not_(LIVE)))
_older = sa.and_(sa.not_(_same), _mine, ApiKey.name == sa.bindparam("name"))
_DELETE_OTHERS = Statement(sa.delete(ApiKey).where(sa.or_(_useless, _older)))
_listed = sa.select(
    *as_text(ApiKey.id),
    ApiKey.name,
    ApiKey.prefix,
    ApiKey.scopes,
    ApiKey.tenant,
    User.email,
    *as_text(ApiKey.created_at, ApiKey.expires_at, ApiKey.last_used_at),
).where(_of_owner, _unrevoked)
_ONE = Statement(_listed.where(_id))
_may_revoke = sa.or_(
    _mine, ApiKey.tenant == sa.bindparam("administers"), sa.bindparam("all", type_=sa.Boolean)
)
_REVOKE = Statement(sa.update(ApiKey).where(_id, _unrevoked, _may_revoke).values(revoked_at=sa.func.now()))


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be made; ``lifetime`` None: it does not expire."""

    name: str
    scopes: Collection[str]
    tenant: str | None
    lifetime: timedelta | None = None

    def values(self, key: str) -> dict[str, Any]:
        scopes = [scope for scope in SCOPES if scope in self.scopes]
        return {
            "name": self.name,
            "scopes": scopes,
            "tenant": self.tenant,
            "lifetime": self.lifetime,
            "hash": hash_of(key),
            "prefix": key[:SHOWN],
        }


def is_name(text: str) -> bool:
    """Returns whether a key may have this name."""
    return len(text) <= LONGEST_NAME and text.isprintable() and bool(text.strip())


def find(cur: Cursor, hashed: str) -> Principal | None:
    """Returns the principal of a live key, with the present role and e-mail of its owner."""
    row = _BY_HASH.execute(cur, hash=hashed).fetchone()
    return _principal_of(row) if row else None


def present(cur: Cursor, ids: Collection[str]) -> dict[str, Principal]:
    """Returns the principals of those of the keys that are live, by id."""
    rows = _BY_IDS.execute(cur, ids=list(ids)).fetchall()
    return {found.session_id: found for found in map(_principal_of, rows)}


def _principal_of(row: Sequence[Any]) -> Principal:
    user_id, email, role, tenant, id, expires_at, scopes = row
    until = float("inf") if expires_at is None else float(expires_at)
    return Principal(user_id, email, role, tenant, id, until, scopes=frozenset(scopes), key_id=id)


def used(cur: Cursor, ids: Collection[str], interval: timedelta) -> None:
    """Writes that the keys were used now, where their last use is older than ``interval``."""
    _USED.execute(cur, ids=list(ids), interval=interval)


def create(cur: Cursor, user_id: str, wanted: NewKey) -> tuple[dict[str, Any], str]:
    """Creates a key; returns its row and the key itself, which is not shown again. Raises Forbidden for a tenant that
    the owner may not name, Conflict when the owner has too many."""
    _refuse_tenant(cur, user_id, wanted.tenant)
    if _COUNT.execute(cur, user=user_id).fetchall()[0][0] >= MOST:
        raise Conflict(f"A user has at most {MOST} API keys; revoke one first")
    key = new_key()
    ((id,),) = _CREATE.execute(cur, user=user_id, **wanted.values(key)).fetchall()
    (row,) = _ONE.execute(cur, key=id).fetchall()
    return _row(row), key


def ensure(cur: Cursor, user_id: str, wanted: NewKey, key: str) -> None:
    """Makes this the owner's only key of that name, and live. Raises Forbidden like ``create``."""
    _refuse_tenant(cur, user_id, wanted.tenant)
    values = wanted.values(key)
    _DELETE_OTHERS.execute(cur, user=user_id, name=values["name"], hash=values["hash"])
    _CREATE.execute(cur, user=user_id, **values)


def _refuse_tenant(cur: Cursor, user_id: str, tenant: str | None) -> None:
    role, own = _LOCK_OWNER.execute(cur, user=user_id).fetchall()[0]
    if not may_hold_key(role, own, tenant):
        raise Forbidden("A key belongs to its owner's tenant; only a global admin may name another")


def page(
    cur: Cursor,
    of: Literal["user_id", "tenant"] | None,
    value: str | None,
    before: Sequence[str] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Returns keys that were not revoked, newest first, older than ``before`` (created_at, id): of a user or tenant,
    else of all."""
    values = {"value": value, "before": tuple(before or ()), "limit": limit}
    return [_row(row) for row in _page(of, before is not None).execute(cur, **values)]


@composed
def _page(of: str | None, older: bool) -> sa.Select[Any]:
    found = _listed
    if of is not None:
        found = found.where(getattr(ApiKey, of) == sa.bindparam("value"))
    if older:
        found = found.where(sa.tuple_(ApiKey.created_at, ApiKey.id) < sa.bindparam("before"))
    return found.order_by(ApiKey.created_at.desc(), ApiKey.id.desc()).limit(sa.bindparam("limit"))


def _row(row: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(_NAMES, row, strict=True))


def revoke(cur: Cursor, id: str, by: Principal | None) -> None:
    """Revokes a key of the principal, or of a tenant that it administers; None is the operator, who revokes any key.
    Raises NotFound."""
    values = {
        "user": by and by.user_id,
        "administers": by and by.administers,
        "all": by is None or by.is_global,
    }
    if _REVOKE.execute(cur, key=id, **values).rowcount == 0:
        foreign = _ONE.execute(cur, key=id).fetchone()
        raise (Foreign if foreign else NotFound)("There is no such API key")
