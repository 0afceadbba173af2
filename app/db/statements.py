"""Statements of SQLAlchemy over the models, executed on cursors of psycopg2.

A statement is built and compiled once: a constant statement in its module, a variable one by a function under
``composed``. Its values are named parameters, so a request costs no more than with SQL that was written by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any, ParamSpec, cast

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.dialects.postgresql.psycopg2 import dialect
from sqlalchemy.sql.compiler import SQLCompiler

from app.db.clock import TIME_FORMAT

Arguments = ParamSpec("Arguments")

KEPT = 128  # statements of one function: a caller that varies the filters of a list must not fill the memory
# Adds no RETURNING: nothing fetches its rows.
_DIALECT = dialect(implicit_returning=False)  # type: ignore[no-untyped-call]


class Statement:
    """One statement, compiled when it is first needed. Types choose the casts in its text and convert no values: JSON
    is given as psycopg2's ``Json``, an interval as a timedelta."""

    def __init__(self, composed: sa.ClauseElement) -> None:
        self._composed = composed

    @cached_property
    def _compiled(self) -> tuple[str, dict[str, Any]]:
        compiled = self._composed.compile(dialect=_DIALECT)
        assert isinstance(compiled, SQLCompiler)
        assert not compiled.post_compile_params, (
            "in_ would need a text for each length of its list: any_ takes it"
        )
        named = compiled.bind_names.items()
        return compiled.string, {name: bind.value for bind, name in named if not bind.required}

    @property
    def text(self) -> str:
        """The SQL, with parameters in the format of psycopg2."""
        return self._compiled[0]

    def values(self, **given: Any) -> dict[str, Any]:
        """Returns all parameters: those of the statement, and the given ones."""
        return self._compiled[1] | given

    def execute(self, cur: Cursor, **given: Any) -> Cursor:
        """Executes it and returns the cursor. Raises KeyError when a value is missing."""
        cur.execute(self.text, self.values(**given))
        return cur


def composed(build: Callable[Arguments, sa.ClauseElement]) -> Callable[Arguments, Statement]:
    """Decorates a function that builds a statement: the same arguments give the same ``Statement``."""

    @lru_cache(KEPT)
    def kept(*args: Any, **kwargs: Any) -> Statement:
        return Statement(build(*args, **kwargs))

    return cast("Callable[Arguments, Statement]", kept)


def parameters(*names: str) -> dict[str, sa.BindParameter[Any]]:
    """Returns a parameter of its own name for each column."""
    return {name: sa.bindparam(name) for name in names}


def time_text(moment: sa.SQLColumnExpression[Any]) -> sa.ColumnElement[str]:
    """Formats a timestamptz as the time of an event: RFC 3339, UTC, microseconds."""
    return sa.func.to_char(sa.func.timezone("UTC", moment), TIME_FORMAT)


def as_text(*columns: Any) -> list[sa.ColumnElement[Any]]:
    """Returns the columns, with ids and times as text: psycopg2 returns ids as different types, by connection."""
    return [_as_text(column) for column in columns]


def _as_text(column: Any) -> Any:
    if isinstance(column.type, sa.Uuid):
        return sa.cast(column, sa.Text)
    return time_text(column) if isinstance(column.type, TIMESTAMP) else column


def sized(rows: sa.Subquery, size: sa.ColumnElement[int], *order: sa.ColumnElement[Any]) -> sa.Subquery:
    """Adds two columns to the rows: ``found``, the number of rows, and ``sent``, the size of all rows before."""
    sent = sa.func.sum(size).over(order_by=order, rows=(None, -1))
    columns = sa.func.count().over().label("found"), sa.func.coalesce(sent, 0).label("sent")
    return sa.select(rows, *columns).subquery("sized")


CTID: sa.ColumnElement[Any] = sa.literal_column("ctid")
"""The place of a row in the statement's only table."""


def is_among(found: sa.Select[Any]) -> sa.ColumnElement[bool]:
    """Returns the condition that the row is among those that ``found`` selects and locks, for a delete with a limit."""
    return sa.any_(sa.func.array(found.scalar_subquery())) == CTID
