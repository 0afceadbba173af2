"""``python -m app.cli account``."""

from __future__ import annotations

import subprocess
import sys
import uuid

import httpx

from tests.api.answers import problem
from tests.support.system import PASSWORD, ROOT, System, User, wait_for

TASKS = "/api/v2/tasks"


def account(system: System, *arguments: str, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app.cli", "account", *arguments],
        cwd=ROOT,
        env=system.environment(ACCOUNT_PASSWORD=password),
        capture_output=True,
        text=True,
        timeout=60,
    )


def sign_in(system: System, email: str, password: str = PASSWORD) -> httpx.Response:
    return httpx.post(f"{system.url}/api/v2/auth/login", json={"email": email, "password": password})


def refused(user: User) -> bool:
    return user.client.get(TASKS).status_code == 401


def test_a_new_account_can_sign_in(system: System) -> None:
    email = f"{uuid.uuid4().hex}@example.org"

    assert account(system, f" {email.upper()}", "--role", "viewer").returncode == 0

    assert sign_in(system, email).json()["user"]["role"] == "viewer"


def test_the_same_again_leaves_it_signed_in(system: System, user: User) -> None:
    before = system.sql("SELECT password_hash, role FROM users WHERE id = %s", user.id)

    assert account(system, user.email).returncode == 0

    assert system.sql("SELECT password_hash, role FROM users WHERE id = %s", user.id) == before
    assert system.sql("SELECT 1 FROM sessions WHERE user_id = %s AND revoked_at IS NULL", user.id)


def test_another_role_signs_it_out(system: System, user: User) -> None:
    assert account(system, user.email, "--role", "viewer").returncode == 0

    wait_for("the refusal", lambda: refused(user), 2.5)
    assert sign_in(system, user.email).json()["user"]["role"] == "viewer"


def test_a_tenant_is_set_kept_and_taken_away(system: System, user: User) -> None:
    assert account(system, user.email, "--tenant", " acme ").returncode == 0
    wait_for("the refusal", lambda: refused(user), 2.5)
    assert sign_in(system, user.email).json()["user"]["tenant"] == "acme"

    assert account(system, user.email, "--tenant", "acme").returncode == 0
    assert system.sql("SELECT 1 FROM sessions WHERE user_id = %s AND revoked_at IS NULL", user.id)

    assert account(system, user.email).returncode == 0
    assert sign_in(system, user.email).json()["user"]["tenant"] is None


def test_another_password_signs_it_out(system: System, user: User) -> None:
    assert account(system, user.email, password="another battery").returncode == 0

    wait_for("the refusal", lambda: refused(user), 2.5)
    problem(sign_in(system, user.email), 401)
    assert sign_in(system, user.email, "another battery").status_code == 200


def test_a_closed_account_is_signed_out_and_stays_out(system: System, user: User) -> None:
    user.finished(user.start("test_echo"))

    assert account(system, user.email, "--close", password="").returncode == 0

    wait_for("the refusal", lambda: refused(user), 2.5)
    problem(sign_in(system, user.email), 401)
    assert system.sql("SELECT count(*) FROM tasks WHERE user_id = %s", user.id) == [(1,)]


def test_what_is_refused_is_one_line(system: System) -> None:
    for done in (
        account(system, "somebody@example.org", password="short"),
        account(system, "nobody@example.org", "--close"),
        account(system, "somebody@example.org", "--tenant", "a\nb"),
        account(system, "somebody@example.org", "--tenant", "x" * 129),
    ):
        assert done.returncode == 1
        assert done.stderr.startswith("taskroom: ")
        assert done.stderr.count("\n") == 1, done.stderr
