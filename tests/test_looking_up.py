"""Names of receivers are looked up within the time of the request."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from app.errors import causes
from app.errors.causes import Cause
from app.outgoing.http_client import NoResponse, post
from app.outgoing.resolver import NoAddress, Resolver
from app.outgoing.url_policy import UrlPolicy
from tests.support.receiver import receiving
from tests.support.system import wait_for

LOOPBACK = UrlPolicy((ip_network("127.0.0.0/8"),), plain_http=True)


@pytest.mark.parametrize("redirected", [False, True])
def test_a_name_whose_servers_never_answer_takes_no_longer_than_the_request_may(
    monkeypatch: pytest.MonkeyPatch, redirected: bool
) -> None:
    real, never, asked = socket.getaddrinfo, threading.Event(), list[str]()

    def getaddrinfo(host: str, *rest: Any, **more: Any) -> Any:
        if host == "silent.example.org":
            asked.append(host)
            never.wait(60)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with receiving() as receiver:
        receiver.statuses, receiver.location = [307], "http://silent.example.org/"
        url = receiver.url if redirected else "http://silent.example.org/"
        try:
            with pytest.raises(NoResponse, match=r"silent\.example\.org was not looked up in time"):
                post(url, {}, b"", LOOPBACK, seconds=5 if redirected else 0.2)
        finally:
            never.set()

    assert (asked, len(receiver.received)) == (["silent.example.org"], int(redirected))


def test_so_many_names_are_looked_up_at_a_time_and_one_more_is_no_failure_of_its_receiver() -> None:
    answer = threading.Event()

    def addresses(host: str, port: int) -> list[Any]:
        answer.wait(60)
        return [ip_address("127.0.0.1")]

    resolve = Resolver(addresses, lookups=1)
    with pytest.raises(NoAddress):
        resolve("first.example.org", 80, time.monotonic() + 0.05)

    with pytest.raises(OSError) as refused:
        resolve("second.example.org", 80, time.monotonic() + 60)
    answer.set()

    def third() -> list[Any]:
        with suppress(OSError):
            return resolve("third.example.org", 80, time.monotonic() + 60)
        return []

    assert causes.of(refused.value) is Cause.OUT_OF_RESOURCES
    assert wait_for("the place of the first", third) == [ip_address("127.0.0.1")]
