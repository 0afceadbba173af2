"""Saved views in Postgres: private to their owner, or shared with the owner's tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json
from sqlalchemy.dialects.postgresql import insert

from app.auth import accounts, trail
from app.auth.principal import Principal
from app.db.statements import Statement, as_text, composed, parameters
from app.errors import Conflict, Forbidden, Foreign, NotFound, Unprocessable
from app.models.accounts import User
from app.models.views import SavedView

MOST = 100  # of a user
LONGEST_NAME = 100  # characters

_its = SavedView.id == sa.bindparam("view")
_listed = sa.select(
    *as_text(SavedView.id, SavedView.user_id),
    User.email,
    SavedView.tenant,
    SavedView.name,
    SavedView.filters,
    *as_text(SavedView.created_at),
).where(User.id == SavedView.user_id)
_ONE = Statement(_listed.where(_its))
# Locks the row: of two creations at once one counts after the other.
_LOCK_USER = Statement(
    sa.select(User.id).where(User.id == sa.bindparam("user")).with_for_update(key_share=True)
)
_COUNT = Statement(
    sa.select(sa.func.count()).select_from(SavedView).where(SavedView.user_id == sa.bindparam("user"))
)
_values = parameters("tenant", "name", "filters")
_CREATE = Statement(
    insert(SavedView)
    .values(_values | {"user_id": sa.bindparam("user")})
    .on_conflict_do_nothing(index_elements=[SavedView.user_id, SavedView.name])
    .returning(*as_text(SavedView.id))
)
_taken = sa.exists().where(
    SavedView.user_id == sa.bindparam("user"), SavedView.name == sa.bindparam("name"), sa.not_(_its)
)
_TAKEN = Statement(sa.select(_taken))
_CHANGE = Statement(sa.update(SavedView).where(_its).values(_values))
_DELETE = Statement(sa.delete(SavedView).where(_its))


class View(NamedTuple):
    """``tenant`` is the one that it is shared with; None of a private view."""

    id: str
    owner_id: str
    owner: str
    tenant: str | None
    name: str
    filters: Mapping[str, str]
    created_at: str

    def may_change(self, principal: Principal) -> bool:
        """Whether the principal may change or delete it: its owner, and who administers the tenant that it is shared
        with."""
        administers = principal.is_global or principal.administers == self.tenant
        return principal.user_id == self.owner_id or (self.tenant is not None and administers)

    def row(self, principal: Principal) -> dict[str, Any]:
        """Returns it as the principal sees it."""
        return {
            "id": self.id,
            "name": self.name,
            "filters": self.filters,
            "shared": self.tenant is not None,
            "owner": self.owner,
            "mine": principal.user_id == self.owner_id,
            "may_change": self.may_change(principal),
            "created_at": self.created_at,
        }


def page(cur: Cursor, principal: Principal, before: Sequence[str] | None, limit: int) -> list[View]:
    """Returns the principal's views and those that are shared with its tenant, newest first, older than ``before``
    (created_at, id)."""
    tenant = principal.tenant if principal.reads_tenant else None
    values = {"user": principal.user_id, "tenant": tenant, "before": tuple(before or ()), "limit": limit}
    return [View(*row) for row in _page(before is not None).execute(cur, **values)]


@composed
def _page(older: bool) -> sa.Select[Any]:
    readable = sa.or_(SavedView.user_id == sa.bindparam("user"), SavedView.tenant == sa.bindparam("tenant"))
    found = _listed.where(readable)
    if older:
        found = found.where(sa.tuple_(SavedView.created_at, SavedView.id) < sa.bindparam("before"))
    return found.order_by(SavedView.created_at.desc(), SavedView.id.desc()).limit(sa.bindparam("limit"))


def create(cur: Cursor, by: Principal, name: str, filters: Mapping[str, str], shared: bool) -> View:
    """Saves a view. Raises Conflict for a name that the owner has already and beyond the limit, Forbidden when it may
    not share one, Unprocessable for a user that it may not know."""
    tenant = _shared_with(by, by.tenant) if shared else None
    _check_who(cur, by, filters)
    _LOCK_USER.execute(cur, user=by.user_id)
    if _COUNT.execute(cur, user=by.user_id).fetchall()[0][0] >= MOST:
        raise Conflict(f"A user has at most {MOST} saved views; remove one first")
    values = {"tenant": tenant, "name": name, "filters": Json(dict(filters))}
    made = _CREATE.execute(cur, user=by.user_id, **values).fetchone()
    if made is None:
        raise _taken_name(name)
    view = one(cur, by, str(made[0]))
    trail.record(cur, by, "view_made", "view", view.id, note="shared with the team" if shared else "")
    return view


def one(cur: Cursor, principal: Principal, id: str) -> View:
    """Returns a view that the principal may read. Raises NotFound."""
    row = _ONE.execute(cur, view=id).fetchone()
    view = View(*row) if row else None
    reads = view is not None and view.tenant is not None and principal.reads_tenant
    if view is None or not (view.may_change(principal) or (reads and view.tenant == principal.tenant)):
        raise (Foreign if view else NotFound)("There is no such view")
    return view


def change(cur: Cursor, by: Principal, id: str, name: str, filters: Mapping[str, str], shared: bool) -> View:
    """Changes a view, which stays its owner's. Raises NotFound, Forbidden, Conflict for a name that the owner has
    already, and Unprocessable for a user that the caller may not know."""
    view = _changeable(cur, by, id)
    tenant = _shared_with(by, view.tenant or by.tenant) if shared else None
    _check_who(cur, by, filters)
    _LOCK_USER.execute(cur, user=view.owner_id)
    if _TAKEN.execute(cur, user=view.owner_id, name=name, view=id).fetchall()[0][0]:
        raise _taken_name(name)
    _record(cur, by, view, tenant, name, filters)
    _CHANGE.execute(cur, view=id, tenant=tenant, name=name, filters=Json(dict(filters)))
    # Not read again: an admin who ends the sharing of another's view may not read it any more.
    return view._replace(tenant=tenant, name=name, filters=filters)


def delete(cur: Cursor, by: Principal, id: str) -> None:
    """Deletes a view. Raises NotFound and Forbidden."""
    _changeable(cur, by, id)
    trail.record(cur, by, "view_removed", "view", id)
    _DELETE.execute(cur, view=id)


def _record(
    cur: Cursor, by: Principal, view: View, tenant: str | None, name: str, filters: Mapping[str, str]
) -> None:
    """Adds what is changed to the trail, by the name of before."""
    changes = [f"now “{name}”"] if name != view.name else []
    changes += ["other filters"] if filters != view.filters else []
    if changes:
        trail.record(cur, by, "view_changed", "view", view.id, note=", ".join(changes))
    if tenant != view.tenant:
        trail.record(cur, by, "view_shared" if tenant else "view_unshared", "view", view.id)


def _changeable(cur: Cursor, by: Principal, id: str) -> View:
    view = one(cur, by, id)
    if not view.may_change(by):
        raise Forbidden("A shared view is changed by its owner, and by an admin of the tenant")
    return view


def _shared_with(by: Principal, tenant: str | None) -> str:
    if tenant is None or not by.reads_tenant:
        raise Forbidden("This account has no tenant to share a view with")
    if not by.may_act:
        raise Forbidden("A viewer may not share a view")
    return tenant


def _check_who(cur: Cursor, by: Principal, filters: Mapping[str, str]) -> None:
    """Raises Unprocessable alike for a user that there is not and for one that the caller may not know."""
    if "who" in filters and accounts.name_for(cur, by, filters["who"]) is None:
        raise Unprocessable("A filter is wrong", errors={"filters.who": ["There is no such user."]})


def _taken_name(name: str) -> Conflict:
    return Conflict(f"There is a view of that name already: {name}")
