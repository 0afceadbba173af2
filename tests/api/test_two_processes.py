"""What two web processes know of each other: a session that has ended is refused by both, and viewers are counted over
both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import pytest

from tests.api.answers import problem
from tests.api.refreshing import COOKIE, REFRESH, pass_grace, refresh_with, session_of
from tests.api.waits import LIMIT
from tests.support.system import System, User, wait_for
from tests.support.viewers import SocketViewer, SseViewer, Viewer

pytestmark = pytest.mark.slow

TYPES = "/api/v2/jobs/types"  # is answered without Postgres once the process has asked it


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
def gone(system: System) -> Iterator[User]:
    """Who has signed out before the second process starts."""
    user = system.user()
    assert user.client.post("/api/v2/auth/logout").status_code == 204
    yield user
    user.client.close()


@pytest.fixture(scope="module")
def second(system: System, gone: User) -> Iterator[str]:
    with system.web() as url:
        yield url


def test_another_process_hears_of_it(system: System, second: str, user: User, waiting: str) -> None:
    viewer = SseViewer(second, user, waiting)
    viewer.open(0)
    viewer.control("connected")
    with refused_soon(user, second):
        assert user.client.post("/api/v2/auth/logout").status_code == 204
        problem(user.client.get(TYPES), 401)
    assert viewer.closed.wait(LIMIT)
    viewer.close()


def test_a_lost_message_is_made_up_for(system: System, second: str, user: User, waiting: str) -> None:
    viewer = SseViewer(second, user, waiting)
    viewer.open(0)
    viewer.control("connected")
    with refused_soon(user, second):
        end(system, user)
    assert viewer.closed.wait(LIMIT)
    viewer.close()


def test_a_process_that_starts_later_knows(gone: User, second: str) -> None:
    problem(gone.client.get(second + TYPES), 401)


def test_a_changed_account_is_signed_out(system: System, second: str, user: User) -> None:
    with refused_soon(user, second):
        system.sql("UPDATE users SET role = 'viewer' WHERE id = %s", user.id)
    wait_for("the refusal", lambda: status(user, system.url) == 401, LIMIT)
    again = system.sign_in(user.email)
    problem(again.post("/api/v2/agent/start", json={"job_type": "test_echo"}), 403)
    assert status(User(user.id, user.email, "", again), second) == 200
    again.close()


def test_an_old_refresh_token_ends_the_session_and_what_it_has_open(
    browser: httpx.Client, system: System, second: str, user: User, waiting: str
) -> None:
    old, session_id = browser.cookies[COOKIE], session_of(browser)
    mine = User(user.id, user.email, browser.post(REFRESH).json()["access_token"], browser)
    viewer = SseViewer(second, mine, waiting)
    viewer.open(0)
    viewer.control("connected")
    pass_grace(system, session_id)

    problem(refresh_with(system, old), 401)

    problem(browser.get(TYPES), 401)
    problem(browser.post(REFRESH), 401)
    assert viewer.closed.wait(LIMIT), "in another process too"
    wait_for("the refusal there", lambda: browser.get(second + TYPES).status_code == 401, LIMIT)
    viewer.close()
    assert status(user, system.url) == 200, "the account's other session goes on"
    written = "".join(path.read_text(errors="replace") for path in system.home.glob("web-*.log"))
    (line,) = [line for line in written.splitlines() if session_id in line]
    assert "refresh token" in line
    assert old not in written and user.email not in line


def test_a_refreshed_token_carries_the_role_of_now_and_ends_with_its_session(
    system: System, user: User
) -> None:
    with httpx.Client(base_url=system.url, timeout=60) as browser:
        login = {"email": user.email, "password": "correct horse battery"}
        assert browser.post("/api/v2/auth/login", json=login).json()["user"]["role"] == "operator"
        assert browser.post("/api/v2/auth/refresh").json()["user"]["role"] == "operator"
        end(system, user)
        problem(browser.post("/api/v2/auth/refresh"), 401)


def watching(system: System, user: User, task_id: str, url: str) -> int:
    with closing(system.sign_in(user.email, url)) as client:
        return int(client.get(f"/api/v2/tasks/{task_id}/viewers").json()["viewers"])


def test_viewers_are_counted_over_both_transports_and_all_processes(
    system: System, second: str, user: User, waiting: str
) -> None:
    opened: list[Viewer] = [SseViewer(system.url, user, waiting), SocketViewer(system.url, user, waiting)]
    opened += [SocketViewer(second, user, waiting), SocketViewer(second, user, waiting)]
    assert watching(system, user, waiting, second) == 0
    for viewer in opened:
        viewer.open(0)
    for url in (system.url, second):
        wait_for("all four", lambda url=url: watching(system, user, waiting, url) == 4)
    for viewer in opened[1:]:
        viewer.close()
    for url in (system.url, second):
        wait_for("the one that is left", lambda url=url: watching(system, user, waiting, url) == 1)
    opened[0].close()
