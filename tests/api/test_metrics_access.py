"""Who may see /metrics: whoever shows the token, and without one only who sits at the machine of an embedded run."""

from __future__ import annotations

from functools import cache

import pytest
from flask import Flask

from app.config import Config
from app.errors import ConfigurationError
from tests.api.fakes import FakePostgres
from tests.api.small import small_app

TOKEN = "a token of Prometheus"
ENV = {"SECRET_KEY": "x" * 32, "DATABASE_URL": "postgresql://h/d", "REDIS_URL": "redis://h"}


@cache
def app(**settings: object) -> Flask:
    """One for all tests with these settings: it takes longer to make than to ask."""
    return small_app(FakePostgres(), **settings)


def status(address: str, headers: dict[str, str], **settings: object) -> int:
    client = app(**settings).test_client()
    return client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address}).status_code


@pytest.mark.parametrize("embedded", [True, False])
@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "203.0.113.7"])
@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": f"bearer  {TOKEN}"}, 200),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": f"Bearer {TOKEN}x"}, 401),
        ({"Authorization": "Bearer é"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({}, 401),
    ],
)
def test_with_a_token_who_shows_it_and_nobody_else(
    embedded: bool, address: str, shown: dict[str, str], expected: int
) -> None:
    assert status(address, shown, embedded=embedded, metrics_token=TOKEN) == expected


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "203.0.113.7"])
@pytest.mark.parametrize("shown", [{}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {TOKEN}"}])
def test_without_a_token_nobody_in_production(address: str, shown: dict[str, str]) -> None:
    assert status(address, shown) == 404


@pytest.mark.parametrize(
    "added",
    [
        {"X-Forwarded-For": "203.0.113.7"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Real-IP": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-Host": "taskroom.example.org"},
        {"Via": "1.1 proxy"},
    ],
)
def test_behind_a_proxy_at_this_machine_the_world_does_not_sit_here(added: dict[str, str]) -> None:
    assert status("127.0.0.1", {}, embedded=True) == 200
    assert status("127.0.0.1", added, embedded=True) == 404


@pytest.mark.parametrize("address", ["10.0.0.7", "192.168.1.7", "203.0.113.7", ""])
def test_a_private_address_is_not_this_machine(address: str) -> None:
    assert status(address, {}, embedded=True) == 404


def test_a_token_that_could_be_guessed_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigurationError, match="METRICS_TOKEN is shorter than 16 characters"):
        Config.from_env(ENV | {"METRICS_TOKEN": "short"})
    assert Config.from_env(ENV | {"METRICS_TOKEN": TOKEN}).metrics_token == TOKEN
    assert TOKEN not in repr(Config.from_env(ENV | {"METRICS_TOKEN": TOKEN}))
