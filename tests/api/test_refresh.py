"""A refresh token is good once; a copy that is used ends the session everywhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import jwt
import pytest

from app.sessions import GRACE_SECONDS
from tests.api.answers import problem
from tests.support.system import PASSWORD, System, User, wait_for
from tests.support.viewers import SseViewer

LOGIN, REFRESH, LOGOUT = (f"/api/v2/auth/{what}" for what in ("login", "refresh", "logout"))
TASKS = "/api/v2/tasks"
COOKIE = "refresh_token_cookie"


@pytest.fixture
def browser(system: System, user: User) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=system.url, timeout=30) as client:
        assert client.post(LOGIN, json={"email": user.email, "password": PASSWORD}).status_code == 200
        yield client


def session_of(client: httpx.Client) -> str:
    told = jwt.decode(client.cookies[COOKIE], options={"verify_signature": False})
    return str(told["sid"])


def refresh_with(system: System, cookie: str) -> httpx.Response:
    return httpx.post(system.url + REFRESH, cookies={COOKIE: cookie})


def pass_grace(system: System, session_id: str) -> None:
    """As if the last refresh had been so long ago."""
    assert system.sql(
        "UPDATE sessions SET refreshed_at = refreshed_at - make_interval(secs => %s) WHERE id = %s RETURNING id",
        *(GRACE_SECONDS, session_id),
    )


def test_each_refresh_replaces_the_refresh_token(browser: httpx.Client, system: System) -> None:
    seen = {browser.cookies[COOKIE]}
    for _ in range(3):
        answer = browser.post(REFRESH)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert browser.cookies[COOKIE] not in seen
        seen.add(browser.cookies[COOKIE])
        pass_grace(system, session_of(browser))
    assert browser.get(TASKS).status_code == 200


def test_an_old_refresh_token_ends_the_session_and_what_it_has_open(
    browser: httpx.Client, system: System, user: User
) -> None:
    old, session_id = browser.cookies[COOKIE], session_of(browser)
    mine = User(user.id, user.email, browser.post(REFRESH).json()["access_token"], browser)
    task_id = user.start("test_quiet")
    with system.web() as second:
        viewer = SseViewer(second, mine, task_id)
        viewer.open(0)
        viewer.control("connected")
        pass_grace(system, session_id)

        problem(refresh_with(system, old), 401)

        problem(browser.get(TASKS), 401)
        problem(browser.post(REFRESH), 401)
        assert viewer.closed.wait(2.5), "in another process too"
        wait_for("the refusal there", lambda: browser.get(second + TASKS).status_code == 401, 2.5)
        viewer.close()
    assert user.client.get(TASKS).status_code == 200, "the account's other session goes on"
    user.client.post(f"{TASKS}/{task_id}/cancel")
    written = "".join(path.read_text(errors="replace") for path in system.home.glob("web-*.log"))
    (line,) = [line for line in written.splitlines() if session_id in line]
    assert "refresh token" in line
    assert old not in written and user.email not in line


def test_a_token_two_numbers_old_is_no_better_within_the_grace(browser: httpx.Client, system: System) -> None:
    first = browser.cookies[COOKIE]
    browser.post(REFRESH)
    pass_grace(system, session_of(browser))
    browser.post(REFRESH)

    problem(refresh_with(system, first), 401)
    problem(browser.post(REFRESH), 401)


def test_whose_answer_was_lost_asks_again_and_stays(browser: httpx.Client, system: System) -> None:
    before = browser.cookies[COOKIE]
    assert refresh_with(system, before).status_code == 200  # and nobody heard it

    again = browser.post(REFRESH)

    assert again.status_code == 200
    assert browser.cookies[COOKIE] != before
    pass_grace(system, session_of(browser))
    assert browser.post(REFRESH).status_code == 200, "it was given the token that counts now"


def test_tabs_that_wake_together_all_stay(browser: httpx.Client, system: System) -> None:
    cookie, together = browser.cookies[COOKIE], threading.Barrier(8)

    def wake(_: int) -> httpx.Response:
        together.wait(10)
        first = refresh_with(system, cookie)
        # Some tabs wake later, with what the first ones were given, while others are still under way.
        return refresh_with(system, first.cookies[COOKIE]) if first.status_code == 200 else first

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(wake, range(8)))

    assert [answer.status_code for answer in answers] == [200] * 8
    assert refresh_with(system, cookie).status_code == 200
    pass_grace(system, session_of(browser))
    last = refresh_with(system, answers[0].cookies[COOKIE])
    assert last.status_code == 200
    (row,) = system.sql("SELECT refreshes FROM sessions WHERE id = %s", session_of(browser))
    assert row == (2,), "once for all of them, and once after the grace"


def test_a_session_does_not_get_longer_by_being_carried_on(browser: httpx.Client, system: System) -> None:
    system.sql(
        "UPDATE sessions SET expires_at = now() + interval '1 minute' WHERE id = %s", session_of(browser)
    )

    answer = browser.post(REFRESH)

    told = jwt.decode(browser.cookies[COOKIE], options={"verify_signature": False})
    assert told["exp"] - time.time() < 65
    (line,) = [line for line in answer.headers.get_list("set-cookie") if line.startswith(COOKIE)]
    assert 0 < int(line.partition("Max-Age=")[2].partition(";")[0]) <= 60
    system.sql("UPDATE sessions SET expires_at = now() WHERE id = %s", session_of(browser))
    problem(browser.post(REFRESH), 401)


def test_logout_takes_an_old_refresh_token_for_what_it_is(browser: httpx.Client, system: System) -> None:
    old = browser.cookies[COOKIE]
    browser.post(REFRESH)

    assert httpx.post(system.url + LOGOUT, cookies={COOKIE: old}).status_code == 204

    problem(browser.get(TASKS), 401)
