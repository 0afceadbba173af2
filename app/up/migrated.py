"""Whether the tables are known to be the newest: asking Alembic would slow each start by seconds."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path

import psycopg2

from app.up.external import connect
from app.up.home import Home
from app.up.settings import CHECKOUT


def is_current(home: Home, database_url: str, migrations: Path = CHECKOUT / "migrations") -> bool:
    """True when the same migrations brought a database to the very version that this one has."""
    try:
        remembered = _stamp(home).read_text()
    except FileNotFoundError:
        return False
    return "none" not in remembered and remembered == _state(database_url, migrations)


def remember(home: Home, database_url: str, migrations: Path = CHECKOUT / "migrations") -> None:
    """After a migration that succeeded."""
    _stamp(home).write_text(_state(database_url, migrations))


def _stamp(home: Home) -> Path:
    return home.data / "migrated"


def _state(database_url: str, migrations: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(migrations.rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    # From the database, so that one moved away, restored or taken back by hand is migrated again.
    return f"{digest.hexdigest()} {_version(database_url)}"


def _version(database_url: str) -> str:
    with closing(connect(database_url)) as connection, connection.cursor() as cursor:
        try:
            cursor.execute("SELECT version_num FROM alembic_version")
        except psycopg2.errors.UndefinedTable:
            return "none"
        return " ".join(sorted(row[0] for row in cursor.fetchall())) or "none"
