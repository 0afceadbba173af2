"""The operator's commands: ``python -m app.cli migrate``, ``downgrade``, ``account``, ``tenant`` and ``key``.

``script/cli`` runs the same commands in the environment of a running ``script/up``.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

from app.auth.principal import ROLES, SCOPES, tenant_of
from app.config import Config
from app.errors import TaskroomError, causes
from app.errors.causes import Cause, first_line

if TYPE_CHECKING:
    from app.auth.accounts import Account

MAX_NAME_LENGTH = 254  # sign-in refuses longer names


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Exits with one line, as for every other error."""
        self.exit(2, f"taskroom: {message}; {self.prog} --help says more\n")


def main() -> None:
    run(parse(sys.argv[1:], "python -m app.cli"))


def parse(arguments: Sequence[str], program: str) -> argparse.Namespace:
    """Returns the parsed arguments. Exits with one line when they are invalid."""
    parser = Parser(prog=program, description="Commands for the operator.")
    commands = parser.add_subparsers(dest="command", required=True)
    migrate = commands.add_parser("migrate", help="bring the tables to the newest version")
    migrate.add_argument("revision", nargs="?", default="head")
    down = commands.add_parser("downgrade", help="take migrations back")
    down.add_argument("revision", nargs="?", default="-1")
    account = commands.add_parser(
        "account",
        help="create an account, or set its password (from ACCOUNT_PASSWORD), role and tenant; "
        "a change ends all its sessions. With ACCOUNT_KEY: also make this its API key, with all scopes",
    )
    account.add_argument("email")
    account.add_argument("--role", choices=ROLES, default="operator")
    account.add_argument(
        "--tenant", default="", help="the account may see this tenant's tasks; without it, only its own"
    )
    account.add_argument(
        "--keep", action="store_true", help="keep the role and tenant of an existing account"
    )
    account.add_argument(
        "--close", action="store_true", help="prevent all sign-ins; the account's tasks stay"
    )
    tenant = commands.add_parser("tenant", help="set the end of a tenant's trial")
    tenant.add_argument("name")
    tenant.add_argument(
        "--trial-ends", required=True, help="a date or time, UTC unless it names an offset; or: never"
    )
    _add_key_commands(commands.add_parser("key", help="make, list and revoke API keys"))
    return parser.parse_args(arguments)


def _add_key_commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="action", required=True)
    add = commands.add_parser("add", help="make an API key, and print it; it is not shown again")
    add.add_argument("name")
    add.add_argument("--email", required=True, help="the account that the key acts for")
    add.add_argument("--scopes", required=True, help=f"some of {','.join(SCOPES)}")
    add.add_argument("--expires", type=int, metavar="DAYS", help="without it, the key does not expire")
    add.add_argument("--tenant", help="the account's own when left out; a global admin may name any")
    listed = commands.add_parser("list", help="list the API keys, newest first")
    listed.add_argument("--email", help="only those of this account")
    revoke = commands.add_parser("revoke", help="revoke an API key")
    revoke.add_argument("id")


def run(arguments: argparse.Namespace) -> None:
    """Runs the command. Exits with one line when it fails."""
    from app.cli import keys

    try:
        if arguments.command == "account" and arguments.close:
            close_account(arguments.email)
        elif arguments.command == "account":
            password = os.environ.get("ACCOUNT_PASSWORD", "")
            make_account(arguments.email, password, arguments.role, arguments.tenant, keep=arguments.keep)
            if key := os.environ.get("ACCOUNT_KEY"):
                keys.ensure(_name(arguments.email), key)
        elif arguments.command == "key" and arguments.action == "add":
            scopes = arguments.scopes.split(",")
            keys.add(arguments.name, _name(arguments.email), scopes, arguments.expires, arguments.tenant)
        elif arguments.command == "key" and arguments.action == "list":
            keys.print_all(_name(arguments.email) if arguments.email else None)
        elif arguments.command == "key":
            keys.revoke(arguments.id)
        elif arguments.command == "tenant":
            set_trial(arguments.name, arguments.trial_ends)
        else:
            change_tables(arguments.command, arguments.revision)
    except TaskroomError as error:
        raise SystemExit(f"taskroom: {error}") from None
    except Exception as error:  # no server, no tables, or an invalid value
        if causes.of(error) is Cause.BUG:
            raise
        raise SystemExit(f"taskroom: {first_line(getattr(error, 'orig', None) or error)}") from None


