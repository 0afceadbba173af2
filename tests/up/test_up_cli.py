"""``script/cli`` beside a supervisor with real servers, and what a second start leaves unchanged."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from app import cli as commands
from app.auth.key_text import hash_of
from app.auth.passwords import verify
from app.up.home import Home
from app.up.settings import CHECKOUT
from tests.support.system import SECRET
from tests.up.running import Running

DEMO = "demo@taskroom.local"


def cli(home: Path, *arguments: str, password: str = "a long password") -> subprocess.CompletedProcess[str]:
    names = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "TASKROOM_ENV")
    env = {name: value for name, value in os.environ.items() if name not in names}
    return subprocess.run(
        (str(CHECKOUT / "script/cli"), *arguments),
        cwd=home.parent,
        env=env
        | {"TASKROOM_HOME": home.name, "ACCOUNT_PASSWORD": password},  # relative to the caller's folder
        capture_output=True,
        text=True,
        timeout=120,
    )


def account(home: Path, email: str) -> tuple[str, str, str | None]:
    """Returns the password's hash, the role and the tenant."""
    connection = psycopg2.connect(Home.environment_in(home)["DATABASE_URL"])
    try:
        with connection, connection.cursor() as cur:
            cur.execute("SELECT password_hash, role, tenant FROM users WHERE email = %s", (email,))
            row: tuple[str, str, str | None] = cur.fetchall()[0]
            return row
    finally:
        connection.close()


@pytest.fixture
def running(migrated_root: Path) -> Iterator[Running]:
    running = Running(migrated_root, STANDIN="account")
    running.wait_for("ready")
    yield running
    running.stop()


def test_it_is_app_cli_with_the_environment_of_script_up(running: Running) -> None:
    home = running.home

    made = cli(home, "account", "you@example.org", "--role", "admin", "--tenant", "acme")
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
    assert account(home, "you@example.org")[1:] == ("admin", "acme")
    assert cli(home, "tenant", "acme", "--trial-ends", "2026-12-01").returncode == 0
    assert cli(home, "account", "you@example.org", "--close").returncode == 0
    assert not verify(account(home, "you@example.org")[0], "a long password")
    assert (home / "run/environment.json").stat().st_mode & 0o777 == 0o600

    for wrong, code in (
        (("account", "you@example.org", "--role", "king"), 2),
        (("account", "nobody@example.org", "--close"), 1),
        (("downgrade", "nowhere"), 1),
    ):
        done = cli(home, *wrong)
        assert (done.returncode, done.stdout) == (code, ""), (wrong, done)
        assert done.stderr.startswith("taskroom: ") and done.stderr.count("\n") == 1, done.stderr
    short = cli(home, "account", "you@example.org", password="short")
    assert short.stderr == "taskroom: set ACCOUNT_PASSWORD to at least 8 characters\n"


