"""Five thousand viewers that come back at the same moment: Postgres is asked for rooms, not for viewers."""

from __future__ import annotations

import re
import selectors
import socket
from collections import Counter
from contextlib import closing
from urllib.parse import urlsplit

import psycopg2
import pytest

from tests.outages.conftest import World
from tests.support.system import User, wait_for

VIEWERS = 5_000
EVENT = re.compile(rb"^id: (\d+)\nevent: (?!connected|end)", re.M)
STATEMENT = re.compile(rb" statement: +(.*(?:\n\t.*)*)")  # all lines of it but the first begin with a tab


def statements(world: World, *named: str) -> Counter[bytes]:
    """How often Postgres was sent each statement that names one of these, since it logs them."""
    log = (world.system.home / "postgres.log").read_bytes()
    return Counter(s for s in STATEMENT.findall(log) if any(name.encode() in s for name in named))


def log_statements(world: World, which: str) -> None:
    with closing(psycopg2.connect(world.system.database_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cur:
            cur.execute("ALTER SYSTEM SET log_statement = %s", (which,))
            cur.execute("SELECT pg_reload_conf()")


def all_at_once(url: str, user: User, task_id: str, cursors: list[int]) -> list[bytes]:
    """Opens a stream after each cursor, and reads all to their ends."""
    address = urlsplit(url)
    selector, got = selectors.DefaultSelector(), [b""] * len(cursors)
    for n, cursor in enumerate(cursors):
        viewer = socket.create_connection((str(address.hostname), int(address.port or 80)))
        request = (
            f"GET /api/v2/tasks/{task_id}/stream HTTP/1.0\r\nHost: {address.netloc}\r\n"
            f"Authorization: Bearer {user.token}\r\nLast-Event-ID: {cursor}\r\nAccept: text/event-stream\r\n\r\n"
        )
        viewer.sendall(request.encode())
        selector.register(viewer, selectors.EVENT_READ, n)
    left = len(cursors)
    while left:
        ready = selector.select(60)
        assert ready, f"{left} streams say nothing more"
        for key, _ in ready:
            viewer = key.fileobj
            assert isinstance(viewer, socket.socket)
            data = viewer.recv(262_144)
            got[key.data] += data
            if not data:
                selector.unregister(viewer)
                viewer.close()
                left -= 1
    return got


@pytest.mark.alone
def test_five_thousand_come_back_at_once_and_postgres_is_asked_per_room(world: World, user: User) -> None:
    task_id = user.start("emit_load", events=300, rate=0, message_bytes=50)
    last = user.finished(task_id)["sequence"]
    cursors = [n % (last - 1) for n in range(VIEWERS)]
    log_statements(world, "all")
    wait_for("the statements to be logged", lambda: user.get("tasks") and statements(world, user.id))
    before = statements(world, task_id, user.id)

    got = all_at_once(world.system.url, user, task_id, cursors)

    asked = statements(world, task_id, user.id) - before
    log_statements(world, "none")
    for cursor, text in zip(cursors, got, strict=True):
        assert [int(n) for n in EVENT.findall(text)] == list(range(cursor + 1, last + 1))
        assert b"event: end" in text
    # What a join asks names the task or who joins. What comes by the clock meanwhile names neither: how much of it
    # there is, and how often a transaction begins and ends, is a matter of the machine's speed.
    assert 0 < asked.total() < VIEWERS / 10, asked.most_common(3)
