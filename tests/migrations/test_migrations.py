from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from app.models import Base
from tests.support import forks
from tests.support.servers import Servers
from tests.support.system import System

pytestmark = pytest.mark.slow


@pytest.fixture
def empty(servers: Servers, redis_url: str, tmp_path: Path) -> Iterator[System]:
    """An empty database."""
    with servers.database("template1") as url:
        yield System(url, redis_url, tmp_path)


def run(system: System, *arguments: str) -> subprocess.CompletedProcess[str]:
    return forks.run(("app.cli", *arguments), system.environment(), system.home)


def schema(system: System) -> list[tuple[str, ...]]:
    """Every column and index, Alembic's own table left out."""
    return system.sql(
        """SELECT table_name, column_name, data_type, is_nullable, column_default
           FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
           UNION ALL
           SELECT tablename, indexname, indexdef, '', '' FROM pg_indexes
           WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1, 2, 3"""
    )


def test_up_down_and_up_again_gives_the_same_tables(empty: System, database: str) -> None:
    migrated = replace(empty, database_url=database)  # from nothing, when the run of the tests began
    first = schema(migrated)
    down = run(migrated, "downgrade", "base")
    nothing = schema(migrated)
    up = run(migrated, "migrate")

    assert first
    assert down.returncode == 0, down.stderr
    assert nothing == []
    assert up.returncode == 0, up.stderr
    assert schema(migrated) == first
    assert run(migrated, "migrate").returncode == 0, "a second time there is nothing to do"


def test_models_and_migrations_agree(database: str) -> None:
    from app.models import notifications, queue, tasks, webhooks

    modules = (tasks.Task, webhooks.Webhook, notifications.Inbox, queue.Turn)
    assert {model.__table__ for model in modules} <= set(Base.metadata.sorted_tables)
    engine = create_engine(database.replace("postgresql://", "postgresql+psycopg2://", 1))
    try:
        with engine.connect() as connection:
            options = {"compare_type": True, "compare_server_default": True}
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, Base.metadata) == []
    finally:
        engine.dispose()


def test_what_goes_wrong_is_one_line_that_says_so(empty: System) -> None:
    unreachable = System("postgresql://taskroom:x@127.0.0.1:1/none", empty.redis_url, empty.home)

    away, unknown = run(unreachable, "migrate"), run(empty, "migrate", "nonsense")

    for failed in (away, unknown):
        assert failed.returncode == 1
        assert failed.stderr.count("\n") == 1, failed.stderr
    assert away.stderr.startswith("taskroom: ")
    assert "nonsense" in unknown.stderr


def test_who_was_admin_of_all_stays_so_by_a_role_of_its_own(empty: System) -> None:
    assert run(empty, "migrate", "0011").returncode == 0
    empty.sql(
        """INSERT INTO users (email, password_hash, role, tenant) VALUES
               ('all@x.org', 'x', 'admin', NULL), ('acme@x.org', 'x', 'admin', 'acme'),
               ('ann@x.org', 'x', 'operator', NULL)"""
    )

    assert run(empty, "migrate").returncode == 0
    up = dict(empty.sql("SELECT email, role FROM users"))
    assert run(empty, "downgrade", "0011").returncode == 0

    assert up == {"all@x.org": "global_admin", "acme@x.org": "admin", "ann@x.org": "operator"}
    assert dict(empty.sql("SELECT email, role FROM users")) == up | {"all@x.org": "admin"}


def test_tickets_of_api_keys_do_not_keep_from_going_back(
    database: str, redis_url: str, tmp_path: Path
) -> None:
    system = System(database, redis_url, tmp_path)
    system.sql(
        """WITH ann AS (INSERT INTO users (email) VALUES ('ann@x.org') RETURNING id),
                key AS (INSERT INTO api_keys (user_id, name, hash, prefix, scopes)
                        SELECT id, 'x', 'x', 'x', '{read}' FROM ann RETURNING id),
                session AS (INSERT INTO sessions (user_id, expires_at) SELECT id, now() FROM ann RETURNING id)
           INSERT INTO tickets (hash, session_id, key_id, expires_at)
           SELECT 'of a key', NULL, id, now() FROM key UNION ALL SELECT 'of a session', id, NULL, now() FROM session"""
    )

    down = run(system, "downgrade", "0022")
    assert down.returncode == 0, down.stderr
    assert system.sql("SELECT hash FROM tickets") == [("of a session",)]
    system.sql("UPDATE users SET role = 'viewer'")
    assert system.sql("SELECT count(*) FROM sessions WHERE revoked_at IS NOT NULL") == [(1,)]

    assert run(system, "migrate").returncode == 0


def test_the_rates_of_jobs_begin_with_the_runs_of_before(empty: System) -> None:
    assert run(empty, "migrate", "0044").returncode == 0
    empty.sql(
        """WITH ann AS (INSERT INTO users (email) VALUES ('ann@x.org') RETURNING id)
           INSERT INTO run_sums (user_id, tenant, job_type, hour, status, bucket, number)
           SELECT id, 'acme', 'mail', '2026-01-01 10:00Z', status, bucket, number FROM ann, (VALUES
               ('SUCCESS', 3, 7), ('SUCCESS', 5, 1), ('SUCCESS', NULL, 1), ('FAILURE', 3, 2), ('REVOKED', NULL, 4))
               AS ends (status, bucket, number)"""
    )

    assert run(empty, "migrate").returncode == 0
    rows = empty.sql(
        "SELECT tenant, job_type, succeeded, failed, revoked, run_buckets, run_numbers FROM job_sums"
    )
    assert rows == [("acme", "mail", 9, 2, 4, [3, 5], [7, 1])]
    down = run(empty, "downgrade", "0044")
    assert down.returncode == 0, down.stderr
    assert run(empty, "migrate").returncode == 0
