from __future__ import annotations

import uuid

import httpx

from tests.api.answers import problem
from tests.support.system import PASSWORD, System, User

LOGIN = "/api/v2/auth/login"


def test_many_wrong_passwords_are_slowed_down_and_right_ones_are_not(
    system: System, user: User, other: User
) -> None:
    with system.web(TASKROOM_BENCH="0") as url, httpx.Client(base_url=url, timeout=30) as client:
        for _ in range(15):
            assert client.post(LOGIN, json={"email": other.email, "password": PASSWORD}).status_code == 200
        wrong = {"email": user.email, "password": "wrong"}
        answers = [client.post(LOGIN, json=wrong) for _ in range(12)]

        assert [a.status_code for a in answers] == [401] * 10 + [429] * 2
        problem(answers[-1], 429)
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
        right = {"email": user.email.upper(), "password": PASSWORD}
        problem(client.post(LOGIN, json=right), 429)
        elsewhere = client.post(LOGIN, json={"email": other.email, "password": PASSWORD})
        assert elsewhere.status_code == 200, "one address that is attacked locks no other out"


def test_with_redis_away_people_can_still_sign_in(system: System, user: User) -> None:
    with system.web(TASKROOM_BENCH="0", REDIS_URL="redis://127.0.0.1:1/0") as url:
        right = httpx.post(url + LOGIN, json={"email": user.email, "password": PASSWORD}, timeout=10)
        wrong = httpx.post(
            url + LOGIN, json={"email": f"{uuid.uuid4().hex}@x.org", "password": "x"}, timeout=10
        )

    assert right.status_code == 200
    problem(wrong, 401)
