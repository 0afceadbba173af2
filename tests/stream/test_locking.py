"""How streams are locked: in the order of their ids, and no harder than their numbering needs."""

from __future__ import annotations

import threading
from contextlib import closing

import psycopg2
import pytest
from psycopg2.errors import LockNotAvailable

from app.stream.store import append, lock
from tests.stream.helpers import line, new_stream, no_projection, patient_single
from tests.support.system import wait_for
from tests.support.threads import joined


def is_free(database: str, name: str, strength: str = "NO KEY UPDATE") -> bool:
    """Whether somebody else gets that lock of the stream's row now."""
    with closing(psycopg2.connect(database)) as connection, connection, connection.cursor() as cur:
        try:
            cur.execute(f"SELECT 1 FROM streams WHERE name = %s FOR {strength} NOWAIT", (name,))
        except LockNotAvailable:
            return False
        return bool(cur.fetchall())


def waits(database: str) -> bool:
    """Whether anybody waits for a lock in this database."""
    with closing(psycopg2.connect(database)) as connection, connection.cursor() as cur:
        cur.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cur.fetchall())


@pytest.mark.parametrize("backwards", [False, True])
def test_who_waits_for_the_lowest_id_has_none_of_the_others_yet(database: str, backwards: bool) -> None:
    """In any other order two who lock the same streams may each wait for the other."""
    names = [new_stream(database) for _ in range(6)]
    asked = names[::-1] if backwards else names
    holder, waiter, got = patient_single(database), patient_single(database), threading.Event()

    def second() -> None:
        with waiter() as connection, connection.cursor() as cur:
            lock(cur, asked)
            got.set()

    with holder() as connection, connection.cursor() as cur:
        lock(cur, names[:1])
        thread = threading.Thread(target=second)
        thread.start()
        wait_for("it to wait", lambda: waits(database))
        free = [name for name in names if is_free(database, name)]

    assert got.wait(60)
    joined(thread)
    holder.close(), waiter.close()
    assert free == names[1:]


def test_who_writes_holds_the_row_and_lets_others_refer_to_it(database: str) -> None:
    """A key share is what a row asks for that refers to the stream: it need not wait for those who write there."""
    stream, connect = new_stream(database), patient_single(database)

    with connect() as connection, connection.cursor() as cur:
        append(cur, [line(stream)], no_projection)
        held = {strength: not is_free(database, stream, strength) for strength in ("NO KEY UPDATE", "UPDATE")}
        referred = is_free(database, stream, "KEY SHARE")

    connect.close()
    assert held == {"NO KEY UPDATE": True, "UPDATE": True} and referred
