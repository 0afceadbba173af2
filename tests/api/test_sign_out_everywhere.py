"""A session that has ended is refused in two seconds by every process, whatever is away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.api.answers import problem
from tests.support.line import Line
from tests.support.system import System, User, wait_for
from tests.support.viewers import SseViewer

TYPES = "/api/v2/jobs/types"  # asks Postgres for nothing of its own
LIMIT = 2.5  # two seconds, and a request's time


def status(user: User, url: str) -> int:
    return user.client.get(url + TYPES).status_code


def end(system: System, user: User) -> None:
    """As a sign-out does in another process whose message was lost."""
    assert system.sql("UPDATE sessions SET revoked_at = now() WHERE user_id = %s RETURNING id", user.id)


@contextmanager
def refused_soon(user: User, url: str) -> Iterator[None]:
    assert status(user, url) == 200
    yield
    wait_for("the refusal", lambda: status(user, url) == 401, LIMIT)


@pytest.fixture(scope="module")
def second(system: System) -> Iterator[str]:
    with system.web() as url:
        yield url


@pytest.fixture
def watching(user: User) -> Iterator[str]:
    """A task that goes on, to have a stream open on."""
    task_id = user.start("test_quiet")
    yield task_id
    # The account's own token is refused by now.


def test_another_process_hears_of_it(system: System, second: str, user: User, watching: str) -> None:
    viewer = SseViewer(second, user, watching)
    viewer.open(0)
    viewer.control("connected")
    with refused_soon(user, second):
        assert user.client.post("/api/v2/auth/logout").status_code == 204
        problem(user.client.get(TYPES), 401)
    assert viewer.closed.wait(LIMIT)
    viewer.close()
    system.sql("UPDATE streams SET cancel_requested = true WHERE name = %s", f"task:{watching}")


def test_a_lost_message_is_made_up_for(system: System, second: str, user: User, watching: str) -> None:
    viewer = SseViewer(second, user, watching)
    viewer.open(0)
    viewer.control("connected")
    with refused_soon(user, second):
        end(system, user)
    assert viewer.closed.wait(LIMIT)
    viewer.close()
    system.sql("UPDATE streams SET cancel_requested = true WHERE name = %s", f"task:{watching}")


def test_without_redis_it_is_read(system: System, without_redis: str, user: User) -> None:
    with refused_soon(user, without_redis):
        assert user.client.post("/api/v2/auth/logout").status_code == 204


def test_a_process_that_starts_later_knows(system: System, user: User) -> None:
    assert user.client.post("/api/v2/auth/logout").status_code == 204
    with system.web() as url:
        problem(user.client.get(url + TYPES), 401)


def test_without_postgres_nobody_is_trusted_for_long(
    system: System, behind_line: str, line: Line, user: User, other: User
) -> None:
    assert status(user, behind_line) == status(other, behind_line) == 200
    line.cut()
    try:
        assert status(user, behind_line) == 200, "a request with a known token asks Postgres for no session"
        other.client.post("/api/v2/auth/logout")
        wait_for("the refusal, by the message alone", lambda: status(other, behind_line) == 401, LIMIT)
        wait_for("asking Postgres in vain", lambda: status(user, behind_line) == 503, 10)
        end(system, user)
    finally:
        line.mend()
    wait_for("Postgres to be asked again", lambda: status(user, behind_line) != 503, 10)
    assert status(user, behind_line) == 401


def test_a_changed_account_is_signed_out(system: System, second: str, user: User) -> None:
    with refused_soon(user, second):
        system.sql("UPDATE users SET role = 'viewer' WHERE id = %s", user.id)
    wait_for("the refusal", lambda: status(user, system.url) == 401, LIMIT)
    again = system.sign_in(user.email)
    problem(again.post("/api/v2/agent/start", json={"job_type": "test_echo"}), 403)
    assert status(User(user.id, user.email, "", again), second) == 200
    again.close()


def test_a_refreshed_token_carries_the_role_of_now_and_ends_with_its_session(
    system: System, user: User
) -> None:
    with httpx.Client(base_url=system.url) as browser:
        login = {"email": user.email, "password": "correct horse battery"}
        assert browser.post("/api/v2/auth/login", json=login).json()["user"]["role"] == "operator"
        assert browser.post("/api/v2/auth/refresh").json()["user"]["role"] == "operator"
        end(system, user)
        problem(browser.post("/api/v2/auth/refresh"), 401)
