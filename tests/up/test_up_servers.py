"""The embedded servers, killed and started again."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from app.up import migrated, rights, survivors
from app.up.errors import UpError
from app.up.home import Home
from app.up.process import Child, Process
from app.up.process_plan import log_contains
from tests.support.embedded import EmbeddedPostgres
from tests.up.running import eventually


@pytest.fixture
def new_home(new_root: Path) -> Home:
    return Home.open(new_root)


@pytest.fixture
def home(root: Path) -> Home:
    return Home.open(root)


@pytest.fixture(params=["namespace", "account"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """For root, both ways to run Postgres as another user; other users need none."""
    if request.param == "account":
        if os.geteuid() != 0:
            pytest.skip("needs root")
        monkeypatch.setattr(rights, "user_namespaces_allowed", lambda: False)
    return str(request.param)


@pytest.fixture
def postgres(way: str, home: Home) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(home) as server:
        yield server


@pytest.fixture
def new_postgres(way: str, new_home: Home) -> Iterator[EmbeddedPostgres]:
    """A server that creates its database first."""
    with EmbeddedPostgres(new_home) as server:
        yield server


def execute(url: str, *statements: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def test_postgres_recovers_from_kill(postgres: EmbeddedPostgres, home: Home) -> None:
    execute(postgres.url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)")
    before = postgres.pid
    assert int((home.run / "postgres.pid").read_text()) == before
    # A busy backend does not notice the end of its postmaster, and keeps the shared memory.
    spin = "DO $$ BEGIN WHILE true LOOP END LOOP; END $$"

    def run_until_killed() -> None:
        with pytest.raises(psycopg2.Error):
            execute(postgres.url, spin)

    spinning = threading.Thread(target=run_until_killed)
    spinning.start()
    eventually(lambda: execute(postgres.url, f"SELECT 1 FROM pg_stat_activity WHERE query = '{spin}'"))
    postgres.kill()
    assert postgres.start() == postgres.url
    spinning.join(60)
    assert not spinning.is_alive()
    assert postgres.pid != before
    assert execute(postgres.url, "SELECT n FROM kept") == [(7,)]


def test_postgres_settings(new_postgres: EmbeddedPostgres) -> None:
    postgres = new_postgres
    for name, value in {
        "fsync": "on",
        "synchronous_commit": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "127.0.0.1",
        "TimeZone": "UTC",
    }.items():
        assert execute(postgres.url, f"SHOW {name}") == [(value,)]
    assert "unix_socket_directories=" in postgres.child.command  # SHOW needs a superuser
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        execute(postgres.url.replace(postgres.home.secrets.database_password, "wrong"), "SELECT 1")


def test_postgres_stop_leaves_nothing(postgres: EmbeddedPostgres, home: Home) -> None:
    postgres.stop()
    assert not survivors.servers_in(postgres.folder, "postgres")
    assert not (home.run / "postgres.pid").exists()
    postgres.stop()


def test_postgres_accepts_data_after_a_change_of_its_user(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    for allowed in (True, False, True):
        monkeypatch.setattr(rights, "user_namespaces_allowed", lambda allowed=allowed: allowed)
        with EmbeddedPostgres(home) as server:
            execute(server.url, "SELECT 1")


def test_an_incomplete_folder_is_named(new_home: Home) -> None:
    (new_home.data / "postgres").mkdir()
    (new_home.data / "postgres" / "something").write_text("")
    with pytest.raises(UpError, match=r"data/postgres is not a complete database; move it away"):
        EmbeddedPostgres(new_home).start()


def test_another_major_version_is_not_opened(new_home: Home) -> None:
    (new_home.data / "postgres").mkdir()
    (new_home.data / "postgres" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(UpError, match="written by Postgres 9, which this machine does not have"):
        EmbeddedPostgres(new_home)


def test_an_interrupted_initdb_is_repeated(new_home: Home) -> None:
    (new_home.data / "postgres.new").mkdir()
    (new_home.data / "postgres.new" / "PG_VERSION").write_text("15\n")
    with EmbeddedPostgres(new_home) as server:
        assert execute(server.url, "SELECT 1") == [(1,)]


def test_lost_secrets_are_explained(home: Home) -> None:
    (home.root / "secrets.json").unlink()
    again = Home.open(home.root)
    server = EmbeddedPostgres(again)
    with pytest.raises(UpError, match="has another password than"):
        server.start()
    assert not survivors.servers_in(server.folder, "postgres")


def test_a_killed_process_takes_its_group_with_it(new_home: Home) -> None:
    """Celery's pool would continue its tasks beside the new worker's."""
    script = "sleep 1000 & echo ready $!; wait"
    child = Child(
        "leader", ("sh", "-c", script), new_home.root, env=dict(os.environ), ready=log_contains(b"ready ")
    )
    process = Process(child, new_home)
    process.start()
    eventually(process.ready)
    member = int(process.log_since_start().split()[1])
    process.kill()
    eventually(lambda: _is_gone(member))
    assert process.pid is None


def _is_gone(pid: int) -> bool:
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the second when it ends between open and read
        return True


def test_tables_are_known_to_be_newest(home: Home, tmp_path: Path) -> None:
    (tmp_path / "0001.py").write_text("one")
    with EmbeddedPostgres(home) as server:
        assert not migrated.is_current(home, server.url, tmp_path)
        migrated.record(home, server.url, tmp_path)
        assert not migrated.is_current(home, server.url, tmp_path)  # it has no tables
        execute(server.url, "CREATE TABLE alembic_version (version_num text)")
        execute(server.url, "INSERT INTO alembic_version VALUES ('0001')")
        migrated.record(home, server.url, tmp_path)
        assert migrated.is_current(home, server.url, tmp_path)
        execute(server.url, "UPDATE alembic_version SET version_num = '0000'")
        assert not migrated.is_current(home, server.url, tmp_path)
        migrated.record(home, server.url, tmp_path)
        (tmp_path / "0002.py").write_text("two")
        assert not migrated.is_current(home, server.url, tmp_path)


def test_secrets_file_has_what_the_servers_need(new_home: Home) -> None:
    assert set(json.loads((new_home.root / "secrets.json").read_text())) == {
        "secret_key",
        "database_password",
        "redis_password",
        "demo_password",
        "demo_key",
    }


ROLES = "SELECT rolname, rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolcanlogin ORDER BY 1"
OWNERS = """SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'public'::regnamespace
            UNION SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            UNION SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'taskroom'"""


def test_the_applications_role_is_no_superuser(new_postgres: EmbeddedPostgres) -> None:
    assert execute(new_postgres.url, ROLES) == [("postgres", True), ("taskroom", False)]
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        execute(new_postgres.url, "COPY (SELECT 1) TO PROGRAM 'true'")
    execute(new_postgres.url, "CREATE TABLE made (n integer)")
    assert execute(new_postgres.url, OWNERS) == [("taskroom",)]


class OlderPostgres(EmbeddedPostgres):
    """Creates data like earlier versions: the application has the role of initdb."""

    def _create_role(self) -> None:
        super()._create_role()
        self._run_single_user("postgres", "DROP DATABASE taskroom")
        self._run_single_user(
            "postgres", "DROP ROLE taskroom", "UPDATE pg_authid SET rolname = 'taskroom' WHERE oid = 10"
        )
        self._run_single_user("postgres", f"ALTER ROLE taskroom PASSWORD '{self._password}'")
        self._run_single_user("postgres", "CREATE DATABASE taskroom OWNER taskroom")
        self._role_stamp.unlink()


def test_older_data_keep_their_rows_and_lose_the_superuser(new_home: Home) -> None:
    with OlderPostgres(new_home) as older:
        execute(
            older.url,
            "CREATE TABLE kept (id bigint GENERATED ALWAYS AS IDENTITY, n serial, PRIMARY KEY (id))",
            "INSERT INTO kept (n) VALUES (7)",
            "CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
            "CREATE VIEW seen AS SELECT n FROM kept",
        )
        assert execute(older.url, ROLES) == [("taskroom", True)]

    for _ in range(2):  # the second start repeats the change, as after an interruption
        with EmbeddedPostgres(new_home) as server:
            assert execute(server.url, ROLES) == [("postgres", True), ("taskroom", False)]
            assert execute(server.url, OWNERS) == [("taskroom",)]
            assert execute(server.url, "SELECT n, one() FROM seen") == [(7, 1)]
            execute(server.url, "ALTER TABLE kept ADD COLUMN IF NOT EXISTS more text")
            server._role_stamp.unlink()
