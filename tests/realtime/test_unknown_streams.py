"""Only a stream that is not there is 404: a KeyError is a fault of ours, to be seen as one."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from app.auth import identity, permissions
from app.auth.principal import Principal
from app.errors import NotFound
from app.http.attempts import ConnectionAttempts
from app.realtime import sse_serve
from app.realtime.connection_limits import ConnectionLimits
from app.realtime.socketio.rooms import Rooms
from app.stream.codec import Filter
from app.stream.hub import Hub
from app.stream.store import NoSuchStream
from tests.support.parts import Parts

PRINCIPAL = Principal("u", "u@example.org", "operator", None, "s", math.inf)


def raising(error: Exception) -> Callable[..., Any]:
    def function(*_: Any, **__: Any) -> Any:
        raise error

    return function


@pytest.mark.parametrize("room", ["team", "team:u", "", "users", "taskx:a"])
def test_a_room_of_another_kind_is_no_room(room: str) -> None:
    assert permissions.readable_room(PRINCIPAL, "user") == "user:u"
    with pytest.raises(NotFound):
        permissions.readable_room(PRINCIPAL, room)


@pytest.mark.parametrize(
    ("error", "raised"), [(KeyError("a fault of ours"), KeyError), (NoSuchStream("task:a"), NotFound)]
)
def test_over_sse(monkeypatch: pytest.MonkeyPatch, error: Exception, raised: type[Exception]) -> None:
    monkeypatch.setattr(identity, "of_stream", lambda asking: PRINCIPAL)
    app = Flask(__name__)
    app.extensions["taskroom"] = Parts(
        {
            ConnectionAttempts: SimpleNamespace(
                arrived=lambda address: None, trying=lambda address: nullcontext(lambda user_id: None)
            ),
            ConnectionLimits: SimpleNamespace(queue=nullcontext(), identifying=nullcontext()),
            Hub: SimpleNamespace(watch=raising(error)),
        }
    )

    with app.test_request_context("/"), pytest.raises(raised):
        sse_serve.serve(lambda principal: ["task:a"], lambda names: [0], Filter())


@pytest.mark.parametrize(
    ("error", "raised"), [(KeyError("a fault of ours"), KeyError), (NoSuchStream("task:a"), NotFound)]
)
def test_over_socket_io(monkeypatch: pytest.MonkeyPatch, error: Exception, raised: type[Exception]) -> None:
    monkeypatch.setattr(permissions, "readable_task", lambda principal, task_id: task_id)
    hub = SimpleNamespace(states=SimpleNamespace(read_shared=raising(error)))
    parts: Any = Parts({ConnectionLimits: SimpleNamespace(queue=nullcontext()), Hub: hub})
    connection: Any = SimpleNamespace(principal=PRINCIPAL, viewers={}, lock=nullcontext())

    with pytest.raises(raised):
        Rooms(parts).join_task(connection, {"task_id": "a"})
