"""What is otherwise where it is deployed: in one file, for the process that shows it takes seconds to start."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.api import patient
from tests.api.answers import problem
from tests.support.system import PASSWORD, System, User

pytestmark = pytest.mark.slow

LOGIN = "/api/v2/auth/login"


def test_cookies_travel_encrypted_only(production: str, user: User) -> None:
    login = {"email": user.email, "password": PASSWORD}

    answer = patient.post(production + LOGIN, json=login)

    assert answer.status_code == 200
    assert all("Secure" in line for line in answer.headers.get_list("set-cookie"))


def test_a_browser_keeps_to_tls_only_where_cookies_do(system: System, production: str) -> None:
    assert "Strict-Transport-Security" not in patient.get(f"{system.url}/livez").headers
    assert patient.get(f"{production}/livez").headers["Strict-Transport-Security"] == "max-age=31536000"


def test_webhooks_only_by_tls(production: str, user: User) -> None:
    hooks, types = f"{production}/api/v2/webhooks", ["task_completed"]

    problem(user.client.post(hooks, json={"url": "http://example.org", "event_types": types}), 422, "url")
    made = user.client.post(hooks, json={"url": "https://example.org", "event_types": types})

    assert made.status_code == 201


def test_many_wrong_passwords_for_one_address_are_429(production: str, user: User, other: User) -> None:
    with httpx.Client(base_url=production, timeout=30) as client:
        wrong = {"email": user.email, "password": "wrong"}
        # The same account, however its address is written.
        spellings = [{"email": " " * n + user.email, "password": "wrong"} for n in range(10)]
        answers = [client.post(LOGIN, json=body) for body in (*spellings, wrong)]
        right = client.post(LOGIN, json={"email": user.email.upper(), "password": PASSWORD})
        elsewhere = client.post(LOGIN, json={"email": other.email, "password": PASSWORD})

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    problem(answers[-1], 429)
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    problem(right, 429)
    assert elsewhere.status_code == 200, "an address that is attacked locks no other out"


def test_guesses_that_are_sent_at_once_are_counted_before_they_are_answered(
    production: str, user: User
) -> None:
    with httpx.Client(base_url=production, timeout=60) as client, ThreadPoolExecutor(50) as pool:
        guesses = [{"email": user.email, "password": f"wrong {n}"} for n in range(50)]
        answers = list(pool.map(lambda body: client.post(LOGIN, json=body).status_code, guesses))

    assert {401, 429} <= set(answers) <= {401, 429, 503}, "503 where too many wait for their turn"
    assert answers.count(401) <= 30
