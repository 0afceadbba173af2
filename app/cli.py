"""What an operator does: ``python -m app.cli migrate``, ``account`` and ``tenant``."""

from __future__ import annotations

import argparse
import os
import secrets
from datetime import UTC, datetime

from app.config import Config
from app.errors import TaskroomError
from app.principal import ROLES, tenant_of


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m app.cli", description=__doc__)
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
    account.add_argument("--close", action="store_true", help="let nobody sign in any more; its tasks stay")
    tenant = commands.add_parser("tenant", help="say when a tenant's trial ends")
    tenant.add_argument("name")
    tenant.add_argument(
        "--trial-ends", required=True, help="a date or time, UTC unless it names an offset; or: never"
    )
    arguments = parser.parse_args()
    try:
        if arguments.command == "account" and arguments.close:
            close_account(arguments.email)
        elif arguments.command == "account":
            make_account(
                *(arguments.email, os.environ.get("ACCOUNT_PASSWORD", ""), arguments.role, arguments.tenant)
            )
        elif arguments.command == "tenant":
            set_trial(arguments.name, arguments.trial_ends)
        else:
            change_tables(arguments.command, arguments.revision)
    except TaskroomError as error:
        raise SystemExit(f"taskroom: {error}") from None


def change_tables(command: str, revision: str) -> None:
    """Imports the application only here: making an account at each start must be quick."""
    import flask_migrate
    from sqlalchemy.exc import SQLAlchemyError

    from app import create_app

    try:
        with create_app().app_context():
            (flask_migrate.upgrade if command == "migrate" else flask_migrate.downgrade)(revision=revision)
    except SQLAlchemyError as error:
        raise SystemExit(f"taskroom: {str(error).partition(chr(10))[0]}") from None


def make_account(email: str, password: str, role: str, tenant_name: str = "") -> None:
    """What changes signs the account out in every web process; without a change its sessions stay, for
    script/up does this at each start."""
    from app.database import Single
    from app.passwords import hash_password, verify

    if len(password) < 8:
        raise SystemExit("taskroom: set ACCOUNT_PASSWORD to at least 8 characters")
    try:
        tenant = tenant_of(tenant_name)
    except ValueError as error:
        raise SystemExit(f"taskroom: --tenant: {error}") from None
    connect, name = Single(Config.from_env().database_url), _name(email)
    with connect() as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT password_hash, role, tenant FROM users WHERE email = %s AND issuer IS NULL FOR UPDATE",
            (name,),
        )
        row = cur.fetchone()
        if not (row and row[1:] == (role, tenant) and verify(row[0], password)):
            cur.execute(
                """INSERT INTO users (email, password_hash, role, tenant) VALUES (%s, %s, %s, %s)
                   ON CONFLICT (email) WHERE issuer IS NULL DO UPDATE SET
                       password_hash = EXCLUDED.password_hash, role = EXCLUDED.role, tenant = EXCLUDED.tenant""",
                (name, hash_password(password), role, tenant),
            )
    connect.close()


def close_account(email: str) -> None:
    """Nobody knows its password from here on, who is signed in is signed out, and its webhooks hear no more. Its tasks
    stay."""
    from app.database import Single
    from app.passwords import hash_password

    connect, name = Single(Config.from_env().database_url), _name(email)
    # A hash like any other: the time of a sign-in must not tell that the account was closed.
    unknown = hash_password(secrets.token_hex(32))
    with connect() as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE users SET password_hash = %s WHERE email = %s AND issuer IS NULL", (unknown, name)
        )
        if cur.rowcount == 0:
            raise SystemExit(f"taskroom: there is no account {name}")
        cur.execute(
            """UPDATE webhooks SET disabled_at = coalesce(disabled_at, now())
               WHERE user_id = (SELECT id FROM users WHERE email = %s AND issuer IS NULL)""",
            (name,),
        )
    connect.close()


def set_trial(tenant_name: str, ends: str) -> None:
    """``ends`` as ``2026-12-01``, a time, or ``never``."""
    from app.database import Single

    try:
        name = tenant_of(tenant_name)
        at = None if ends == "never" else datetime.fromisoformat(ends)
    except ValueError as error:
        raise SystemExit(f"taskroom: {error}") from None
    if name is None:
        raise SystemExit("taskroom: a tenant has a name")
    connect = Single(Config.from_env().database_url)
    with connect() as conn, conn.cursor() as cur:
        cur.execute(
            """INSERT INTO tenants (name, trial_ends_at) VALUES (%s, %s)
               ON CONFLICT (name) DO UPDATE SET trial_ends_at = EXCLUDED.trial_ends_at""",
            (name, at if at is None or at.tzinfo else at.replace(tzinfo=UTC)),
        )
    connect.close()


def _name(email: str) -> str:
    return email.strip().lower()


if __name__ == "__main__":
    main()
