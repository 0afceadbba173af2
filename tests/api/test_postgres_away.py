"""A web process that cannot reach Postgres for a while: it lives, says so, trusts nobody for long, and comes back."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.api import patient
from tests.api.answers import problem
from tests.api.waits import LIMIT
from tests.support.line import TcpProxy
from tests.support.system import System, User, wait_for

pytestmark = pytest.mark.slow

TYPES = "/api/v2/jobs/types"  # is answered without Postgres once the process has asked it


@pytest.fixture(scope="module")
def module_line(system: System) -> Iterator[TcpProxy]:
    line = TcpProxy(system.database_url)
    yield line
    line.close()


@pytest.fixture(scope="module")
def address(system: System, module_line: TcpProxy) -> Iterator[str]:
    with system.web(DATABASE_URL=module_line.url) as address:
        yield address


@pytest.fixture
def line(module_line: TcpProxy, address: str) -> Iterator[TcpProxy]:
    """Mended, and found to be so, before the next test."""
    yield module_line
    module_line.mend()
    wait_for("ready again", lambda: ready(address).status_code == 200, LIMIT)


def ready(address: str) -> httpx.Response:
    return patient.get(f"{address}/readyz")


def status(user: User, address: str) -> int:
    return user.client.get(address + TYPES, timeout=LIMIT).status_code


def test_it_lives_is_not_ready_and_comes_back(address: str, line: TcpProxy, user: User) -> None:
    assert ready(address).status_code == 200

    line.cut()

    answer = ready(address)
    problem(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    assert "postgres" in answer.json()["detail"].lower()
    assert patient.get(f"{address}/livez").status_code == 200
    tasks = user.client.get(f"{address}/api/v2/tasks", timeout=LIMIT)
    problem(tasks, 503)
    assert int(tasks.headers["Retry-After"]) > 0

    line.mend()

    wait_for("ready again", lambda: ready(address).status_code == 200, LIMIT)
    assert user.client.get(f"{address}/api/v2/tasks").status_code == 200


def test_nobody_is_trusted_for_long(
    system: System, address: str, line: TcpProxy, user: User, other: User
) -> None:
    assert status(user, address) == status(other, address) == 200

    line.cut()

    other.client.post("/api/v2/auth/logout")
    wait_for("the refusal, by the message alone", lambda: status(other, address) == 401, LIMIT)
    wait_for("asking Postgres in vain", lambda: status(user, address) == 503, LIMIT)
    assert system.sql("UPDATE sessions SET revoked_at = now() WHERE user_id = %s RETURNING id", user.id)
    line.mend()
    wait_for("Postgres to be asked again", lambda: status(user, address) != 503, LIMIT)
    assert status(user, address) == 401
