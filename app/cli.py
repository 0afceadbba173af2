"""What an operator does before serving: ``python -m app.cli migrate`` and ``python -m app.cli account``."""

from __future__ import annotations

import argparse
import os

from sqlalchemy.exc import SQLAlchemyError

from app import create_app
from app.auth import ROLES, hash_password
from app.errors import TaskroomError
from app.services import services


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m app.cli", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    migrate = commands.add_parser("migrate", help="bring the tables to the newest version")
    migrate.add_argument("revision", nargs="?", default="head")
    down = commands.add_parser("downgrade", help="take migrations back")
    down.add_argument("revision", nargs="?", default="-1")
    account = commands.add_parser(
        "account", help="make an account, or set its password (from ACCOUNT_PASSWORD)"
    )
    account.add_argument("email")
    account.add_argument("--role", choices=ROLES, default="operator")
    arguments = parser.parse_args()
    try:
        with create_app().app_context():
            run(arguments)
    except (TaskroomError, SQLAlchemyError) as error:
        raise SystemExit(f"taskroom: {str(error).partition(chr(10))[0]}") from None


def run(arguments: argparse.Namespace) -> None:
    import flask_migrate

    if arguments.command == "migrate":
        flask_migrate.upgrade(revision=arguments.revision)
    elif arguments.command == "downgrade":
        flask_migrate.downgrade(revision=arguments.revision)
    else:
        password = os.environ.get("ACCOUNT_PASSWORD", "")
        if len(password) < 8:
            raise SystemExit("taskroom: set ACCOUNT_PASSWORD to at least 8 characters")
        make_account(arguments.email, password, arguments.role)


def make_account(email: str, password: str, role: str) -> None:
    with services().connect() as conn, conn.cursor() as cur:
        cur.execute(
            """INSERT INTO users (email, password_hash, role) VALUES (%s, %s, %s)
               ON CONFLICT (email) DO UPDATE SET password_hash = EXCLUDED.password_hash, role = EXCLUDED.role""",
            (email.strip().lower(), hash_password(password), role),
        )


if __name__ == "__main__":
    main()
