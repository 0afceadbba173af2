"""The list of the trail, by key, and how long it is kept.

A page is a piece of an index: of a bulk action, a user, an owner, a tenant or of all. Other filters look at so many
entries at a time, and the cursor says where to go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.auth.principal import Principal
from app.auth.trail import BULK
from app.db.statements import CTID, Statement, as_text, composed, is_among
from app.models.accounts import User
from app.models.base import Id
from app.models.trail import TrailEntry
from app.stream.store import Connect

SCAN_ENTRIES = 5_000  # that one request may look at
EXPORT_PAGE = 500
DELETED_ROWS = 5_000  # in one transaction

NAMES = (
    *("id", "at", "last_at", "number", "action", "outcome", "user_id", "user_name", "key_id", "key_name"),
    *("address", "kind", "target", "title", "owner_id", "tenant", "note", "bulk_id", "refused"),
)
_LOOKED_AT = frozenset(
    {"actions", "q", "folded", "owner_id"}
)  # conditions for which each entry has to be looked at
# And these beside those that have the index then.
_LOOKED_AT_TOO = {"bulk": frozenset({"tenant", "mine", "user_id"}), "user_id": frozenset({"tenant", "mine"})}

_IDS = frozenset({"mine", "bulk", "folded", "owner_id"})
_BULK = sa.literal(list(BULK), sa.ARRAY(sa.Text))

_SCAN: sa.BindParameter[int] = sa.bindparam("scan", type_=sa.Integer)

Given = frozenset[str]
Position = tuple[str, str]
"""The time and the id of an entry."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """``mine``: what this user did, and what was done to what it owns; ``tenant``: what was done in it. None of both:
    everything. ``user_id`` is who did it; ``q`` a text in names and notes, or the beginning of an id. ``bulk`` is the
    id of a bulk action, for its deeds alone; ``folded`` the id of a reader, for whom all such deeds are left out.
    ``owner_id`` is whose it was done to, where another did it."""

    mine: str | None = None
    tenant: str | None = None
    user_id: str | None = None
    actions: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    q: str | None = None
    bulk: str | None = None
    folded: str | None = None
    owner_id: str | None = None

    @classmethod
    def of(cls, principal: Principal, **filters: Any) -> Wanted:
        """Returns what the principal may see: its own, as admin its tenant's, as global admin everything."""
        if principal.is_global:
            return cls(**filters)
        if principal.administers is not None:
            return cls(tenant=principal.administers, **filters)
        return cls(mine=principal.user_id, **filters)

    def values(self) -> dict[str, Any]:
        values = {name: value for name, value in asdict(self).items() if value is not None}
        if self.actions is not None:
            values["actions"] = list(self.actions)
        return values


class TrailPage(NamedTuple):
    """``next``: where to go on; a page that is not the last may be short, even empty."""

    entries: list[dict[str, Any]]
    next: Position | None


def page(cur: Cursor, wanted: Wanted, before: Sequence[str] | None, limit: int) -> TrailPage:
    """Returns the newest entries before a position."""
    values = wanted.values() | ({"before": tuple(before)} if before else {})
    given = frozenset(values)
    rows = _page(given).execute(cur, **values, scan=SCAN_ENTRIES, limit=limit + 1).fetchall()
    entries = [dict(zip((*NAMES, "owner"), row, strict=True)) for row in rows[:limit]]
    if len(rows) > limit:
        return TrailPage(entries, (entries[-1]["at"], entries[-1]["id"]))
    # The last entry that was looked at, unless that was the last of all.
    last = _end(given).execute(cur, **values, skipped=SCAN_ENTRIES - 1).fetchall() if _looked(given) else []
    return TrailPage(entries, tuple(last[0]) if len(last) > 1 else None)


