"""A writer whose connection is cut in the middle of COMMIT: whatever became of it, each batch is stored once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from app.stream import writer as writers
from app.stream.store import Appended
from app.stream.writer import Writer
from tests.stream.helpers import line, messages, new_stream, no_projection, patient_single, sql
from tests.support.system import wait_for

COMMIT = b"COMMIT\0"


class Cutter:
    """A line to Postgres that is cut at every third COMMIT: before the server has it (``lost``), when it was done and
    only the answer is missing (``done``), or before the server has it, which gets it only when the next try already
    waits for the row that this one has locked (``late``)."""

    def __init__(self, database: str, how: str) -> None:
        url = urlsplit(database)
        self._database, self._to, self._how = database, (str(url.hostname), int(url.port or 5432)), how
        self.commits = self.cuts = self.late = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        url = urlsplit(self._database)
        return url._replace(netloc=f"{url.netloc.rpartition(':')[0]}:{self.port}").geturl()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._to)
            threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
            threading.Thread(target=_answers, args=(server, client), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with client, server:
            while data := _received(client):
                if data.endswith(COMMIT):
                    self.commits += 1
                    if self.commits % 3 == 0:
                        self.cuts += 1
                        self._cut(data, client, server)
                        return
                server.sendall(data)

    def _cut(self, data: bytes, client: socket.socket, server: socket.socket) -> None:
        client.shutdown(socket.SHUT_RDWR)
        if self._how == "late":
            wait_for("the next try to wait", lambda: waiting(self._database))
            self.late += 1
        if self._how == "lost":
            # To close is not enough: while _answers reads there, the server hears of no end, and keeps what is locked.
            server.shutdown(socket.SHUT_RDWR)
        else:
            server.sendall(data)
            # Until the server has closed, or it might see the end before it has read the COMMIT.
            server.shutdown(socket.SHUT_WR)
            server.settimeout(60)
            while _received(server):
                pass


def _answers(server: socket.socket, client: socket.socket) -> None:
    while data := _received(server):
        with suppress(OSError):  # it was cut, which is what this is about
            client.sendall(data)


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(65536)
    except OSError:  # as good as closed
        return b""


@pytest.fixture(params=["lost", "done", "late"])
def cutter(request: pytest.FixtureRequest, database: str) -> Iterator[Cutter]:
    cutter = Cutter(database, request.param)
    yield cutter
    cutter.close()


def test_a_batch_whose_commit_was_cut_is_stored_once(
    database: str, cutter: Cutter, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writers, "RETRY_SECONDS", (0.01, 0.1))
    stream, published = new_stream(database), list[Appended]()
    # The server's own limits would end a try that waits for the one before it on a machine that is busy elsewhere.
    connect = patient_single(cutter.url)
    writer = Writer(connect, no_projection, published.append)

    for n in range(12):
        writer.put(line(stream, str(n)))
        assert writer.flush(60)

    assert writer.close(60) and cutter.cuts >= 3
    assert cutter.late == (cutter.cuts if cutter._how == "late" else 0)
    assert messages(database, stream) == [str(n) for n in range(12)]
    # What was stored without our hearing of it is not published: viewers get it as a gap from Postgres.
    sequences = [event.sequence for appended in published for event in appended.events]
    assert sequences == sorted(set(sequences))


def waiting(database: str) -> bool:
    return bool(
        sql(
            database,
            """SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
               AND wait_event_type = 'Lock' AND query LIKE 'UPDATE writers%%'""",
        )
    )
