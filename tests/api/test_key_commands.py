"""``python -m app.cli key``, and the key that ``account`` makes for ``script/up``."""

from __future__ import annotations

import os
import re
import sys
import uuid
from contextlib import closing
from unittest import mock

import pytest

from app import cli
from tests.api.waits import LIMIT
from tests.support.keys import holding
from tests.support.system import PASSWORD, System, User, wait_for

TASKS = "/api/v2/tasks"


def run(system: System, *arguments: str, **env: str) -> str:
    """Runs the command; raises SystemExit with what it complains of."""
    with (
        mock.patch.dict(os.environ, system.environment(**env)),
        mock.patch.object(sys, "argv", ["app.cli", *arguments]),
    ):
        cli.main()
    return ""


def refusal(system: System, *arguments: str, **env: str) -> str:
    with pytest.raises(SystemExit) as refused:
        run(system, *arguments, **env)
    return str(refused.value.code)


def test_a_key_is_printed_alone_listed_and_revoked(
    system: System, user: User, capsys: pytest.CaptureFixture[str]
) -> None:
    run(system, "key", "add", "nightly backup", "--email", user.email.upper(), "--scopes", "report,read")
    key = capsys.readouterr().out
    assert re.fullmatch(r"trk_[\w-]{43}\n", key)
    (made,) = user.get("keys")["keys"]
    assert (made["name"], made["scopes"], made["expires_at"]) == ("nightly backup", ["report", "read"], None)

    with holding(user, key.strip()) as client:
        assert client.client.get(TASKS).status_code == 200
        run(system, "key", "list", "--email", user.email)
        (line,) = capsys.readouterr().out.splitlines()
        assert line.startswith(f"{made['id']} {key[:10]}… {user.email} tenant=- scopes=report,read")
        assert line.endswith("nightly backup") and key.strip() not in line

        run(system, "key", "revoke", made["id"])
        wait_for("the refusal", lambda: client.client.get(TASKS).status_code == 401, LIMIT)


def test_a_list_of_all_has_the_keys_of_all(
    system: System, user: User, other: User, capsys: pytest.CaptureFixture[str]
) -> None:
    for person in (user, other):
        run(system, "key", "add", "x", "--email", person.email, "--scopes", "read", "--expires", "90")
    capsys.readouterr()

    run(system, "key", "list")

    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if user.email in line or other.email in line]) == 2


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (("--scopes", "read,write"), "there is no scope 'write'"),
        (("--scopes", ""), "there is no scope ''"),
        (("--scopes", "read", "--expires", "0"), "--expires"),
        (("--scopes", "read", "--expires", "3651"), "--expires"),
        (("--scopes", "read", "--tenant", "a\nb"), "--tenant"),
        (("--scopes", "read", "--tenant", "elsewhere"), "owner's tenant"),
    ],
)
def test_what_is_refused_is_one_line(
    system: System, user: User, more: tuple[str, ...], complaint: str
) -> None:
    said = refusal(system, "key", "add", "x", "--email", user.email, *more)

    assert said.startswith("taskroom: ") and complaint in said and "\n" not in said
    assert user.get("keys")["keys"] == []


def test_what_is_not_there_is_said(system: System, user: User) -> None:
    add = ("key", "add", "x", "--scopes", "read", "--email", "nobody@example.org")

    assert refusal(system, *add) == "taskroom: there is no account nobody@example.org"
    assert "printable" in refusal(system, "key", "add", "\n", "--scopes", "read", "--email", user.email)
    assert refusal(system, "key", "revoke", str(uuid.uuid4())) == "taskroom: There is no such API key"
    assert "uuid" in refusal(system, "key", "revoke", "nonsense")


def test_closing_an_account_revokes_its_keys(
    system: System, user: User, capsys: pytest.CaptureFixture[str]
) -> None:
    run(system, "key", "add", "x", "--email", user.email, "--scopes", "read")
    with holding(user, capsys.readouterr().out.strip()) as client:
        run(system, "account", user.email, "--close")

        wait_for("the refusal", lambda: client.client.get(TASKS).status_code == 401, LIMIT)


def account(system: System, email: str, key: str) -> None:
    run(system, "account", email, "--keep", ACCOUNT_PASSWORD=PASSWORD, ACCOUNT_KEY=key)


def given() -> str:
    return f"trk_given-{uuid.uuid4().hex}"


def works(user: User, key: str) -> bool:
    with holding(user, key) as client:
        return client.client.get(TASKS).status_code == 200


def test_the_given_key_is_the_accounts_with_all_scopes(system: System, user: User) -> None:
    key = given()
    account(system, user.email, key)
    account(system, user.email, key)

    (made,) = user.get("keys")["keys"]
    assert (made["name"], made["scopes"]) == ("script/up", ["report", "read", "start", "act"])
    assert works(user, key)


def test_a_given_key_lives_again_after_it_was_revoked_or_was_of_another(
    system: System, user: User, other: User
) -> None:
    key = given()
    account(system, user.email, key)
    assert user.client.delete(f"/api/v2/keys/{user.get('keys')['keys'][0]['id']}").status_code == 204
    wait_for("the refusal", lambda: not works(user, key), LIMIT)

    account(system, user.email, key)
    wait_for("the key", lambda: works(user, key), LIMIT)

    account(system, other.email, key)
    assert user.get("keys")["keys"] == []
    assert len(other.get("keys")["keys"]) == 1


def test_another_given_key_replaces_the_one_before_and_no_other(system: System, user: User) -> None:
    before, after = given(), given()
    account(system, user.email, before)
    user.client.post("/api/v2/keys", json={"name": "mine", "scopes": ["read"]})

    account(system, user.email, after)

    assert works(user, after)
    wait_for("the refusal of the old one", lambda: not works(user, before), LIMIT)
    assert [row["name"] for row in user.get("keys")["keys"]] == ["script/up", "mine"]


@pytest.mark.parametrize("key", ["trk_short", "abc_" + "x" * 20, "trk_" + "x" * 20 + " ", "trk_" + "é" * 20])
def test_what_is_no_key_is_refused(system: System, user: User, key: str) -> None:
    with pytest.raises(SystemExit, match="ACCOUNT_KEY"):
        account(system, user.email, key)


def test_the_key_of_an_account_that_was_moved_is_made_anew(system: System, user: User) -> None:
    """As a second start of script/up does, after an operator gave the demo account a tenant."""
    key = given()
    account(system, user.email, key)
    system.sql("UPDATE users SET tenant = 'acme' WHERE id = %s", user.id)
    wait_for("the refusal", lambda: not works(user, key), LIMIT)

    account(system, user.email, key)

    wait_for("the key", lambda: works(user, key), LIMIT)
    with closing(system.sign_in(user.email)) as again:
        (made,) = again.get("/api/v2/keys").json()["keys"]
    assert made["tenant"] == "acme"
