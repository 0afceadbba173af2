"""What was refused, for the trail: counted in memory and written by a thread, so that a flood of refusals neither waits
for Postgres nor fills the trail."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import sqlalchemy as sa

from app.db.statements import Statement
from app.models.accounts import ApiKey, User
from app.models.trail import TrailEntry
from app.periodic import Periodic
from app.stream.store import Connect

WRITE_SECONDS = 2.0
ENTRY_SECONDS = 60.0  # in which refusals of one kind are one entry
MOST_KINDS = 200  # that have an entry of their own at a time; all others have one for each outcome


class About(NamedTuple):
    """What a refusal is about: its kind and its id or name."""

    kind: str = "call"
    target: str | None = None


class Refused(NamedTuple):
    """What refusals that are counted together have in common. ``action`` is sign_in or refused, ``title`` the call."""

    action: str
    outcome: str
    title: str = ""
    user_id: str | None = None
    key_id: str | None = None
    address: str | None = None
    note: str = ""


@dataclass(slots=True)
class _Count:
    """Refusals of one kind: ``new`` ones are not written yet. ``entry`` is the id of the row."""

    about: About  # what the first of them was about
    first: float
    new: int = 0
    entry: int | None = None


_uuid = {name: sa.cast(sa.bindparam(name), sa.Uuid) for name in ("user_id", "key_id")}
_text = {
    name: sa.cast(sa.bindparam(name), sa.Text)
    for name in ("action", "outcome", "title", "address", "note", "kind", "target")
}


def _of(column: sa.ColumnElement[str | None]) -> sa.ScalarSelect[str | None]:
    model, id = (ApiKey, _uuid["key_id"]) if column.table is ApiKey.__table__ else (User, _uuid["user_id"])
    return sa.select(column).where(model.id == id).scalar_subquery()


_names = {
    "user_name": _of(User.__table__.c.email),
    "key_name": _of(ApiKey.__table__.c.name),
    "tenant": sa.func.coalesce(_of(ApiKey.__table__.c.tenant), _of(User.__table__.c.tenant)),
}
_times = {
    "at": sa.func.now() - sa.bindparam("age"),
    "last_at": sa.func.now(),
    "number": sa.bindparam("number"),
}
_ADD = Statement(sa.insert(TrailEntry).values(_uuid | _text | _names | _times).returning(TrailEntry.id))
_COUNT = Statement(
    sa.update(TrailEntry)
    .where(TrailEntry.id == sa.bindparam("entry"))
    .values(number=TrailEntry.number + sa.bindparam("more"), last_at=sa.func.now())
)


class Refusals:
    """The refusals of one web process. ``write`` lends a connection for single statements."""

    def __init__(self, write: Connect, clock: Callable[[], float] = time.monotonic) -> None:
        self._connect, self._clock = write, clock
        self._counts: dict[Refused, _Count] = {}
        self.thread = Periodic("refusals", WRITE_SECONDS, self.write)

    def count(self, refused: Refused, about: About = About()) -> None:
        """Counts a refusal, which is written soon. Waits for nothing."""
        found = self._counts.get(refused)
        if found is None and len(self._counts) >= MOST_KINDS:
            refused, about = Refused(refused.action, refused.outcome, note="of many kinds"), About()
            found = self._counts.get(refused)
        if found is None:
            found = self._counts[refused] = _Count(about, self._clock())
        found.new += 1

    def write(self) -> None:
        """Writes what is new. Raises DatabaseUnavailable; the rest is written later then."""
        now = self._clock()
        for refused, count in list(self._counts.items()):
            if number := count.new:
                self._write(refused, count, number, now)
                count.new -= number
            elif now - count.first >= ENTRY_SECONDS:
                del self._counts[refused]

    def _write(self, refused: Refused, count: _Count, number: int, now: float) -> None:
        with self._connect() as conn, conn.cursor() as cur:
            if count.entry is not None and now - count.first < ENTRY_SECONDS:
                _COUNT.execute(cur, entry=count.entry, more=number)
                return
            if count.entry is not None:
                count.first = now
            values = refused._asdict() | count.about._asdict()
            values |= {"age": timedelta(seconds=now - count.first), "number": number}
            ((count.entry,),) = _ADD.execute(cur, **values).fetchall()
