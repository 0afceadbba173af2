"""One kept connection to the server, over which batches are posted one after the other."""

from __future__ import annotations

import base64
import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from taskroom._transport.answer import Answer, read_answer
from taskroom._transport.settings import Settings

PATH = "/api/v2/events"
SLICE_SECONDS = 0.1  # of a wait for the network; then ``meanwhile`` is called

# Looking up a host needs this codec. If a process forks while its thread imports it, the child never finds it.
"".encode("idna")

Meanwhile = Callable[[], None]


class _Stale(OSError):
    """The server had closed the connection before this request."""


class Connection:
    """Connects when there is something to post, through the proxy of the settings, with TLS checked. Follows no
    redirect: the key is for this host."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._url = urlsplit(settings.url)
        self._proxy = urlsplit(settings.proxy) if settings.proxy else None
        self._sock: socket.socket | None = None
        self._tls: ssl.SSLContext | None = None

    def post(self, body: bytes, meanwhile: Meanwhile) -> Answer:
        """Posts a batch. ``meanwhile`` is called about ten times a second while the answer is awaited. Raises OSError,
        http.client.HTTPException, ValueError and BadAnswer."""
        if self._sock is not None:
            try:
                return self._exchange(self._sock, body, meanwhile)
            except _Stale:
                pass
        self._sock = self._connect()
        return self._exchange(self._sock, body, meanwhile)

    def close(self) -> None:
        """Closes the connection without a word to the server: in a forked child it is the parent's too."""
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()

    def _connect(self) -> socket.socket:
        made: http.client.HTTPConnection
        to = self._proxy or self._url
        assert to.hostname is not None
        seconds = self._settings.limits.connect_seconds
        if self._url.scheme == "https":
            if self._tls is None:
                self._tls = ssl.create_default_context()
            made = http.client.HTTPSConnection(to.hostname, _port(to), timeout=seconds, context=self._tls)
            if self._proxy:
                made.set_tunnel(str(self._url.hostname), _port(self._url), self._proxy_headers())
        else:
            made = http.client.HTTPConnection(to.hostname, _port(to), timeout=seconds)
        try:
            made.connect()
        except BaseException:
            made.close()
            raise
        return cast(socket.socket, made.sock)

    def _exchange(self, sock: socket.socket, body: bytes, meanwhile: Meanwhile) -> Answer:
        source = _Source(sock, self._clock() + self._settings.limits.answer_seconds, self._clock, meanwhile)
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # it may have answered before: 413, say
                source.send(self._head(len(body)) + body)
            # Its parser, over a socket that has a deadline for the whole.
            response = http.client.HTTPResponse(cast(socket.socket, source), method="POST")
            response.begin()
            answer = read_answer(response)
        except BaseException as error:
            self.close()
            if isinstance(error, ConnectionError) and not source.received:
                raise _Stale(str(error)) from error
            raise
        if response.will_close:
            self.close()
        return answer

    def _head(self, length: int) -> bytes:
        target, headers = self._url.path + PATH, {"Host": self._url.netloc}
        if self._proxy and self._url.scheme == "http":
            target = f"http://{self._url.netloc}{target}"
            headers.update(self._proxy_headers())
        headers |= {
            "Authorization": f"Bearer {self._settings.key}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "Content-Length": str(length),
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "taskroom-python",
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")

    def _proxy_headers(self) -> dict[str, str]:
        if not self._proxy or self._proxy.username is None:
            return {}
        who = f"{unquote(self._proxy.username)}:{unquote(self._proxy.password or '')}"
        return {"Proxy-Authorization": "Basic " + base64.b64encode(who.encode()).decode()}


class _Source(io.RawIOBase):
    """A socket with a deadline for all that is sent and received, in slices."""

    def __init__(
        self, sock: socket.socket, deadline: float, clock: Callable[[], float], meanwhile: Meanwhile
    ) -> None:
        self.received = False
        self._sock, self._deadline, self._clock, self._meanwhile = sock, deadline, clock, meanwhile
        sock.settimeout(SLICE_SECONDS)

    def makefile(self, mode: str) -> io.BufferedReader:
        """What http.client reads from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        count = self._wait(self._sock.recv_into, into)
        self.received = self.received or count > 0
        return count

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._wait(self._sock.send, view) :]

    def _wait(self, step: Callable[[Any], int], argument: Any) -> int:
        while True:
            try:
                return step(argument)
            except OSError as error:
                if not isinstance(error, socket.timeout):
                    raise
            if self._clock() >= self._deadline:
                raise TimeoutError("no answer in time")
            self._meanwhile()


def _port(url: Any) -> int:
    return int(url.port or (443 if url.scheme == "https" else 80))
