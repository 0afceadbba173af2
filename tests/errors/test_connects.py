"""Connections that a real Postgres refuses: the driver has the text alone, and each part does what the table says."""

from __future__ import annotations

import psycopg2
import pytest
from sqlalchemy import create_engine

from app.db.breaker import Breaker
from app.db.persistent import PersistentConnection
from app.db.pool import engine_options, pooled
from app.errors import causes
from app.stream.store import DatabaseUnavailable
from app.stream.writer import Writer
from app.up.embedded import free_port
from tests.errors.connects import CONNECTS, Refused
from tests.errors.scene import Scene
from tests.errors.table import PART_OF, cause_of
from tests.stream.helpers import line, messages, new_stream
from tests.support.system import wait_for

pytestmark = pytest.mark.slow


def refusal(url: str) -> DatabaseUnavailable:
    with pytest.raises(DatabaseUnavailable) as raised, PersistentConnection(url)():
        pass
    assert isinstance(raised.value.__cause__, psycopg2.OperationalError)
    return raised.value


def state_of(error: DatabaseUnavailable) -> str:
    assert error.__cause__
    return causes.sqlstate(error.__cause__) or ""


def openings(url: str) -> int:
    """How often a pool's breaker opened at the first refusal."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg2:", 1), **engine_options(1))
    breaker = Breaker("Postgres", 0.0)
    with pytest.raises(DatabaseUnavailable), pooled(engine, breaker)():
        pass
    engine.dispose()
    return breaker.openings


def named(each: Refused) -> str:
    return each.name


@pytest.mark.parametrize("given", CONNECTS, ids=named)
def test_its_cause_is_known_and_only_an_outage_opens_the_breaker(scene: Scene, given: Refused):
    with given.refusing(scene) as (url, mend):
        try:
            error, opened = refusal(url), openings(url)
        finally:
            mend()

    assert state_of(error) == given.state
    assert error.cause.value == cause_of(given.state)
    assert opened == int(PART_OF[cause_of(given.state)]["the breaker"] == "opens")


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("given", CONNECTS, ids=named)
def test_the_writer_waits_and_stores_every_event(scene: Scene, given: Refused):
    stream = new_stream(scene.database)
    with given.refusing(scene) as (url, mend):
        connect = PersistentConnection(url)
        writer = Writer(connect, lambda cur, events: (), lambda appended: None)
        try:
            for n in range(50):
                writer.put(line(stream, str(n)))
            wait_for("three refusals", lambda: writer.failures >= 3)
        finally:
            mend()
        assert writer.close(60)
        connect.close()

    assert messages(scene.database, stream) == [str(n) for n in range(50)]
    assert writer.refused == 0


def test_nobody_listens():
    url = f"postgresql://taskroom:x@127.0.0.1:{free_port()}/taskroom"

    assert refusal(url).cause.value == cause_of("")
    assert openings(url) == 1


def test_settings_that_are_no_address_are_not_ready():
    with pytest.raises(psycopg2.ProgrammingError) as raised:
        psycopg2.connect("postgresql://127.0.0.1/taskroom?nonsense=1")

    assert causes.of(raised.value).value == "not ready"
