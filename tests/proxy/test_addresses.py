"""Whose address counts: the limit on wrong passwords is one for each address and account."""

from __future__ import annotations

import httpx

from tests.proxy.conftest import Site
from tests.support.system import System, User

LIMIT = 10  # a minute


def wrong_passwords(url: str, email: str, forwarded: list[str]) -> list[int]:
    """The statuses of sign-ins that fail, each with that X-Forwarded-For."""
    with httpx.Client(base_url=url, timeout=30) as client:
        body = {"email": email, "password": "wrong"}
        return [
            client.post("/api/v2/auth/login", json=body, headers={"X-Forwarded-For": name}).status_code
            for name in forwarded
        ]


FORGED = [f"192.0.2.{n}" for n in range(LIMIT + 1)]


def test_without_trusted_proxies_nobody_may_name_an_address(system: System, user: User) -> None:
    with system.web(TASKROOM_BENCH="0") as url:
        assert wrong_passwords(url, user.email, FORGED) == [401] * LIMIT + [429]


def test_behind_nginx_the_address_is_the_one_that_nginx_saw(site: Site, user: User, other: User) -> None:
    assert wrong_passwords(site.url, user.email, FORGED) == [401] * LIMIT + [429]
    # What nginx adds is taken: from different clients they would count apart.
    assert wrong_passwords(site.urls[1], other.email, FORGED) == [401] * (LIMIT + 1)
