"""Statements over the models: compiled once, the same text whoever asks, and no value of one request in another's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import psycopg2
import pytest
import sqlalchemy as sa
from psycopg2.extensions import connection as Connection
from psycopg2.extras import register_uuid

from app.db.statements import CTID, Statement, as_text, composed, is_among, sized
from app.models.accounts import Tenant, User
from tests.support.system import ROOT


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """In a transaction, and with two accounts."""
    connection = psycopg2.connect(database)
    with connection.cursor() as cur:
        cur.execute("INSERT INTO users (email, role) VALUES ('ann%', 'admin'), ('bob', 'viewer')")
    yield connection
    connection.close()


_NAMES = sa.select(User.email).order_by(User.email)


def test_a_function_builds_a_statement_once_for_the_same_arguments() -> None:
    built: list[frozenset[str]] = []

    @composed
    def users(given: frozenset[str]) -> sa.Select[tuple[str]]:
        built.append(given)
        return _NAMES.where(*(getattr(User, name) == sa.bindparam(name) for name in sorted(given)))

    first, again = users(frozenset({"role", "email"})), users(frozenset({"email", "role"}))
    other = users(frozenset())

    assert first is again and first is not other
    assert len(built) == 2


def test_values_are_those_it_was_built_with_and_those_of_one_request(connection: Connection) -> None:
    named = Statement(_NAMES.where(User.role == sa.bindparam("role"), User.email.like("ann%")))

    with connection.cursor() as cur:
        found = named.execute(cur, role="admin").fetchall()
        none = named.execute(cur, role="viewer").fetchall()
        with pytest.raises(KeyError, match="role"):
            named.execute(cur)

    assert found == [("ann%",)] and none == []


def test_an_empty_list_a_per_cent_sign_and_an_interval_are_values_as_any(connection: Connection) -> None:
    role = User.role == sa.any_(sa.bindparam("roles", type_=sa.ARRAY(sa.Text)))
    lately = User.created_at > sa.func.now() - sa.bindparam("age")
    named = Statement(_NAMES.where(role, lately, User.email != sa.literal_column("'%s'")))

    with connection.cursor() as cur:
        none = named.execute(cur, roles=[], age=timedelta(days=1)).fetchall()
        found = named.execute(cur, roles=["admin", "%s"], age=timedelta(days=1)).fetchall()

    assert none == [] and found == [("ann%",)]


def test_ids_and_times_are_text_on_any_connection(connection: Connection) -> None:
    shown = Statement(sa.select(*as_text(User.id, User.created_at, User.email)))

    with connection.cursor() as cur:
        plain = shown.execute(cur).fetchall()
        register_uuid(conn_or_curs=cur)  # as SQLAlchemy does with the connections of its pool
        assert shown.execute(cur).fetchall() == plain

    id, created_at, email = plain[0]
    assert re.fullmatch(r"[0-9a-f-]{36}", id) and email == "ann%"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", created_at)


def test_sizes_are_added_up_of_what_stands_before_a_row(connection: Connection) -> None:
    rows = _NAMES.subquery()
    page = sized(rows, sa.func.length(rows.c.email), rows.c.email.asc()).c

    with connection.cursor() as cur:
        found = Statement(sa.select(page.email, page.found, page.sent).order_by(page.email)).execute(cur)
        assert found.fetchall() == [("ann%", 2, 0), ("bob", 2, 4)]


def test_so_many_rows_are_deleted_and_no_more(connection: Connection) -> None:
    rows = sa.select(CTID).select_from(Tenant).limit(sa.bindparam("rows")).with_for_update()
    delete = Statement(sa.delete(Tenant).where(is_among(rows)))

    with connection.cursor() as cur:
        cur.execute("INSERT INTO tenants (name) VALUES ('a'), ('b'), ('c')")
        assert [delete.execute(cur, rows=2).rowcount for _ in range(3)] == [2, 1, 0]


def test_no_view_has_sql_of_its_own() -> None:
    """Whoever looks for a question to Postgres finds it in the package whose rows it is about."""
    views = {path.name for path in (ROOT / "app/api").glob("*.py") if "cur.execute(" in path.read_text()}

    assert views == set()