def change_tables(command: str, revision: str) -> None:
    """Migrates or downgrades. Only this imports the application: ``account`` runs at each start and must be quick."""
    import flask_migrate
    from alembic.util import CommandError

    from app.cli.migrations import create_app

    change = flask_migrate.upgrade if command == "migrate" else flask_migrate.downgrade
    try:
        with create_app().app_context():
            # Without the decorator, which turns each error into a log line and exit code 1.
            change.__wrapped__(revision=revision)
    except CommandError as error:
        raise SystemExit(f"taskroom: {error}") from None


def make_account(email: str, password: str, role: str, tenant_name: str = "", *, keep: bool = False) -> None:
    """Creates an account or changes it. ``keep`` uses role and tenant for a new account only.

    A change ends the account's sessions in every web process. Without a change they stay: script/up calls this at each
    start.
    """
    from app.auth import accounts, trail
    from app.auth.passwords import hash_password, verify
    from app.db.persistent import PersistentConnection

    if len(password) < 8:
        raise SystemExit("taskroom: set ACCOUNT_PASSWORD to at least 8 characters")
    try:
        tenant = tenant_of(tenant_name)
    except ValueError as error:
        raise SystemExit(f"taskroom: --tenant: {error}") from None
    connect, name = PersistentConnection(Config.from_env().database_url), _name(email)
    with connect() as conn, conn.cursor() as cur:
        found = accounts.find(cur, name)
    # Outside the transactions: on a busy machine a hash takes longer than a transaction may be idle.
    same_password = found is not None and verify(found.password_hash, password)
    if not (found and same_password and (keep or (found.role, found.tenant) == (role, tenant))):
        hashed = hash_password(password)
        with connect() as conn, conn.cursor() as cur:
            accounts.save(cur, name, hashed, role, tenant, keep=keep)
            made = accounts.find(cur, name)
            assert made is not None
            note = _difference(found, made, same_password) if found else _standing(made)
            trail.record(
                cur, None, "account_changed" if found else "account_made", "account", made.user_id, note=note
            )
    connect.close()


def _standing(account: Account) -> str:
    return f"{account.role} in {account.tenant}" if account.tenant else account.role


def _difference(before: Account, after: Account, same_password: bool) -> str:
    """Says in words what was changed."""
    changes = [] if same_password else ["another password"]
    if _standing(before) != _standing(after):
        changes.append(f"{_standing(after)}, before {_standing(before)}")
    return "; ".join(changes)


def close_account(email: str) -> None:
    """Sets a password that nobody knows, ends the sessions, revokes the API keys and disables the webhooks. The tasks
    stay."""
    from app.auth import accounts, trail
    from app.auth.passwords import hash_password
    from app.db.persistent import PersistentConnection

    connect, name = PersistentConnection(Config.from_env().database_url), _name(email)
    # A real hash: the time that a sign-in takes must not reveal that the account is closed.
    unknown = hash_password(secrets.token_hex(32))
    with connect() as conn, conn.cursor() as cur:
        if not accounts.close(cur, name, unknown):
            raise SystemExit(f"taskroom: there is no account {name}")
        closed = accounts.find(cur, name)
        assert closed is not None
        trail.record(cur, None, "account_closed", "account", closed.user_id)
    connect.close()


def set_trial(tenant_name: str, ends: str) -> None:
    """Sets the end of a trial: ``ends`` is a date or a time of ISO 8601, or ``never``."""
    from app.auth import accounts, trail
    from app.db.persistent import PersistentConnection

    try:
        name = tenant_of(tenant_name)
        at = None if ends == "never" else datetime.fromisoformat(ends)
    except ValueError as error:
        raise SystemExit(f"taskroom: {error}") from None
    if name is None:
        raise SystemExit("taskroom: the tenant needs a name")
    connect = PersistentConnection(Config.from_env().database_url)
    with connect() as conn, conn.cursor() as cur:
        accounts.set_trial(cur, name, at if at is None or at.tzinfo else at.replace(tzinfo=UTC))
        trail.record(cur, None, "trial_set", "tenant", name, title=name, note=ends, tenant=name)
    connect.close()


def _name(email: str) -> str:
    name = email.strip().lower()
    # A command line may have bytes that are no text.
    if not 0 < len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise SystemExit(
            f"taskroom: {name[:40]!r} is not a valid account name; use 1 to {MAX_NAME_LENGTH} characters"
        )
    return name
