"""Pages of lists: so many rows, and so many bytes. Postgres knows the size of a text without unpacking it, so rows that
do not fit are never sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.db.statements import Statement, as_text, sized
from app.stream.pages import PAGE_BYTES

ROW_BYTES = 400  # of everything of a row that is not measured, about


class Page(NamedTuple):
    rows: list[tuple[Any, ...]]
    has_more: bool


def bytes_of(column: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """Returns the bytes of the column's text; 0 for NULL."""
    return sa.func.coalesce(sa.func.octet_length(sa.cast(column, sa.Text)), 0)


def sized_page(
    found: sa.Select[Any] | sa.CompoundSelect[Any],
    order: Callable[[Any], Iterable[sa.ColumnElement[Any]]],
    sizes: Callable[[Any], Iterable[sa.ColumnElement[int]]],
) -> sa.Select[Any]:
    """Selects the rows of a page, to be read by ``read_page``. ``order`` and ``sizes`` get the columns of ``found``;
    ids and times become text."""
    listed = found.order_by(*order(found.selected_columns)).limit(sa.bindparam("more")).subquery("listed")
    size = sum(sizes(listed.c), sa.literal(ROW_BYTES))
    page = sized(listed, size, *order(listed.c)).c
    return (
        sa.select(page.found, *as_text(*(page[column.key] for column in listed.c)))
        .where(page.sent < sa.bindparam("bytes"))
        .order_by(*order(page))
        .limit(sa.bindparam("limit"))
    )


def read_page(cur: Cursor, statement: Statement, limit: int, **values: Any) -> Page:
    """Reads up to ``limit`` rows, one at least, up to about a megabyte."""
    bounds = {"more": limit + 1, "limit": limit, "bytes": PAGE_BYTES}
    rows = statement.execute(cur, **values, **bounds).fetchall()
    return Page([tuple(row[1:]) for row in rows], bool(rows) and rows[0][0] > len(rows))
