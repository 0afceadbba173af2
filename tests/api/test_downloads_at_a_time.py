"""A download lasts for as long as its reader takes, so of one user there are only so many."""

from __future__ import annotations

import socket
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import httpx
import pytest

from app.http.concurrency import DOWNLOADS_PER_USER
from tests.api.answers import problem
from tests.api.writing import task_with_logs
from tests.support.system import System, User, wait_for


def path(task_id: str) -> str:
    return f"/api/v2/tasks/{task_id}/logs/download"


def begun(system: System, user: User, task_id: str) -> socket.socket:
    """A download that is not read beyond its first byte."""
    address = urlsplit(system.url)
    connection = socket.create_connection((str(address.hostname), int(address.port or 80)), 60)
    connection.sendall(
        f"GET {path(task_id)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {user.token}\r\n\r\n".encode()
    )
    assert connection.recv(1)
    return connection


@pytest.mark.slow
def test_a_user_has_four_downloads_at_a_time_and_others_have_theirs(
    system: System, user: User, other: User
) -> None:
    lines = [{"message": "x" * 16_000, "level": "INFO"} for _ in range(100)]
    long, short = task_with_logs(system, user, lines, 10), task_with_logs(system, other, lines[:1], 1)

    def asked(client: httpx.Client, task_id: str) -> httpx.Response:
        return client.get(path(task_id))

    with ExitStack() as stack:
        first, *_ = [
            stack.enter_context(closing(begun(system, user, long))) for _ in range(DOWNLOADS_PER_USER)
        ]

        refused = asked(user.client, long)

        problem(refused, 429)
        assert refused.headers["Retry-After"] == "5"
        assert asked(other.client, short).status_code == 200
        assert user.client.head(path(long)).status_code == 429
        first.close()
        wait_for("its place is free", lambda: asked(user.client, long).status_code == 200)


@pytest.mark.slow
def test_one_whose_body_is_not_asked_for_leaves_its_place(system: System, user: User) -> None:
    task_id = task_with_logs(system, user, [{"message": "x", "level": "INFO"}], 1)

    statuses = {user.client.head(path(task_id)).status_code for _ in range(2 * DOWNLOADS_PER_USER)}

    assert statuses == {200}
