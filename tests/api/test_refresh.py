"""A refresh token is good once; a copy that is used ends the session everywhere."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import jwt

from tests.api import patient
from tests.api.answers import problem
from tests.api.refreshing import COOKIE, REFRESH, pass_grace, refresh_with, session_of
from tests.support.system import System

LOGOUT = "/api/v2/auth/logout"
TASKS = "/api/v2/tasks"


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
        together.wait(60)
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
        "UPDATE sessions SET expires_at = now() + interval '1 hour' WHERE id = %s", session_of(browser)
    )

    answer = browser.post(REFRESH)

    claims = jwt.decode(browser.cookies[COOKIE], options={"verify_signature": False})
    assert claims["exp"] - time.time() <= 3601
    (line,) = [line for line in answer.headers.get_list("set-cookie") if line.startswith(COOKIE)]
    assert 0 < int(line.partition("Max-Age=")[2].partition(";")[0]) <= 3600
    system.sql("UPDATE sessions SET expires_at = now() WHERE id = %s", session_of(browser))
    problem(browser.post(REFRESH), 401)


def test_logout_takes_an_old_refresh_token_for_what_it_is(browser: httpx.Client, system: System) -> None:
    old = browser.cookies[COOKIE]
    browser.post(REFRESH)

    assert patient.post(system.url + LOGOUT, cookies={COOKIE: old}).status_code == 204

    problem(browser.get(TASKS), 401)
