from __future__ import annotations

import uuid
from contextlib import closing

import httpx
import pytest

from tests.api import patient
from tests.api.answers import problem
from tests.support.system import PASSWORD, System, User

LOGIN, REFRESH, LOGOUT, TICKET = (f"/api/v2/auth/{what}" for what in ("login", "refresh", "logout", "ticket"))
TASKS = "/api/v2/tasks"


def test_login_answers_who_and_sets_cookies_that_scripts_cannot_read(system: System, user: User) -> None:
    answer = patient.post(system.url + LOGIN, json={"email": f" {user.email.upper()} ", "password": PASSWORD})

    body = answer.json()
    assert answer.status_code == 200
    assert body.keys() == {"access_token", "expires_in", "user"}
    assert body["expires_in"] == 900
    assert body["user"] == {"id": user.id, "email": user.email, "role": "operator", "tenant": None}
    cookies = {line.partition("=")[0]: line for line in answer.headers.get_list("set-cookie")}
    assert cookies.keys() == {"access_token_cookie", "refresh_token_cookie", "stream_token_cookie"}
    for line in cookies.values():
        assert "HttpOnly" in line and "SameSite=Lax" in line
    assert "Path=/api/v2/auth" in cookies["refresh_token_cookie"]
    assert "Path=/;" in cookies["access_token_cookie"] + ";"


@pytest.mark.slow
def test_cookies_travel_encrypted_only_in_production(production: str, system: System, user: User) -> None:
    answer = patient.post(production + LOGIN, json={"email": user.email, "password": PASSWORD})

    assert answer.status_code == 200
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 3 and all("; Secure" in line for line in cookies)
    embedded = patient.post(system.url + LOGIN, json={"email": user.email, "password": PASSWORD})
    plain = embedded.headers.get_list("set-cookie")
    assert len(plain) == 3 and not any("Secure" in line for line in plain)


def test_a_wrong_password_and_an_unknown_address_look_the_same(system: System, user: User) -> None:
    wrong = patient.post(system.url + LOGIN, json={"email": user.email, "password": "wrong"})
    unknown = patient.post(
        system.url + LOGIN, json={"email": f"{uuid.uuid4().hex}@x.org", "password": PASSWORD}
    )

    assert problem(wrong, 401) == problem(unknown, 401)
    assert not wrong.headers.get_list("set-cookie")
    assert wrong.headers["WWW-Authenticate"] == "Bearer"


def test_refresh_by_cookie_gives_a_new_access_token(browser: httpx.Client, user: User) -> None:
    browser.cookies.delete("access_token_cookie")

    answer = browser.post(REFRESH)

    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == user.id
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert patient.get(str(browser.base_url) + TASKS, headers=bearer).status_code == 200
    assert browser.get(TASKS).status_code == 200, "the new access cookie"


def test_refresh_without_or_with_an_access_token_for_a_cookie_is_401(system: System, user: User) -> None:
    problem(patient.post(system.url + REFRESH), 401)
    problem(patient.post(system.url + REFRESH, cookies={"refresh_token_cookie": user.token}), 401)


def test_logout_ends_access_and_refresh_tokens_at_once(browser: httpx.Client, system: System) -> None:
    cookies = dict(browser.cookies)
    bearer = {"Authorization": f"Bearer {cookies['access_token_cookie']}"}

    answer = browser.post(LOGOUT)

    assert answer.status_code == 204
    assert not browser.cookies, "the answer takes the cookies back"
    problem(patient.get(system.url + TASKS, cookies=cookies), 401)
    problem(patient.get(system.url + TASKS, headers=bearer), 401)
    problem(patient.post(system.url + REFRESH, cookies=cookies), 401)


def test_logout_ends_this_session_and_no_other(browser: httpx.Client, user: User) -> None:
    browser.post(LOGOUT)

    assert user.client.get(TASKS).status_code == 200


def test_logout_works_when_only_the_refresh_token_is_left(browser: httpx.Client, system: System) -> None:
    cookies = dict(browser.cookies)
    browser.cookies.delete("access_token_cookie")

    assert browser.post(LOGOUT).status_code == 204
    problem(patient.get(system.url + TASKS, cookies=cookies), 401)


def test_logout_closes_an_open_stream(system: System, user: User) -> None:
    task_id = user.start("test_endless")
    with (
        closing(system.sign_in(user.email)) as mine,
        mine.stream("GET", f"{TASKS}/{task_id}/stream", params={"types": "task_status"}) as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines).startswith("retry:")
        mine.post(LOGOUT)
        assert not any(line == "event: end" for line in lines), "closed, though the task has not ended"
    user.client.post(f"{TASKS}/{task_id}/cancel")
    user.finished(task_id)


def test_a_ticket_opens_one_stream_once_and_nothing_else(system: System, user: User) -> None:
    task_id = user.start("test_echo")
    user.finished(task_id)
    made = user.client.post(TICKET).json()
    ticket = {"ticket": made["ticket"]}
    assert made["expires_in"] == 30

    problem(patient.get(system.url + TASKS, params=ticket), 401)
    problem(patient.post(f"{system.url}{TASKS}/{task_id}/cancel", params=ticket), 401)
    first = patient.get(f"{system.url}{TASKS}/{task_id}/stream", params=ticket)
    second = patient.get(f"{system.url}{TASKS}/{task_id}/stream", params=ticket)

    assert first.status_code == 200 and "event: end" in first.text
    problem(second, 401)


@pytest.mark.parametrize("ticket", ["never made", "\0", "é", ""])
def test_a_ticket_that_never_was_is_refused(system: System, user: User, ticket: str) -> None:
    task_id = user.start("test_echo")

    answer = patient.get(f"{system.url}{TASKS}/{task_id}/stream", params={"ticket": ticket})

    problem(answer, 422 if "\0" in ticket else 401)


def test_a_ticket_lasts_thirty_seconds(system: System, user: User) -> None:
    task_id = user.start("test_echo")
    (before,) = system.sql("SELECT now() + interval '30 s'")[0]
    ticket = user.client.post(TICKET).json()["ticket"]
    (after,) = system.sql("SELECT now() + interval '30 s'")[0]
    of_user = "WHERE session_id IN (SELECT id FROM sessions WHERE user_id = %s)"
    ((expires_at,),) = system.sql(f"SELECT expires_at FROM tickets {of_user}", user.id)
    system.sql(f"UPDATE tickets SET expires_at = now() {of_user}", user.id)

    answer = patient.get(f"{system.url}{TASKS}/{task_id}/stream", params={"ticket": ticket})

    problem(answer, 401)
    assert before <= expires_at <= after


def test_a_ticket_ends_with_its_session(system: System, user: User) -> None:
    task_id = user.start("test_echo")
    ticket = user.client.post(TICKET).json()["ticket"]
    user.client.post(LOGOUT)

    problem(patient.get(f"{system.url}{TASKS}/{task_id}/stream", params={"ticket": ticket}), 401)


def test_a_viewer_may_look_and_not_act(system: System) -> None:
    viewer = system.user("viewer")
    absent = f"{TASKS}/{uuid.uuid4()}"

    assert viewer.client.get(TASKS).status_code == 200
    problem(viewer.client.post("/api/v2/agent/start", json={"job_type": "test_echo"}), 403)
    problem(viewer.client.post(f"{absent}/cancel"), 404)
    problem(viewer.client.post(f"{absent}/retry"), 404)
    viewer.client.close()
