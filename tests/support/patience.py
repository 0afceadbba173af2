"""Extends the timeouts of libraries that tests use: with a few seconds they fail on a busy machine."""

from __future__ import annotations

import inspect
import queue
from collections.abc import Callable
from functools import cache
from typing import Any

import engineio
import engineio.base_client
import httpx._config
import httpx._transports.default
import socketio
import websocket

SECONDS = 120


def set_defaults(function: Callable[..., Any], **defaults: Any) -> None:
    """Changes the defaults of some arguments of a function."""
    named = [p for p in inspect.signature(function).parameters.values() if p.default is not p.empty]
    positional = [p.name for p in named if p.kind is not p.KEYWORD_ONLY]
    missing = defaults.keys() - set(positional)
    assert not missing, f"{function.__qualname__} has no {missing}"
    given = dict(zip(positional, function.__defaults__ or (), strict=True))  # type: ignore[attr-defined]
    function.__defaults__ = tuple((given | defaults).values())  # type: ignore[attr-defined]


class PatientQueue(queue.Queue[Any]):
    """The queue of a client's outgoing packets. The client gives up when the queue is empty for the server's ping
    interval and 5 s more; on a busy machine the client may not run for so long."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        return super().get(block, None if timeout is None else timeout + SECONDS)


def extend_timeouts() -> None:
    # The official client drops a WebSocket that failed, as during an upgrade, and leaves its socket open.
    websocket.WebSocket.__del__ = websocket.WebSocket.shutdown  # type: ignore[attr-defined]
    engineio.Client.create_queue = lambda self, *given, **more: PatientQueue(*given, **more)
    set_defaults(engineio.base_client.BaseClient.__init__, request_timeout=SECONDS)
    set_defaults(socketio.Client.connect, wait_timeout=SECONDS)
    set_defaults(socketio.Client.call, timeout=SECONDS)
    shared = httpx._config.DEFAULT_TIMEOUT_CONFIG  # one object, the default of every function
    shared.connect = shared.read = shared.write = shared.pool = float(SECONDS)
    # Each httpx client would read the machine's certificates, 20 ms of CPU time; the tests use plain HTTP.
    httpx._transports.default.create_ssl_context = cache(httpx._transports.default.create_ssl_context)
