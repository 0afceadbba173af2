"""HTTP connections that a test can cut."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection


class CuttableAdapter(HTTPAdapter):
    """After ``cut`` no request gets a response, neither a waiting one nor a later one."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._is_cut = False
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        connected = self._connected

        class Connection(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                connected(self.sock)

        class Pool(HTTPConnectionPool):
            ConnectionCls = Connection

        self.poolmanager.pool_classes_by_scheme = {"http": Pool}

    def cut(self) -> None:
        self._is_cut = True
        for each in self._sockets:
            _shut(each)

    def _connected(self, to: socket.socket) -> None:
        self._sockets.append(to)
        if self._is_cut:  # checked after the append, so that a concurrent cut() shuts it too
            _shut(to)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
