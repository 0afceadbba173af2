"""More web processes over the same database, one of each kind for all tests of REST."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.issuer import Issuer
from tests.support.system import System


@pytest.fixture(scope="session")
def production(system: System) -> Iterator[str]:
    """As it is deployed, with all its limits."""
    with system.web(TASKROOM_ENV="production", TASKROOM_BENCH="0") as url:
        yield url


@pytest.fixture(scope="session")
def without_redis(system: System) -> Iterator[str]:
    """Redis is away, and so is the broker."""
    with system.web(TASKROOM_BENCH="0", REDIS_URL="redis://127.0.0.1:1/0") as url:
        yield url


@pytest.fixture(scope="module")
def rs() -> Issuer:
    return Issuer()


@pytest.fixture(scope="module")
def es() -> Issuer:
    return Issuer(algorithm="ES256")
