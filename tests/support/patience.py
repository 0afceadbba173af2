"""Limits of the libraries that tests use: one, two and five seconds are measures of the machine's speed."""

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

SECONDS = 60


def stretch(function: Callable[..., Any], **defaults: Any) -> None:
    """Gives some of its arguments other defaults."""
    named = [p for p in inspect.signature(function).parameters.values() if p.default is not p.empty]
    positional = [p.name for p in named if p.kind is not p.KEYWORD_ONLY]
    missing = defaults.keys() - set(positional)
    assert not missing, f"{function.__qualname__} has no {missing}"
    given = dict(zip(positional, function.__defaults__ or (), strict=True))  # type: ignore[attr-defined]
    function.__defaults__ = tuple((given | defaults).values())  # type: ignore[attr-defined]


class Patient(queue.Queue[Any]):
    """What a client has to send: when there is nothing for five seconds longer than the server may say nothing, it
    gives up for good, and these seconds its own process may have been kept from looking."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        return super().get(block, None if timeout is None else timeout + SECONDS)


def be_patient() -> None:
    # The official client forgets a WebSocket that failed, say in the middle of an upgrade, and leaves its socket open.
    websocket.WebSocket.__del__ = websocket.WebSocket.shutdown  # type: ignore[attr-defined]
    engineio.Client.create_queue = lambda self, *given, **more: Patient(*given, **more)
    stretch(engineio.base_client.BaseClient.__init__, request_timeout=SECONDS)
    stretch(socketio.Client.connect, wait_timeout=SECONDS)
    stretch(socketio.Client.call, timeout=SECONDS)
    shared = httpx._config.DEFAULT_TIMEOUT_CONFIG  # the default of every function, one object
    shared.connect = shared.read = shared.write = shared.pool = float(SECONDS)
    # Each client of httpx would read the machine's certificates, 20 ms of CPU time, and here it talks plain HTTP.
    httpx._transports.default.create_ssl_context = cache(httpx._transports.default.create_ssl_context)
