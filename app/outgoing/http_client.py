"""Sends a POST to a user's URL, of limited time and size, and only to checked addresses.

A name is resolved once for each connection. All its addresses are checked, and the connection goes to one of them: a
name that resolves differently later (DNS rebinding) has no effect. TLS and the Host header keep the name. Up to
``REDIRECTS`` redirects that keep method and body (307, 308) are followed and checked like the first URL; others are
responses. Proxies of the environment are not used: they would resolve the name again.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urljoin

import httpcore

from app.errors import TaskroomError, causes
from app.errors.causes import Cause
from app.outgoing.resolver import NoAddress, Resolve, Resolver
from app.outgoing.url_policy import Address, AddressRefused, UrlPolicy

REDIRECTS = 3
SECONDS = 10.0
RESPONSE_BYTES = 1_024  # of the response's body, for the log of deliveries


class NoResponse(TaskroomError):
    """No connection, no response in time, or no valid HTTP; the message says which."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    body: str  # its beginning


_resolver = Resolver()


def post(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    rules: UrlPolicy,
    *,
    seconds: float = SECONDS,
    resolve: Resolve = _resolver,
    tls: ssl.SSLContext | None = None,
) -> HttpResponse:
    """Sends the request; returns the final response. Raises AddressRefused and NoResponse; OSError when this process
    has no file or memory left."""
    backend = _PolicyBackend(rules, time.monotonic() + seconds, resolve)
    try:
        for _ in range(REDIRECTS + 1):
            answer, location = _post(rules.address(url), headers, body, backend, tls or _tls())
            if location is None:
                return answer
            url = _joined(url, location)
    except NoAddress as error:
        raise NoResponse(str(error)) from None
    except httpcore.TimeoutException:
        raise NoResponse(f"no answer within {seconds:g} s") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
        _raise_shortage(error)
        raise NoResponse(str(error) or type(error).__name__) from None
    raise NoResponse(f"more than {REDIRECTS} redirects")


def _raise_shortage(error: BaseException) -> None:
    """Raises the error when this process has no file or memory left: that is no failure of the receiver."""
    if causes.of(error) is Cause.OUT_OF_RESOURCES:
        raise error


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise AddressRefused(f"it redirects to an invalid URL: {error}") from None


def _post(
    address: Address, headers: Mapping[str, str], body: bytes, backend: _PolicyBackend, tls: ssl.SSLContext
) -> tuple[HttpResponse, str | None]:
    url = httpcore.URL(
        scheme=address.scheme.encode(),
        host=address.host.encode(),
        port=address.port,
        target=address.target.encode(),
    )
    sent = {"Host": address.authority, "Content-Length": str(len(body)), "Connection": "close", **headers}
    with (
        httpcore.ConnectionPool(ssl_context=tls, network_backend=backend) as pool,
        pool.stream("POST", url, headers=list(sent.items()), content=body) as response,
    ):
        location = None
        if response.status in (307, 308):
            location = next(
                (v.decode("latin-1") for n, v in response.headers if n.lower() == b"location"), None
            )
        return HttpResponse(response.status, _beginning(response)), location


def _beginning(response: httpcore.Response) -> str:
    """Returns the beginning of the body. An error while reading is ignored: the status decides about the delivery."""
    read = b""
    try:
        for chunk in response.iter_stream():
            read += chunk
            if len(read) > RESPONSE_BYTES:
                break
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        read += b" [cut off]"
    return read[:RESPONSE_BYTES].decode(errors="replace").replace("\0", "\ufffd")


@cache
def _tls() -> ssl.SSLContext:
    return httpcore.default_ssl_context()


class _PolicyBackend(httpcore.NetworkBackend):
    """Refuses connections against the policy, and after the deadline (by ``time.monotonic``)."""

    def __init__(self, rules: UrlPolicy, deadline: float, resolve: Resolve) -> None:
        self._rules, self._deadline, self._resolve = rules, deadline, resolve
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        found = self._resolve(host, port, self._deadline)
        # All before the first connection: the DNS server must not choose which address is checked.
        for ip in found:
            self._rules.check_ip(host, ip)
        failure: Exception = NoResponse(f"{host} has no address")
        for ip in found:
            try:
                stream = self._sockets.connect_tcp(
                    str(ip), port, seconds_left(self._deadline), None, socket_options
                )
                return _DeadlineStream(stream, self._deadline)
            except httpcore.ConnectError as error:
                _raise_shortage(error.__cause__ or error)  # the kernel's; the library's pool would drop it
                failure = error
        raise failure


class _DeadlineStream(httpcore.NetworkStream):
    """A connection with one deadline for all its calls: a server that sends slowly cannot prolong it."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, seconds_left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """As the library's, which gives each part of the buffer the whole time again."""
        connection = self._stream.get_extra_info("socket")
        try:
            while buffer:
                connection.settimeout(seconds_left(self._deadline))
                buffer = buffer[connection.send(buffer) :]
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _DeadlineStream(
            self._stream.start_tls(ssl_context, server_hostname, seconds_left(self._deadline)), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def seconds_left(deadline: float) -> float:
    """Returns the seconds until the deadline. Raises ReadTimeout after it."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout("the time is over")
    return seconds
