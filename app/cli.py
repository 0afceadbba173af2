"""What an operator does: ``python -m app.cli migrate``, ``downgrade``, ``account`` and ``tenant``.

``script/cli`` is the same beside a running ``script/up``.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NoReturn

import psycopg2

from app.auth.principal import ROLES, tenant_of
from app.config import Config
from app.errors import TaskroomError

LONGEST_NAME = 254  # the sign-in takes no longer one


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, as for everything else that is wrong."""
        self.exit(2, f"taskroom: {message}; {self.prog} --help says more\n")


def main() -> None:
    run(chosen(sys.argv[1:], "python -m app.cli"))


def chosen(arguments: Sequence[str], program: str) -> argparse.Namespace:
    """Ends the process with one line where they make no sense."""
    parser = Parser(prog=program, description="What an operator does.")
    commands = parser.add_subparsers(dest="command", required=True)
    migrate = commands.add_parser("migrate", help="bring the tables to the newest version")
    migrate.add_argument("revision", nargs="?", default="head")
    down = commands.add_parser("downgrade", help="take migrations back")
    down.add_argument("revision", nargs="?", default="-1")
    account = commands.add_parser(
        "account",
        help="make an account, or set its password (from ACCOUNT_PASSWORD), role and tenant; "
        "what changes signs it out everywhere",
    )
    account.add_argument("email")
    account.add_argument("--role", choices=ROLES, default="operator")
    account.add_argument(
        "--tenant", default="", help="whose tasks it may see besides its own; none without this"
    )
    account.add_argument(
        "--keep", action="store_true", help="leave the role and tenant of an account that is there already"
    )
    account.add_argument("--close", action="store_true", help="let nobody sign in any more; its tasks stay")
    tenant = commands.add_parser("tenant", help="say when a tenant's trial ends")
    tenant.add_argument("name")
    tenant.add_argument(
        "--trial-ends", required=True, help="a date or time, UTC unless it names an offset; or: never"
    )
    return parser.parse_args(arguments)


def run(chosen: argparse.Namespace) -> None:
    """Ends the process with one line that says what is wrong."""
    try:
        if chosen.command == "account" and chosen.close:
            close_account(chosen.email)
        elif chosen.command == "account":
            password = os.environ.get("ACCOUNT_PASSWORD", "")
            make_account(chosen.email, password, chosen.role, chosen.tenant, keep=chosen.keep)
        elif chosen.command == "tenant":
            set_trial(chosen.name, chosen.trial_ends)
        else:
            change_tables(chosen.command, chosen.revision)
    except TaskroomError as error:
        raise SystemExit(f"taskroom: {error}") from None
    except psycopg2.Error as error:  # not there, not migrated, or not what a column holds
        raise SystemExit(f"taskroom: {(str(error).splitlines() or [type(error).__name__])[0]}") from None


def change_tables(command: str, revision: str) -> None:
    """Imports the application only here: making an account at each start must be quick."""
    import flask_migrate
    from alembic.util import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    from app import create_app

    change = flask_migrate.upgrade if command == "migrate" else flask_migrate.downgrade
    try:
        with create_app().app_context():
            # What is below its decorator, which makes a line of the log and exit code 1 of each error.
            change.__wrapped__(revision=revision)
    except CommandError as error:
        raise SystemExit(f"taskroom: {error}") from None
    except SQLAlchemyError as error:
        raise SystemExit(f"taskroom: {str(error).partition(chr(10))[0]}") from None


def make_account(email: str, password: str, role: str, tenant_name: str = "", *, keep: bool = False) -> None:
    """What changes signs the account out in every web process; without a change its sessions stay, for
    script/up does this at each start. ``keep``: role and tenant are for a new account only."""
    from app.auth import accounts
    from app.auth.passwords import hash_password, verify
    from app.db.pool import Single

    if len(password) < 8:
        raise SystemExit("taskroom: set ACCOUNT_PASSWORD to at least 8 characters")
    try:
        tenant = tenant_of(tenant_name)
    except ValueError as error:
        raise SystemExit(f"taskroom: --tenant: {error}") from None
    connect, name = Single(Config.from_env().database_url), _name(email)
    with connect() as conn, conn.cursor() as cur:
        found = accounts.find(cur, name)
    # Between the transactions: on a busy machine a hash takes longer than one may idle.
    known = found is not None and verify(found.password_hash, password)
    if not (found and known and (keep or (found.role, found.tenant) == (role, tenant))):
        hashed = hash_password(password)
        with connect() as conn, conn.cursor() as cur:
            accounts.save(cur, name, hashed, role, tenant, keep=keep)
    connect.close()


def close_account(email: str) -> None:
    """Nobody knows its password from here on, who is signed in is signed out, and its webhooks hear no more. Its tasks
    stay."""
    from app.auth import accounts
    from app.auth.passwords import hash_password
    from app.db.pool import Single

    connect, name = Single(Config.from_env().database_url), _name(email)
    # A hash like any other: the time of a sign-in must not tell that the account was closed.
    unknown = hash_password(secrets.token_hex(32))
    with connect() as conn, conn.cursor() as cur:
        if not accounts.close(cur, name, unknown):
            raise SystemExit(f"taskroom: there is no account {name}")
    connect.close()


def set_trial(tenant_name: str, ends: str) -> None:
    """``ends`` as ``2026-12-01``, a time, or ``never``."""
    from app.auth import accounts
    from app.db.pool import Single

    try:
        name = tenant_of(tenant_name)
        at = None if ends == "never" else datetime.fromisoformat(ends)
    except ValueError as error:
        raise SystemExit(f"taskroom: {error}") from None
    if name is None:
        raise SystemExit("taskroom: a tenant has a name")
    connect = Single(Config.from_env().database_url)
    with connect() as conn, conn.cursor() as cur:
        accounts.set_trial(cur, name, at if at is None or at.tzinfo else at.replace(tzinfo=UTC))
    connect.close()


def _name(email: str) -> str:
    name = email.strip().lower()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():  # bytes of a command line may be no text
        raise SystemExit(
            f"taskroom: {name[:40]!r} is no name of an account; take 1 to {LONGEST_NAME} characters"
        )
    return name


if __name__ == "__main__":
    main()
