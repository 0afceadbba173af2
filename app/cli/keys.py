"""The commands about API keys: ``key add``, ``key list`` and ``key revoke``, and the key of the demo account."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any

from psycopg2.extensions import cursor as Cursor

from app.auth import accounts, api_keys, trail
from app.auth.accounts import Account
from app.auth.key_text import VALID, VALID_WORDS
from app.auth.principal import SCOPES, tenant_of
from app.config import Config
from app.db.persistent import PersistentConnection

ENSURED = "script/up"  # the name of the key that ``ensure`` makes
PAGE = 200


def add(name: str, email: str, scopes: Sequence[str], days: int | None, tenant: str | None) -> None:
    """Makes a key and prints it. Exits with one line for invalid arguments."""
    if not api_keys.is_name(name):
        raise SystemExit(f"taskroom: a name has 1 to {api_keys.LONGEST_NAME} printable characters")
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise SystemExit(f"taskroom: there is no scope {unknown[0]!r}; there are {', '.join(SCOPES)}")
    if days is not None and not 1 <= days <= api_keys.LONGEST.days:
        raise SystemExit(f"taskroom: --expires: a number of days from 1 to {api_keys.LONGEST.days}")
    try:
        named = None if tenant is None else tenant_of(tenant)
    except ValueError as error:
        raise SystemExit(f"taskroom: --tenant: {error}") from None
    with _connection() as connect, connect() as conn, conn.cursor() as cur:
        account = _account(cur, email)
        lifetime = None if days is None else timedelta(days=days)
        wanted = api_keys.NewKey(name, scopes, account.tenant if tenant is None else named, lifetime)
        row, key = api_keys.create(cur, account.user_id, wanted)
        trail.record(cur, None, "key_made", "key", row["id"], note=", ".join(row["scopes"]))
    print(key)


def ensure(email: str, key: str) -> None:
    """Makes this key, with all scopes, the account's only one of its name. Exits with one line when it is no key."""
    if not VALID.fullmatch(key):
        raise SystemExit(f"taskroom: ACCOUNT_KEY is no API key: {VALID_WORDS}")
    with _connection() as connect, connect() as conn, conn.cursor() as cur:
        account = _account(cur, email)
        api_keys.ensure(cur, account.user_id, api_keys.NewKey(ENSURED, SCOPES, account.tenant), key)


def print_all(email: str | None) -> None:
    """Prints a line for each key that was not revoked, newest first: of one account, or of all."""
    with _connection() as connect:
        user_id = None
        if email is not None:
            with connect() as conn, conn.cursor() as cur:
                user_id = _account(cur, email).user_id
        before: tuple[str, str] | None = None
        while True:
            with connect() as conn, conn.cursor() as cur:
                page = api_keys.page(cur, None if email is None else "user_id", user_id, before, PAGE)
            for row in page:
                print(_line(row))
            if len(page) < PAGE:
                return
            before = page[-1]["created_at"], page[-1]["id"]


def revoke(id: str) -> None:
    """Revokes a key, whoever owns it. Web processes refuse it within two seconds."""
    with _connection() as connect, connect() as conn, conn.cursor() as cur:
        api_keys.revoke(cur, id, by=None)
        trail.record(cur, None, "key_revoked", "key", id)


def _line(row: dict[str, Any]) -> str:
    expires, used = row["expires_at"] or "never", row["last_used_at"] or "never"
    who = f"{row['owner']} tenant={row['tenant'] or '-'} scopes={','.join(row['scopes'])}"
    return f"{row['id']} {row['prefix']}… {who} expires={expires} used={used} {row['name']}"


def _account(cur: Cursor, email: str) -> Account:
    """Returns the local account. Exits with one line when there is none."""
    found = accounts.find(cur, email)
    if found is None:
        raise SystemExit(f"taskroom: there is no account {email}")
    return found


def _connection() -> closing[PersistentConnection]:
    return closing(PersistentConnection(Config.from_env().database_url))
