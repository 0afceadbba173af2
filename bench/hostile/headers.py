"""Requests whose headers and addresses are as long as they are read."""

from __future__ import annotations

import contextlib
from itertools import product

from bench.hostile.target import Target

LINE, LINES = 8_100, 7  # bytes that are read of a header, and how many such lines
AT_ONCE = 8

REQUESTS = (
    b"GET / HTTP/1.1",
    b"GET /nowhere HTTP/1.1",
    b"GET /assets/nothing HTTP/1.1",
    b"GET /api/v2/tasks HTTP/1.1",
    b"GET /api/v2/events/stream HTTP/1.1",
    b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1",
    b"POST /api/v2/auth/login HTTP/1.1\r\nContent-Length: 2",
    b"OPTIONS /api/v2/tasks HTTP/1.1",
)
# A header, and what its value repeats.
HEADERS = (
    *((b"Accept", b"a/a,"), (b"Accept", b"a,"), (b"Accept", b"text/*;q=0.1,"), (b"Accept", b'a/a;b="c,d",')),
    *((b"Accept-Encoding", b"a,"), (b"Accept-Encoding", b"br;q=0.1,"), (b"Accept-Language", b"a,")),
    *((b"Cookie", b"a=;"), (b"Cookie", b"a;"), (b"Cookie", b'a="\\";'), (b"Authorization", b"Bearer a.a.a")),
    *(
        (b"If-None-Match", b'"a",'),
        (b"If-None-Match", b"a,"),
        (b"If-Match", b'W/"a",'),
        (b"Range", b"bytes=0-1,"),
    ),
    *(
        (b"Content-Type", b"application/json;a=1"),
        (b"Content-Type", b';a*0="'),
        (b"Content-Encoding", b"gzip,"),
    ),
    *(
        (b"Connection", b"a,"),
        (b"Cache-Control", b"a=1,"),
        (b"Origin", b"http://a."),
        (b"Last-Event-ID", b"1."),
    ),
    *((b"Access-Control-Request-Headers", b"a,"), (b"X-Forwarded-For", b"1.1.1.1,"), (b"Referer", b"a?&")),
)
ADDRESSES = (b"GET /?%b HTTP/1.1", b"GET /api/v2/tasks?%b HTTP/1.1", b"GET /api/v2/stream?%b HTTP/1.1")
PARAMETERS = (b"a=&", b"status=a,", b"%20=%20&", b"rooms=task:a,")


def long_headers(target: Target) -> None:
    """Sends every header that is read, as long as it may be, to every kind of address, without a sign-in."""
    heads = [
        request + b"\r\n" + (b"%b: %b\r\n" % (name, repeated(value))) * LINES
        for request, (name, value) in product(REQUESTS, HEADERS)
    ]
    heads += [
        address % repeated(parameter) + b"\r\n" for address, parameter in product(ADDRESSES, PARAMETERS)
    ]

    def attack(target: Target) -> None:
        head = heads[target.turn() % len(heads)]
        body = b"{}" if head.startswith(b"POST") else b""
        with contextlib.closing(target.connect()) as connection:
            connection.sendall(head + b"Host: bench\r\nConnection: close\r\n\r\n" + body)
            status = connection.recv(1 << 16).split(b" ", 2)
            if len(status) < 2:
                raise ConnectionResetError
            target.answered(int(status[1]))

    target.crowd(AT_ONCE, attack)


def repeated(item: bytes) -> bytes:
    return item * ((LINE - 50) // len(item))
