"""Whether the tables are known to be the newest. The stored answer saves each start the seconds that Alembic takes."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path

import psycopg2

from app.up.home import Home
from app.up.server_checks import connect
from app.up.settings import CHECKOUT

MIGRATIONS = CHECKOUT / "migrations"


def is_current(home: Home, database_url: str, migrations: Path = MIGRATIONS) -> bool:
    """Whether the migrations and the database's version are the same as after the last migration."""
    try:
        recorded = _stamp(home).read_text()
    except FileNotFoundError:
        return False
    return "none" not in recorded and recorded == _state(database_url, migrations)


def record(home: Home, database_url: str, migrations: Path = MIGRATIONS) -> None:
    """Stores the state of now. Call it after a successful migration."""
    _stamp(home).write_text(_state(database_url, migrations))


def _stamp(home: Home) -> Path:
    return home.data / "migrated"


def _state(database_url: str, migrations: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(migrations.rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    # The database's own version counts: a database that is new, restored or downgraded by hand is migrated again.
    return f"{digest.hexdigest()} {_version(database_url)}"


def _version(database_url: str) -> str:
    with closing(connect(database_url)) as connection, connection.cursor() as cursor:
        try:
            cursor.execute("SELECT version_num FROM alembic_version")
        except psycopg2.errors.UndefinedTable:
            return "none"
        return " ".join(sorted(row[0] for row in cursor.fetchall())) or "none"
