"""A TCP proxy that a test can cut."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from urllib.parse import urlsplit

REFUSAL = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class TcpProxy:
    """A proxy to the server of a URL that has a port; ``url`` is the address through the proxy. ``cut`` ends
    connections and closes new ones at once. ``refuse`` makes it like proxies that refuse a part of HTTP."""

    def __init__(self, to: str) -> None:
        url = urlsplit(to)
        assert url.hostname and url.port
        self._to = url.hostname, url.port
        self._is_cut = False
        self._refused: tuple[bytes, ...] = ()
        self.refused: Counter[bytes] = Counter()  # counts by part
        self._open: list[socket.socket] = []
        self._asked: dict[socket.socket, bytes] = {}  # the present or last request of each connection
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = url._replace(netloc=f"{url.netloc.rpartition(':')[0]}:{self.port}").geturl()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._is_cut = True
        self._end_all()

    def mend(self) -> None:
        self._is_cut = False

    def refuse(self, *parts: bytes) -> None:
        """Answers requests whose head has one of these parts with 400; without parts, none. Ends all connections,
        because one of them may be such a request."""
        self._refused = parts
        self._end_all()

    def held(self, part: bytes) -> int:
        """Returns the number of open connections whose last request has this part."""
        return sum(part in asked for asked in list(self._asked.values()))

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
            for source, sink, asks in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._carry, args=(source, sink, asks), daemon=True).start()

    def _end_all(self) -> None:
        for end in self._open:
            _shut(end)

    def _carry(self, source: socket.socket, sink: socket.socket, asks: bool) -> None:
        try:
            # A browser sends the head of a request in one piece, and its next request after the response.
            while data := source.recv(65536):
                if asks:
                    self._asked[source] = data
                if asks and (part := next((part for part in self._refused if part in data), None)):
                    source.sendall(REFUSAL)
                    self.refused[part] += 1
                    break
                self._pass_on(data, source, sink, asks)
        except OSError:  # the other end is closed, so this one is closed too
            pass
        finally:
            if asks:
                self._asked.pop(source, None)
            _shut(sink)

    def _pass_on(self, data: bytes, source: socket.socket, sink: socket.socket, asks: bool) -> None:
        """Passes on what has come from the source, a client if ``asks``."""
        sink.sendall(data)


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:  # it is closed already
        return
