"""A browser sends cookies along with what other sites make it send."""

from __future__ import annotations

import httpx
import pytest

from tests.api.answers import problem
from tests.support.system import System, User

START = "/api/v2/agent/start"
ECHO = {"job_type": "test_echo"}
FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_cookie_from_another_site_changes_nothing(browser: httpx.Client, headers: dict[str, str]) -> None:
    for path in (START, "/api/v2/auth/refresh", "/api/v2/auth/logout", "/api/v2/auth/ticket"):
        problem(browser.post(path, json=ECHO if path == START else None, headers=headers), 403)
    assert browser.get("/api/v2/tasks").json() == {"tasks": [], "next": None}


def test_a_cookie_from_this_site_acts(browser: httpx.Client, system: System) -> None:
    for headers in (
        {},
        {"Origin": system.url},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ):
        assert browser.post(START, json=ECHO, headers=headers).status_code == 202


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_bearer_token_acts_from_anywhere(user: User, headers: dict[str, str]) -> None:
    assert user.client.post(START, json=ECHO, headers=headers).status_code == 202


def test_no_other_origin_may_read_answers(user: User) -> None:
    answer = user.client.get("/api/v2/tasks", headers={"Origin": "https://evil.example"})

    assert "Access-Control-Allow-Origin" not in answer.headers
