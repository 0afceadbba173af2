"""More web processes over the same database, one of each kind. What needs one stands in one file, for each file may run
in a process that has to start its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from tests.api.external import STARTED, Worker, accepted
from tests.support.issuer import Issuer
from tests.support.system import PASSWORD, System, User


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


@pytest.fixture(scope="module")
def service(system: System) -> Iterator[User]:
    """The account of a worker, of those that have no tenant."""
    service = system.user("worker")
    with closing(service.client):
        yield service


@pytest.fixture
def browser(system: System, user: User) -> Iterator[httpx.Client]:
    """A client that is signed in by cookies alone."""
    with httpx.Client(base_url=system.url, timeout=30) as client:
        login = {"email": user.email, "password": PASSWORD}
        assert client.post("/api/v2/auth/login", json=login).status_code == 200
        yield client


@pytest.fixture
def waiting(user: User) -> str:
    """A task that no Celery worker takes."""
    return user.start("test_outside", text="three pages")


@pytest.fixture
def worker(service: User, waiting: str) -> Worker:
    worker = Worker(service, waiting)
    accepted(worker.send(STARTED))
    return worker
