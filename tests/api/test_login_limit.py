from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.api.answers import problem
from tests.support.system import PASSWORD, User

LOGIN = "/api/v2/auth/login"


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

    assert set(answers) == {401, 429}
    assert answers.count(401) <= 30


def test_with_redis_away_people_can_still_sign_in(without_redis: str, user: User) -> None:
    with httpx.Client(base_url=without_redis, timeout=10) as client:
        right = client.post(LOGIN, json={"email": user.email, "password": PASSWORD})
        wrong = client.post(LOGIN, json={"email": user.email, "password": "wrong"})

    assert right.status_code == 200
    problem(wrong, 401)