def every_entry(connect: Connect, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Yields all entries, newest first, a page at a time; those that come meanwhile are newer, and not among them."""
    before: Position | None = None
    while True:
        with connect() as conn, conn.cursor() as cur:
            found = page(cur, wanted, before, EXPORT_PAGE)
        yield from found.entries
        before = found.next
        if before is None:
            return


def _looked(given: Given) -> Given:
    index = next((name for name in _LOOKED_AT_TOO if name in given), "")
    return given & (_LOOKED_AT | _LOOKED_AT_TOO.get(index, frozenset()))


def _where(given: Given, names: Given, entry: Any) -> sa.ColumnElement[bool]:
    return sa.and_(sa.true(), *(_condition(given, name, entry) for name in sorted(names)))


def _condition(given: Given, name: str, entry: Any) -> Any:
    value: sa.BindParameter[Any] = sa.bindparam(name, type_=Id if name in _IDS else None)
    match name:
        case "mine":
            return sa.or_(entry.user_id == value, entry.owner_id == value)
        case "bulk":
            return sa.and_(entry.bulk_id == value, entry.action != sa.all_(_BULK))
        case "folded":
            # An owner's entry repeats a part of that of the bulk action, which its doer and global admins read. The
            # owner does not; nor does a tenant, which reads the owner's entry only then (app/auth/bulk_trail.py).
            kept = entry.action == sa.any_(_BULK)
            if "tenant" not in given:
                kept = sa.and_(kept, sa.or_(entry.owner_id.is_(None), entry.owner_id == value))
            return sa.or_(entry.bulk_id.is_(None), kept)
        case "actions":
            return entry.action == sa.any_(value)
        case "since":
            return entry.at >= value
        case "until":
            return entry.at < value
        case "before":
            return sa.tuple_(entry.at, entry.id) < value
        case "q":  # by position and not by LIKE, to which % and _ would mean something
            text = sa.func.lower(value)
            columns = entry.title, entry.note, entry.user_name, entry.key_name
            return sa.or_(
                *(
                    sa.func.strpos(sa.func.lower(sa.func.coalesce(column, "")), text) > 0
                    for column in columns
                ),
                sa.func.starts_with(sa.func.coalesce(entry.target, ""), text),
            )
        case _:
            return getattr(entry, name) == value


def _newest(entry: Any) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    return entry.at.desc(), entry.id.desc()


def _window(given: Given, names: Sequence[str], most: sa.ColumnElement[int]) -> Any:
    """Selects the columns of the piece of an index that one request looks at, newest first: ``most`` entries at most
    where it is two pieces. How much of it is looked at, is missing."""
    columns = [getattr(TrailEntry, name) for name in names]
    found = sa.select(*columns).where(_where(given, given - _looked(given) - {"mine"}, TrailEntry))
    if "mine" not in given - _looked(given):
        return found.order_by(*_newest(TrailEntry))
    # Each part is a range of an index, and no entry is in both.
    mine: sa.BindParameter[Any] = sa.bindparam("mine", type_=Id)
    parts = (
        found.where(column == mine).order_by(*_newest(TrailEntry)).limit(most).subquery().select()
        for column in (TrailEntry.user_id, TrailEntry.owner_id)
    )
    both = sa.union_all(*parts)
    return both.order_by(*_newest(both.selected_columns))


@composed
def _page(given: Given) -> sa.Select[Any]:
    window = _window(given, NAMES, _SCAN).limit(_SCAN).subquery("entries")
    listed = (
        sa.select(window)
        .where(_where(given, _looked(given), window.c))
        .order_by(*_newest(window.c))
        .limit(sa.bindparam("limit"))
        .subquery("listed")
    )
    columns = as_text(sa.cast(listed.c.id, sa.Text), *(listed.c[name] for name in NAMES[1:]))
    return (
        sa.select(*columns, User.email)
        .select_from(listed.outerjoin(User, User.id == listed.c.owner_id))
        .order_by(*_newest(listed.c))
    )


@composed
def _end(given: Given) -> sa.Select[Any]:
    """Selects the positions of the last entry of a window, and of the next one."""
    skipped: sa.BindParameter[int] = sa.bindparam("skipped", type_=sa.Integer)
    found = _window(given, ("at", "id"), skipped + 2).limit(2).offset(skipped).subquery("ends")
    return sa.select(*as_text(found.c.at), sa.cast(found.c.id, sa.Text)).order_by(*_newest(found.c))


_cutoff = sa.func.now() - sa.bindparam("age")
_old = sa.select(CTID).select_from(TrailEntry).where(TrailEntry.at < _cutoff).limit(sa.bindparam("rows"))
_FORGET = Statement(sa.delete(TrailEntry).where(is_among(_old.with_for_update(skip_locked=True))))


def forget(connect: Connect, days: int) -> int:
    """Deletes entries older than ``days`` in short transactions; returns how many."""
    deleted, full = 0, True
    while full:
        with connect() as conn, conn.cursor() as cur:
            count = _FORGET.execute(cur, age=timedelta(days=days), rows=DELETED_ROWS).rowcount
        full = count == DELETED_ROWS
        deleted += count
    return deleted
