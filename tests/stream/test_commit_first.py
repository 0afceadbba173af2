"""Commit first, publish after: whoever hears of an event finds it in Postgres. Against a real one."""

from __future__ import annotations

from app.db.persistent import PersistentConnection
from app.stream.store import Appended
from app.stream.writer import Writer
from tests.stream.helpers import line, messages, new_stream, no_projection


def test_what_is_published_is_seen_by_others_already(database: str) -> None:
    stream, connect = new_stream(database), PersistentConnection(database)
    seen: list[tuple[list[int], int]] = []

    def publish(appended: Appended) -> None:
        # By a connection of its own, as a web process that has just heard of it would look.
        seen.append(([event.sequence for event in appended.events], len(messages(database, stream))))

    writer = Writer(connect, no_projection, publish)
    for n in range(3):
        writer.put(line(stream, str(n)))
        assert writer.flush(60)
    assert writer.close(60)

    connect.close()
    assert seen == [([1], 1), ([2], 2), ([3], 3)]
