"""A network that can be cut between two parts of a test."""

from __future__ import annotations

import socket
import threading
from urllib.parse import urlsplit


class Line:
    """A TCP line to the server of a URL that names its port. It can be cut: connections end and new ones are closed
    at once. ``url`` leads through it."""

    def __init__(self, to: str) -> None:
        url = urlsplit(to)
        assert url.hostname and url.port
        self._to = url.hostname, url.port
        self._is_cut = False
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = url._replace(netloc=f"{url.netloc.rpartition(':')[0]}:{self.port}").geturl()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._is_cut = True
        for end in self._open:
            _shut(end)

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self.cut()
        _shut(self._listener)
        for end in (self._listener, *self._open):
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                client.close()
                continue
            server = socket.create_connection(self._to)
            self._open += [client, server]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=_carry, args=(source, sink), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:  # the other end is gone, which is what closes this one
        pass
    finally:
        _shut(sink)


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:  # closed already
        return
