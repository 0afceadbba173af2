"""A bug of ours blames no event and no caller: it is logged with its traceback and counted, and nothing is lost."""

from __future__ import annotations

import errno
import logging
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import marshmallow as ma
import psycopg2
import pytest
from flask import Flask, request

from app import cli
from app.auth import identity
from app.auth.principal import Principal
from app.db.persistent import PersistentConnection
from app.errors import survived
from app.http import problems
from app.http.attempts import ConnectionAttempts
from app.realtime import sse_serve
from app.realtime.connection_limits import ConnectionLimits
from app.realtime.socketio.acknowledgements import acknowledged
from app.stream.codec import Filter
from app.stream.hub import Hub
from app.stream.store import DatabaseUnavailable
from app.stream.writer import Writer
from tests.errors.scene import Scene
from tests.stream.helpers import line, messages, new_stream
from tests.support.parts import Parts
from tests.support.system import wait_for

PRINCIPAL = Principal("u", "u@example.org", "operator", None, "s", math.inf)
FAULT = KeyError("a fault of ours")
SHORT = OSError(errno.EMFILE, "Too many open files")


@pytest.fixture
def bugs() -> Iterator[dict[str, int]]:
    """How many there were in each part."""
    survived.bugs.clear()
    yield survived.bugs
    survived.bugs.clear()


def raises(error: Exception) -> Callable[..., Any]:
    def function(*_: object, **__: object) -> Any:
        raise error

    return function


@pytest.mark.usefixtures("hasty")
def test_events_wait_for_a_projection_that_fails_and_are_all_stored_when_it_is_mended(
    scene: Scene, bugs: dict[str, int], caplog: pytest.LogCaptureFixture
):
    stream, mended, ticks = new_stream(scene.database), threading.Event(), list[int]()

    def project(cur: object, events: list[tuple[Any, object]]) -> tuple[()]:
        if not mended.is_set() and any('"7"' in event.payload for event, _ in events):
            raise KeyError("a fault of ours")
        return ()

    connect = PersistentConnection(scene.database)
    writer = Writer(
        connect,
        project,  # type: ignore[arg-type]
        lambda appended: None,
        tick=lambda tx: ticks.append(1),
        tick_seconds=0.001,
    )
    with caplog.at_level(logging.WARNING, "taskroom.writer"):
        for n in range(20):
            writer.put(line(stream, str(n)))
        wait_for("three tries", lambda: writer.failures >= 3)
        renewed = len(ticks)
        wait_for("the leases to be renewed meanwhile", lambda: len(ticks) >= renewed + 3)
        assert not writer.flush(0.01), "they are not durable, and who waits is not told so"
        mended.set()
        assert writer.close(60)
    connect.close()

    assert messages(scene.database, stream) == [str(n) for n in range(20)]
    assert writer.refused == 0 and bugs == {"writer": writer.failures}
    assert {(r.levelname, r.exc_info and r.exc_info[0]) for r in caplog.records} == {("ERROR", KeyError)}


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    problems.register(app)
    app.add_url_rule("/fault", view_func=raises(FAULT), endpoint="fault")
    app.add_url_rule("/short", view_func=raises(SHORT), endpoint="short")
    return app


def test_a_request_that_meets_one_is_500_and_one_that_meets_a_shortage_503(
    app: Flask, bugs: dict[str, int], caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.WARNING, "taskroom.web"):
        fault, short = app.test_client().get("/fault"), app.test_client().get("/short")

    assert (fault.status_code, short.status_code) == (500, 503)
    assert short.headers["Retry-After"] == "2" and "short of files" in short.get_json()["detail"]
    assert bugs == {"web": 1}
    assert [(r.levelname, r.exc_info is not None) for r in caplog.records] == [
        ("ERROR", True),
        ("WARNING", False),
    ]


@pytest.mark.parametrize(
    ("error", "status", "met"),
    [(FAULT, 500, {"sockets": 1}), (SHORT, 503, {}), (DatabaseUnavailable("away"), 503, {})],
    ids=["bug", "shortage", "outage"],
)
def test_a_join_over_a_socket_is_answered(
    bugs: dict[str, int], error: Exception, status: int, met: dict[str, int]
):
    connection: Any = SimpleNamespace(asking=0, principal=PRINCIPAL)
    handle = acknowledged("join_events", ma.Schema(), raises(error), lambda sid: connection)
    with Flask(__name__).test_request_context("/"):
        request.sid = "a socket"  # type: ignore[attr-defined]
        answer = handle({})

    assert (answer["ok"], answer["error"]["status"]) == (False, status)
    assert bugs == met and connection.asking == 0


def test_a_command_ends_with_one_line_unless_it_meets_one(monkeypatch: pytest.MonkeyPatch):
    arguments = cli.parse(["tenant", "acme", "--trial-ends", "never"], "app.cli")

    monkeypatch.setattr(cli, "set_trial", raises(psycopg2.DataError("value too long\nLINE 1")))
    with pytest.raises(SystemExit, match=r"^taskroom: value too long$"):
        cli.run(arguments)
    monkeypatch.setattr(cli, "set_trial", raises(SHORT))
    with pytest.raises(SystemExit, match=r"^taskroom: .*Too many open files$"):
        cli.run(arguments)
    monkeypatch.setattr(cli, "set_trial", raises(FAULT))
    with pytest.raises(KeyError):
        cli.run(arguments)


@pytest.mark.parametrize("error", [SHORT, DatabaseUnavailable("away")], ids=["shortage", "outage"])
def test_a_stream_that_cannot_be_opened_now_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch, error: Exception
):
    monkeypatch.setattr(identity, "of_stream", lambda asking: PRINCIPAL)
    app, opened = Flask(__name__), list[Any]()

    def watch(name: str, *_: object) -> Any:
        if opened:
            raise error
        opened.append(SimpleNamespace(close=lambda: opened.append("closed")))
        return opened[0]

    app.extensions["taskroom"] = Parts(
        {
            ConnectionAttempts: SimpleNamespace(
                arrived=lambda address: None, trying=lambda address: nullcontext(lambda user_id: None)
            ),
            ConnectionLimits: SimpleNamespace(queue=nullcontext(), identifying=nullcontext()),
            Hub: SimpleNamespace(watch=watch),
        }
    )

    with app.test_request_context("/", headers={"Accept": "text/event-stream"}):
        answer = sse_serve.serve(lambda principal: ["task:a", "task:b"], lambda names: [0, 0], Filter())
        told = answer.get_data(as_text=True)

    assert answer.status_code == 200 and told.startswith("retry: ")
    assert opened[1:] == ["closed"], "the first of the two rooms does not keep its viewer"
