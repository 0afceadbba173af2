"""A network that can be cut between two parts of a test."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from urllib.parse import urlsplit

REFUSAL = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Line:
    """A TCP line to the server of a URL that names its port; ``url`` leads through it. It can be cut: connections end
    and new ones are closed at once. And it can be as some proxies are, which refuse a part of what HTTP may ask."""

    def __init__(self, to: str) -> None:
        url = urlsplit(to)
        assert url.hostname and url.port
        self._to = url.hostname, url.port
        self._is_cut = False
        self._refused: tuple[bytes, ...] = ()
        self.refused: Counter[bytes] = Counter()  # how often each part was
        self._open: list[socket.socket] = []
        self._asked: dict[
            socket.socket, bytes
        ] = {}  # by connection, the request that it is busy with or had last
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
        """From now on a request whose head has one of these parts is answered 400; without parts, none. What is
        connected ends, for it may be just that."""
        self._refused = parts
        self._end_all()

    def held(self, part: bytes) -> int:
        """How many connections are open whose last request has this part."""
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
            # A browser sends the head of a request in one piece, and the next one only after the answer.
            while data := source.recv(65536):
                if asks:
                    self._asked[source] = data
                if asks and (part := next((part for part in self._refused if part in data), None)):
                    source.sendall(REFUSAL)
                    self.refused[part] += 1
                    break
                sink.sendall(data)
        except OSError:  # the other end is gone, which is what closes this one
            pass
        finally:
            if asks:
                self._asked.pop(source, None)
            _shut(sink)


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:  # closed already
        return