@pytest.mark.parametrize("wrong", [("account",), ("nothing",), ()], ids=str)
def test_arguments_that_are_none_end_with_code_2(
    wrong: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        commands.parse(wrong, "script/cli")

    assert left.value.code == 2
    told = capsys.readouterr()
    assert (told.out, told.err[:10], told.err.count("\n")) == ("", "taskroom: ", 1)


@pytest.mark.parametrize(
    "wrong",
    [
        ("account", " "),
        ("account", "x" * 255),
        ("account", "you@example.org", "--tenant", "a\nb"),
        ("tenant", "acme", "--trial-ends", "soon"),
    ],
    ids=str,
)
def test_a_value_that_is_none_is_named_in_one_line(
    wrong: tuple[str, ...], database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("SECRET_KEY", SECRET)
    monkeypatch.setenv("ACCOUNT_PASSWORD", "a long password")

    with pytest.raises(SystemExit) as left:
        commands.run(commands.parse(wrong, "script/cli"))

    said = str(left.value.code)  # Python prints it and ends with code 1
    assert said.startswith("taskroom: ") and "\n" not in said


def test_a_second_start_keeps_role_and_tenant_of_the_demo_account(running: Running) -> None:
    home = running.home
    password = running.wait_for("login").split()[-1]
    changed = cli(home, "account", DEMO, "--role", "admin", "--tenant", "acme", password=password)
    assert changed.returncode == 0, changed.stderr
    before = account(home, DEMO)
    assert running.stop() == 0

    again = Running(home, STANDIN="account")
    try:
        again.wait_for("ready")
        assert account(home, DEMO) == before
    finally:
        again.stop()

    other = Running(home, STANDIN="account", DEMO_PASSWORD="another password")
    try:
        other.wait_for("ready")
        made, *rest = account(home, DEMO)
        assert verify(made, "another password") and rest == ["admin", "acme"]
    finally:
        other.stop()


def keys(home: Path) -> list[tuple[str, str, list[str]]]:
    """Returns hash, e-mail and scopes of the live keys."""
    connection = psycopg2.connect(Home.environment_in(home)["DATABASE_URL"])
    try:
        with connection, connection.cursor() as cur:
            cur.execute(
                """SELECT hash, email, scopes FROM api_keys JOIN users ON users.id = user_id
                   WHERE revoked_at IS NULL"""
            )
            return cur.fetchall()
    finally:
        connection.close()


def test_it_prints_a_key_of_the_demo_account_the_same_at_each_start(running: Running) -> None:
    home, all_scopes = running.home, ["report", "read", "start", "act"]
    key = running.wait_for("key ").removeprefix("key ")
    assert running.lines[-2].startswith("login ")
    assert keys(home) == [(hash_of(key), DEMO, all_scopes)]
    logs = "".join(path.read_text() for path in (home / "log").glob("*.log"))
    environment = (home / "run/environment.json").read_text()
    assert key.startswith("trk_") and key not in logs + environment
    assert running.stop() == 0

    again = Running(home, STANDIN="account")
    try:
        assert again.wait_for("key ") == f"key {key}"
        assert keys(home) == [(hash_of(key), DEMO, all_scopes)]
    finally:
        again.stop()

    given = Running(home, STANDIN="account", DEMO_KEY="trk_0123456789abcdef")
    try:
        assert given.wait_for("key ") == "key trk_0123456789abcdef"
        assert keys(home) == [(hash_of("trk_0123456789abcdef"), DEMO, all_scopes)]
    finally:
        given.stop()


def test_the_operator_makes_and_revokes_keys(running: Running) -> None:
    home = running.home

    made = cli(home, "key", "add", "backup", "--email", DEMO, "--scopes", "read")
    assert (made.returncode, made.stderr, made.stdout.count("\n")) == (0, "", 1)
    listed = cli(home, "key", "list").stdout.splitlines()
    assert [line.rpartition(" ")[2] for line in listed] == ["backup", "script/up"]
    assert cli(home, "key", "revoke", listed[0].split()[0]).returncode == 0
    assert len(keys(home)) == 1


def test_without_script_up_it_says_so_in_one_line(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    never = cli(home.root, "migrate")
    home.write_environment({"DATABASE_URL": "postgresql://127.0.0.1:1/gone"})  # of a killed script/up
    (home.run / "lock").write_text("1")
    killed = cli(home.root, "migrate")

    for done in (never, killed):
        assert done.returncode == 1
        assert done.stderr == (
            f"taskroom: script/up does not run in {home.root}; "
            "start it, or set TASKROOM_HOME to the folder it runs in\n"
        )


def test_a_script_up_that_has_just_begun_is_not_mistaken_for_an_earlier_one(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    home.write_environment({"DATABASE_URL": "postgresql://127.0.0.1:1/gone"})
    descriptor = home.lock()
    try:
        assert cli(home.root, "migrate").stderr.endswith("is not ready yet; try again in a moment\n")
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def test_help_works_while_nothing_runs(tmp_path: Path) -> None:
    done = cli(tmp_path / "nowhere", "account", "--help")

    assert done.returncode == 0 and "script/cli account" in done.stdout
