"""Declarations in Postgres: the last worker that starts is right, and what nobody has any more goes."""

from __future__ import annotations

import orjson

from app.db.persistent import PersistentConnection
from app.jobs import packages
from app.jobs.packages import Declaration
from app.jobs.types import JobType
from tests.stream.helpers import sql

OLD, NEW = JobType("resize", "Old"), JobType("resize", "New", phases={"z": 1, "a": 2}, max_retries=1)


def declare(database: str, *declarations: Declaration) -> None:
    connect = PersistentConnection(database)
    with connect() as connection, connection.cursor() as cur:
        packages.declare(cur, declarations)
    connect.close()


def keep(database: str, *names: str) -> int:
    connect = PersistentConnection(database)
    with connect() as connection, connection.cursor() as cur:
        kept = packages.mark_seen(cur, names)
    connect.close()
    return kept


def rows(database: str) -> list[packages.Row]:
    connect = PersistentConnection(database)
    with connect() as connection, connection.cursor() as cur:
        found = packages.rows(cur)
    connect.close()
    return found


def types_of(row: packages.Row) -> list[JobType]:
    return [JobType.from_json(declared) for declared in orjson.loads(row.types)]


def empty(database: str) -> str:
    sql(database, "DELETE FROM job_packages")
    return database


def test_what_is_declared_is_read_with_its_phases_in_their_order(database: str) -> None:
    declare(empty(database), Declaration("shop.jobs", [NEW], {"shop/jobs/x.py": "SyntaxError"}))

    (row,) = rows(database)

    (declared,) = types_of(row)
    assert declared == NEW and list(declared.phases) == ["z", "a"]
    assert orjson.loads(row.broken) == {"shop/jobs/x.py": "SyntaxError"}


def test_a_start_replaces_what_was_declared_of_its_packages_and_of_no_other(database: str) -> None:
    declare(
        empty(database),
        Declaration("shop.jobs", [OLD, JobType("gone")], {"shop/jobs/x.py": "SyntaxError"}),
        Declaration("other.jobs", [JobType("other")]),
    )

    declare(database, Declaration("shop.jobs", [NEW]))

    assert [each for row in rows(database) for each in types_of(row)] == [JobType("other"), NEW]
    assert not any(orjson.loads(row.broken) for row in rows(database))


def test_a_package_that_no_worker_has_had_for_a_week_goes_when_one_starts(database: str) -> None:
    declare(empty(database), Declaration("gone.jobs", [OLD]), Declaration("kept.jobs", [JobType("kept")]))
    sql(database, "UPDATE job_packages SET seen_at = now() - interval '8 days'")
    assert keep(database, "kept.jobs", "unknown.jobs") == 1

    declare(database, Declaration("shop.jobs"))

    assert sql(database, "SELECT package FROM job_packages ORDER BY 1") == [("kept.jobs",), ("shop.jobs",)]
