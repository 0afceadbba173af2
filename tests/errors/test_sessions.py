"""Errors that a real Postgres gives in the middle of a transaction: what each part does is what the table says."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor
from sqlalchemy import create_engine

from app.db.breaker import Breaker
from app.db.persistent import PersistentConnection
from app.db.pool import connect_args, engine_options, pooled
from app.errors import causes
from app.stream.event import Draft, Event
from app.stream.store import Connect, DatabaseUnavailable
from app.stream.writer import Writer
from tests.errors.scene import Scene
from tests.errors.sessions import SESSIONS, Given
from tests.errors.table import PART_OF, cause_of
from tests.stream.helpers import PATIENCE, line, messages, new_stream

pytestmark = pytest.mark.slow

MARK = "An event of type log could not be stored"
OF_DATA = [given for given in SESSIONS if cause_of(given.state) == "invalid data"]
OTHERS = [given for given in SESSIONS if given not in OF_DATA]


class Trouble:
    """Gives its error in the transaction of the cursor, ``times`` times; ``seen`` has the SQLSTATEs."""

    def __init__(self, scene: Scene, given: Given, times: int = 1) -> None:
        self.scene, self.given, self.left = scene, given, times
        self.seen: list[str] = []

    def now(self, cur: Cursor) -> None:
        if not self.left:
            return
        self.left -= 1
        cur.execute("SELECT 1")
        try:
            self.given.give(self.scene, cur)
        except psycopg2.Error as error:
            self.seen.append(error.pgcode or "")
            raise


def named(each: Given) -> str:
    return each.name


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("given", OTHERS, ids=named)
def test_the_writer_waits_and_stores_every_event(scene: Scene, given: Given):
    assert PART_OF[cause_of(given.state)]["the writer of a process"].startswith("tries again")
    stream, trouble = new_stream(scene.database), Trouble(scene, given, times=3)

    def project(cur: Cursor, events: Sequence[tuple[Event, Draft]]) -> Sequence[Draft]:
        trouble.now(cur)
        return ()

    connect = PersistentConnection(scene.url, **PATIENCE | dict(given.options))
    writer = Writer(connect, project, lambda appended: None)
    for n in range(50):
        writer.put(line(stream, str(n)))
    assert writer.close(60)
    connect.close()

    assert trouble.seen == [given.state] * 3, "it was as bad as it was meant to be"
    assert messages(scene.database, stream) == [str(n) for n in range(50)]
    assert writer.refused == 0 and writer.failures == 3


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("given", OF_DATA, ids=named)
def test_the_writer_gives_up_an_event_whose_data_postgres_refuses_and_no_other(scene: Scene, given: Given):
    assert "gives up this event" in PART_OF[cause_of(given.state)]["the writer of a process"]
    stream, trouble = new_stream(scene.database), Trouble(scene, given, times=100)

    def project(cur: Cursor, events: Sequence[tuple[Event, Draft]]) -> Sequence[Draft]:
        if any("bad" in event.payload for event, _ in events):
            trouble.now(cur)
        return ()

    connect = PersistentConnection(scene.url, **PATIENCE | dict(given.options))
    writer = Writer(connect, project, lambda appended: None)
    for text in ("first", "bad", "last"):
        writer.put(line(stream, text))
    assert writer.close(60)
    connect.close()

    assert set(trouble.seen) == {given.state}
    assert messages(scene.database, stream) == ["first", MARK, "last"]
    assert writer.refused == 1 and writer.failures == 0


@pytest.mark.parametrize("given", SESSIONS, ids=named)
def test_a_threads_own_connection_is_replaced_unless_the_data_are_to_blame(scene: Scene, given: Given):
    connect = PersistentConnection(scene.url, **PATIENCE | dict(given.options))
    before, stays = backend(connect), cause_of(given.state) == "invalid data"

    fails(connect, Trouble(scene, given))

    assert (backend(connect) == before) is stays
    connect.close()


@pytest.mark.parametrize("given", SESSIONS, ids=named)
def test_the_pool_replaces_what_the_table_says_and_only_an_outage_opens_the_breaker(
    scene: Scene, given: Given
):
    parts = PART_OF[cause_of(given.state)]
    options = engine_options(1) | {"connect_args": connect_args(**PATIENCE | dict(given.options))}
    engine = create_engine(scene.url.replace("postgresql:", "postgresql+psycopg2:", 1), **options)
    breaker = Breaker("Postgres", 0.0)
    connect = pooled(engine, breaker)
    before = backend(connect)

    fails(connect, Trouble(scene, given))

    assert breaker.openings == int(parts["the breaker"] == "opens")
    assert (backend(connect) == before) is parts["its connection"].startswith("stays")
    engine.dispose()


def fails(connect: Connect, trouble: Trouble) -> None:
    """A temporary error is raised as DatabaseUnavailable with its cause, any other as it is."""
    state, cause = trouble.given.state, cause_of(trouble.given.state)
    with pytest.raises(Exception) as raised, connect() as connection, connection.cursor() as cur:
        trouble.now(cur)

    assert trouble.seen == [state]
    assert causes.of(raised.value).value == cause
    assert isinstance(raised.value, DatabaseUnavailable) is (PART_OF[cause]["a request"] == "503")


def backend(connect: Connect) -> int:
    with connect() as connection:
        return int(connection.info.backend_pid)
