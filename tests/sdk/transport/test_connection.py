"""The way to the server: TLS, proxies, settings."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from taskroom._transport import Client, NotConfigured, Settings
from tests.sdk.transport.conftest import MakeReporter
from tests.sdk.transport.helpers import Clock, Reporter
from tests.sdk.transport.server import KEY, Server


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of nobody's for localhost, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)  # noqa: UP017 Python 3.9
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


@pytest.fixture
def tls_server(server: Server, certificate: Path) -> Server:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server._http.socket = context.wrap_socket(server._http.socket, server_side=True)
    server.url = server.url.replace("http://127.0.0.1", "https://localhost")
    return server


class Proxy:
    """Joins connections after a CONNECT; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4_096)
            self.asked.append(head.decode())
            host, port = head.split()[1].decode().split(":")
            to = socket.create_connection((host, int(port)))
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            for source, target in ((client, to), (to, client)):
                threading.Thread(target=self._pipe, args=(source, target), daemon=True).start()

    def _pipe(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return
        finally:
            source.close()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    proxy = Proxy()
    yield proxy
    proxy.close()


def reported(reporter: Reporter) -> None:
    reporter.begin("t")
    reporter.log("t", "x")
    reporter.after(1)


def from_env(clock: Clock, **environment: Any) -> Reporter:
    return Reporter(Client(settings=Settings.of(**environment), clock=clock, starts=False), clock)


def test_a_certificate_of_nobodys_is_refused(
    make_reporter: MakeReporter, tls_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    reporter = make_reporter()

    reported(reporter)

    assert tls_server.requests == []
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text


def test_a_certificate_of_a_known_authority_is_taken(
    make_reporter: MakeReporter, tls_server: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    reporter = make_reporter()

    reported(reporter)
    reporter.log("t", "y")
    reporter.after(1)

    assert tls_server.messages("t") == ["x", "y"]
    assert [request.connection for request in tls_server.requests] == [1, 1]


def test_a_certificate_for_another_host_is_refused(
    make_reporter: MakeReporter, tls_server: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls_server.url = tls_server.url.replace("localhost", "127.0.0.1")
    reporter = make_reporter()

    reported(reporter)

    assert tls_server.requests == []


def test_https_goes_through_the_tunnel_of_a_proxy_which_never_sees_the_key(
    clock: Clock,
    tls_server: Server,
    certificate: Path,
    proxy: Proxy,
    spool: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("https_proxy", f"http://user:p%40ss@{proxy.address}")
    reporter = from_env(clock, url=tls_server.url, key=KEY, spool=spool)

    reported(reporter)
    reporter.client.close(0)

    assert tls_server.messages("t") == ["x"]
    (asked,) = proxy.asked
    assert asked.startswith(f"CONNECT {tls_server.url[len('https://') :]} HTTP/1.")
    assert "Proxy-Authorization: Basic dXNlcjpwQHNz" in asked
    assert KEY not in asked


def test_http_is_asked_of_the_proxy_with_the_whole_address(
    clock: Clock, server: Server, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url.replace("http://", ""))
    monkeypatch.setenv("no_proxy", "")
    reporter = from_env(clock, url="http://rooms.example/base", key=KEY, spool=spool)

    reported(reporter)
    reporter.client.close(0)

    (request,) = server.requests
    assert request.path == "http://rooms.example/base/api/v2/events"
    assert request.headers["Host"] == "rooms.example"


def test_no_proxy_is_used_for_a_host_that_needs_none(
    clock: Clock, server: Server, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    reporter = from_env(clock, url=server.url, key=KEY, spool=spool)

    reported(reporter)
    reporter.client.close(0)

    assert server.messages("t") == ["x"]


def test_the_environment_says_where_events_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TASKROOM_URL", "https://rooms.example/base/")
    monkeypatch.setenv("TASKROOM_KEY", " trk_1\n")
    found = Settings.of()
    assert (found.url, found.key) == ("https://rooms.example/base", "trk_1")
    assert found.spool == tmp_path / "home" / ".taskroom" / "spool"

    monkeypatch.setenv("TASKROOM_SPOOL", str(tmp_path / "elsewhere"))
    assert Settings.of().spool == tmp_path / "elsewhere"
    monkeypatch.setenv("TASKROOM_SPOOL", "off")
    assert Settings.of().spool is None


def test_without_an_address_or_a_key_there_is_no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKROOM_URL", "https://rooms.example")

    with pytest.raises(NotConfigured, match="set TASKROOM_URL and TASKROOM_KEY"):
        Client.from_env()


@pytest.mark.parametrize(
    "url",
    [
        "rooms.example",
        "ftp://rooms.example",
        "https://",
        "https://user:pass@rooms.example",
        "https://rooms.example?key=1",
        "https://rooms.example/a b",
        "https://rooms.example:99999",
        "https://röoms.example",
    ],
)
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError):
        Client(url=url, key=KEY)


def test_a_key_that_would_change_the_request_is_refused_at_once() -> None:
    with pytest.raises(ValueError):
        Client(url="https://rooms.example", key="trk_1\r\nX-Other: 1")
