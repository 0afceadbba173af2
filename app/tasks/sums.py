"""Tables of numbers that triggers add rows to, and that are read as sums: their rows are summed up now and then."""

from __future__ import annotations

import sqlalchemy as sa

from app.db.statements import Statement, as_text
from app.models.base import Base
from app.stream.store import Connect

MANY_ROWS = 50  # of a group; as many as a sum may read at no cost to speak of


class Sums:
    """The sums of ``number`` by ``keys``. The rows that have the same values of ``group``, some of the keys, are summed
    up together."""

    def __init__(self, model: type[Base], keys: tuple[str, ...], number: str, group: tuple[str, ...]) -> None:
        column = model.__table__.c
        of = [column[name] for name in group]
        gone = sa.delete(model).where(*(each == sa.bindparam(each.name) for each in of))
        rows = gone.returning(*(column[name] for name in (*keys, number))).cte("gone").c
        key, total = [rows[name] for name in keys], sa.func.sum(rows[number])
        summed = sa.select(*key, total).group_by(*key).having(total != 0)
        self._group = group
        self._many = Statement(
            sa.select(*as_text(*of)).group_by(*of).having(sa.func.count() > sa.bindparam("rows"))
        )
        self._sum_up = Statement(sa.insert(model).from_select([*keys, number], summed))

    def sum_up(self, connect: Connect) -> int:
        """Sums up each group that has many rows, in a transaction of its own; returns the number of groups. A
        concurrent reader sees the rows from before or after; a concurrent call finds them gone and adds nothing."""
        with connect() as conn, conn.cursor() as cur:
            many = self._many.execute(cur, rows=MANY_ROWS).fetchall()
        for values in many:
            with connect() as conn, conn.cursor() as cur:
                self._sum_up.execute(cur, **dict(zip(self._group, values, strict=True)))
        return len(many)
