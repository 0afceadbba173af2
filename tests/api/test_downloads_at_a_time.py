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
from tests.support.shares import share
from tests.support.system import System, User, wait_for


def path(task_id: str) -> str:
    return f"/api/v2/tasks/{task_id}/logs/download"


def asking(system: System, token: str, task_id: str, source: str) -> tuple[socket.socket, int]:
    """A download that is not read beyond its status, from an address of this machine; and the status."""
    address = urlsplit(system.url)
    server = str(address.hostname), int(address.port or 80)
    connection = socket.create_connection(server, 60, source_address=(source, 0))
    connection.sendall(
        f"GET {path(task_id)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    first = b""
    while len(first) < 12:
        first += connection.recv(12 - len(first))
    return connection, int(first[9:])


def begun(system: System, user: User, task_id: str) -> socket.socket:
    connection, status = asking(system, user.token, task_id, "127.0.0.1")
    assert status == 200
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


@pytest.mark.slow
@pytest.mark.parametrize("many", ["shares", "accounts of one address"])
def test_who_has_many_names_leaves_places_to_others(
    system: System, user: User, other: User, many: str
) -> None:
    """Shares of one user, from an address each; or accounts, all from one."""
    lines = [{"message": "x" * 16_000, "level": "INFO"} for _ in range(100)]
    short = task_with_logs(system, other, lines[:1], 1)
    with ExitStack() as stack:
        if many == "shares":
            long = task_with_logs(system, user, lines, 10)
            names = [(share(user, long)["token"], long, f"127.0.0.{n}") for n in range(2, 8)]
        else:
            accounts = [system.user() for _ in range(6)]
            for each in accounts:
                stack.enter_context(closing(each.client))
            names = [(each.token, task_with_logs(system, each, lines, 10), "127.0.0.9") for each in accounts]
        statuses = []
        for token, task_id, source in names * DOWNLOADS_PER_USER:
            connection, status = asking(system, token, task_id, source)
            stack.callback(connection.close)
            statuses.append(status)

        assert (statuses.count(200), statuses.count(429)) == (16, 8)
        assert other.client.get(path(short)).status_code == 200
