"""One POST: to the address that was checked, and of bounded time and size. Against real sockets."""

from __future__ import annotations

import datetime
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.outgoing.http_client import RESPONSE_BYTES, NoResponse, post
from app.outgoing.url_policy import AddressRefused, UrlPolicy
from tests.support.receiver import Receiver, receiving

LOOPBACK = UrlPolicy((ip_network("127.0.0.0/8"),), plain_http=True)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def to(*ips: str) -> Callable[[str, int, float], list[Any]]:
    """A resolver that answers every name with these."""
    return lambda host, port, deadline: [ip_address(ip) for ip in ips]


@contextmanager
def serving(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Talks to whoever connects; gives the address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                talk(connection)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_an_answer_is_a_status_and_the_beginning_of_its_body(receiver: Receiver) -> None:
    receiver.statuses = [500]

    answer = post(receiver.url + "?a=b", {"x-one": "1"}, b"body", LOOPBACK)

    assert (answer.status, answer.body) == (500, "x" * RESPONSE_BYTES)
    (received,) = receiver.received
    assert (received.path, received.body, received.headers["x-one"]) == ("/hook?a=b", b"body", "1")


def test_the_name_stays_in_the_request_and_the_checked_address_is_called(receiver: Receiver) -> None:
    url = receiver.url.replace("127.0.0.1", "hooks.example.org")

    assert post(url, {}, b"", LOOPBACK, resolve=to("127.0.0.1")).status == 204

    assert receiver.received[0].headers["host"].startswith("hooks.example.org:")


@pytest.mark.parametrize(
    "ips", [("127.0.0.1",), ("1.1.1.1", "127.0.0.1"), ("10.0.0.1",), ("::ffff:127.0.0.1",), ("::1",)]
)
def test_a_name_that_leads_into_a_private_network_is_refused(
    receiver: Receiver, ips: tuple[str, ...]
) -> None:
    url = receiver.url.replace("127.0.0.1", "hooks.example.org")

    with pytest.raises(AddressRefused, match="private or reserved") as refused:
        post(url, {}, b"", UrlPolicy(plain_http=True), resolve=to(*ips))

    assert not any(ip.rpartition(":")[2] in str(refused.value) for ip in ips), "it tells of names inside"
    assert receiver.received == []


def test_a_name_that_changes_between_check_and_use_gains_nothing(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebinding: the second answer of the resolver would be the private one. There is no second question."""
    answers = [["203.0.114.1"], ["127.0.0.1"]]
    asked: list[str] = []

    def resolve(host: str, port: int, deadline: float) -> list[Any]:
        asked.append(host)
        return [ip_address(ip) for ip in answers[len(asked) - 1]]

    def connect(self: Any, host: str, *_: Any) -> Any:
        called.append(host)
        raise httpcore.ConnectError("nobody there")

    called: list[str] = []
    monkeypatch.setattr(
        httpcore.SyncBackend, "connect_tcp", connect
    )  # it is a real address, of somebody else
    url = receiver.url.replace("127.0.0.1", "hooks.example.org")
    with pytest.raises(NoResponse, match="nobody there"):
        post(url, {}, b"", UrlPolicy(plain_http=True), resolve=resolve)

    assert (asked, called) == (["hooks.example.org"], ["203.0.114.1"])
    assert receiver.received == []


@pytest.mark.parametrize("location", ["http://127.0.0.2:{port}/", "http://inside.example.org:{port}/"])
def test_a_redirect_into_a_private_network_is_refused(receiver: Receiver, location: str) -> None:
    rules = UrlPolicy((ip_network("127.0.0.1/32"),), plain_http=True)
    receiver.statuses = [307]
    receiver.location = location.format(port=receiver.url.rpartition(":")[2].partition("/")[0])

    with pytest.raises(AddressRefused):
        post(
            receiver.url,
            {},
            b"",
            rules,
            resolve=lambda host, *rest: to("127.0.0.1" if host == "127.0.0.1" else "127.0.0.2")(host, *rest),
        )

    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "location", ["ftp://x.org/", "http://a:b@127.0.0.1/", "http://2130706433/", "http://[::1/"]
)
def test_a_redirect_to_what_is_no_address_is_refused(receiver: Receiver, location: str) -> None:
    receiver.statuses, receiver.location = [308], location

    with pytest.raises((AddressRefused, NoResponse)):
        post(receiver.url, {}, b"", LOOPBACK)

    assert len(receiver.received) == 1


def test_a_redirect_that_keeps_the_method_is_followed_others_are_answers(receiver: Receiver) -> None:
    receiver.statuses, receiver.location = [307, 308], "/elsewhere"
    assert post(receiver.url, {"a": "b"}, b"body", LOOPBACK).status == 204
    assert [(r.path, r.body) for r in receiver.received[1:]] == [("/elsewhere", b"body")] * 2

    receiver.statuses = [302]
    assert post(receiver.url, {}, b"", LOOPBACK).status == 302

    receiver.statuses = [307] * 9
    with pytest.raises(NoResponse, match="redirects"):
        post(receiver.url, {}, b"", LOOPBACK)


def test_who_sends_a_byte_now_and_then_is_left_in_time() -> None:
    def drip(connection: socket.socket) -> None:
        connection.recv(65_536)
        for byte in itertools.chain(b"HTTP/1.1 200 OK\r\nX-Long: ", itertools.repeat(ord("x"))):
            connection.sendall(bytes([byte]))  # until nobody is there any more
            time.sleep(0.01)

    with serving(drip) as url, pytest.raises(NoResponse, match=r"no answer within 0\.4 s"):
        post(url, {}, b"", LOOPBACK, seconds=0.4)


def test_an_endless_body_is_not_read() -> None:
    sent = 0

    def pour(connection: socket.socket) -> None:
        nonlocal sent
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sent += connection.send(b"y" * 65_536)

    with serving(pour) as url:
        answer = post(url, {}, b"", LOOPBACK, seconds=60)

    assert (answer.status, len(answer.body)) == (200, RESPONSE_BYTES)
    assert sent < 50_000_000


@pytest.mark.parametrize("reply", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000])
def test_what_is_no_answer_of_the_web_is_none(reply: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(reply)

    with serving(talk) as url, pytest.raises(NoResponse):
        post(url, {}, b"", LOOPBACK, seconds=60)


def test_nobody_there_and_no_such_name_are_no_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:  # by nobody who listens
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(NoResponse):
            post(f"http://127.0.0.1:{taken.getsockname()[1]}/", {}, b"", LOOPBACK)

    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)  # some resolvers know every name, and some are slow
    with pytest.raises(NoResponse, match="no address"):
        post("http://none.invalid/", {}, b"", LOOPBACK)


def test_who_takes_the_body_in_crumbs_is_left_in_time() -> None:
    taken = 0

    def sip(connection: socket.socket) -> None:
        nonlocal taken
        while crumb := connection.recv(65_536):
            taken += len(crumb)
            time.sleep(0.01)

    body = bytes(100_000_000)
    with serving(sip) as url, pytest.raises(NoResponse, match=r"no answer within 0\.4 s"):
        post(url, {}, body, LOOPBACK, seconds=0.4)

    assert taken < len(body) // 2, "it was not waited for"


def test_proxies_of_the_environment_are_not_asked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")

    assert post(receiver.url, {}, b"", LOOPBACK).status == 204


def certificate(folder: Path, name: str) -> Path:
    """A file with a key and a certificate for that name, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_tls_names_and_checks_the_host_though_its_address_is_called(tmp_path: Path) -> None:
    pem = certificate(tmp_path, "hooks.example.org")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    named: list[str | None] = []
    server.sni_callback = lambda _, name, __: named.append(name)

    def talk(connection: socket.socket) -> None:
        with server.wrap_socket(connection, server_side=True) as line:
            line.recv(65_536)
            line.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    trusting = ssl.create_default_context(cafile=str(pem))
    with serving(talk) as url:
        port = url.rpartition(":")[2]
        right, wrong = f"https://hooks.example.org:{port}", f"https://other.example.org:{port}"
        answer = post(right, {}, b"", LOOPBACK, resolve=to("127.0.0.1"), tls=trusting)
        with pytest.raises(NoResponse, match="certificate"):
            post(wrong, {}, b"", LOOPBACK, resolve=to("127.0.0.1"), tls=trusting)
        with pytest.raises(NoResponse, match="certificate"):  # nobody vouches for it
            post(right, {}, b"", LOOPBACK, resolve=to("127.0.0.1"))

    assert answer.status == 204
    assert named[0] == "hooks.example.org"
