"""``python -m app.cli account``."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.auth import passwords
from tests.api import patient
from tests.api.answers import problem
from tests.api.cli import account
from tests.api.waits import LIMIT
from tests.support.system import PASSWORD, ROOT, System, User, wait_for

TASKS = "/api/v2/tasks"


def sign_in(system: System, email: str, password: str = PASSWORD) -> httpx.Response:
    return patient.post(f"{system.url}/api/v2/auth/login", json={"email": email, "password": password})


def refused(user: User) -> bool:
    return user.client.get(TASKS).status_code == 401


def test_a_new_account_can_sign_in(system: System) -> None:
    email = f"{uuid.uuid4().hex}@example.org"
    command = [sys.executable, "-m", "app.cli", "account", f" {email.upper()}", "--role", "viewer"]

    subprocess.run(command, cwd=ROOT, env=system.environment(ACCOUNT_PASSWORD=PASSWORD), check=True)

    assert sign_in(system, email).json()["user"]["role"] == "viewer"


def test_the_same_again_leaves_it_signed_in(system: System, user: User) -> None:
    before = system.sql("SELECT password_hash, role FROM users WHERE id = %s", user.id)

    assert account(system, user.email) == ""

    assert system.sql("SELECT password_hash, role FROM users WHERE id = %s", user.id) == before
    assert system.sql("SELECT 1 FROM sessions WHERE user_id = %s AND revoked_at IS NULL", user.id)


def test_another_role_signs_it_out(system: System, user: User) -> None:
    assert account(system, user.email, "--role", "viewer") == ""

    wait_for("the refusal", lambda: refused(user), LIMIT)
    assert sign_in(system, user.email).json()["user"]["role"] == "viewer"


def test_a_password_is_checked_and_hashed_outside_of_transactions(
    system: System, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine that takes longer than Postgres lets a transaction idle."""
    open_meanwhile: list[object] = []

    def looks(function: Callable[..., Any]) -> Callable[..., Any]:
        def look(*args: Any) -> Any:
            open_meanwhile.append(
                system.sql(
                    """SELECT pid FROM pg_stat_activity WHERE datname = current_database()
                       AND state LIKE 'idle in transaction%%' AND query LIKE '%%FROM users%%'"""
                )
            )
            return function(*args)

        return look

    for name in ("verify", "hash_password"):
        monkeypatch.setattr(passwords, name, looks(getattr(passwords, name)))

    assert account(system, user.email, "--role", "viewer") == ""

    assert open_meanwhile == [[], []]
    assert sign_in(system, user.email).json()["user"]["role"] == "viewer"


def test_a_tenant_is_set_kept_and_taken_away(system: System, user: User) -> None:
    assert account(system, user.email, "--tenant", " acme ") == ""
    wait_for("the refusal", lambda: refused(user), LIMIT)
    assert sign_in(system, user.email).json()["user"]["tenant"] == "acme"

    assert account(system, user.email, "--tenant", "acme") == ""
    assert system.sql("SELECT 1 FROM sessions WHERE user_id = %s AND revoked_at IS NULL", user.id)

    assert account(system, user.email) == ""
    assert sign_in(system, user.email).json()["user"]["tenant"] is None


def test_another_password_signs_it_out(system: System, user: User) -> None:
    assert account(system, user.email, password="another battery") == ""

    wait_for("the refusal", lambda: refused(user), LIMIT)
    problem(sign_in(system, user.email), 401)
    assert sign_in(system, user.email, "another battery").status_code == 200


def test_a_closed_account_is_signed_out_and_stays_out(system: System, user: User) -> None:
    user.finished(user.start("test_echo"))

    assert account(system, user.email, "--close", password="") == ""

    wait_for("the refusal", lambda: refused(user), LIMIT)
    problem(sign_in(system, user.email), 401)
    assert system.sql("SELECT count(*) FROM tasks WHERE user_id = %s", user.id) == [(1,)]


def test_what_is_refused_is_one_line(system: System) -> None:
    for complaint in (
        account(system, "somebody@example.org", password="short"),
        account(system, "nobody@example.org", "--close"),
        account(system, "somebody@example.org", "--tenant", "a\nb"),
        account(system, "somebody@example.org", "--tenant", "x" * 129),
    ):
        assert complaint.startswith("taskroom: ")
        assert "\n" not in complaint
