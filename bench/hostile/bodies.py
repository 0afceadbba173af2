"""The worst JSON that the server reads: just below its limits, and beside it what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator

BODY, SIGN_IN, MESSAGE = 256 * 1024, 4_096, 100_000  # bytes that are read
DEEPEST, CONTAINERS, VALUES = 64, 10_000, 100_000  # lists and objects; with their items and fields
CONTROL = rb"\u0001"  # the longest escape of a character


def repeated(item: bytes, size: int, most: int = 1 << 30) -> bytes:
    """Returns as many of the items as fit into ``size`` bytes, separated by commas."""
    return b",".join([item] * min(most, (size + 1) // (len(item) + 1)))


def fields(size: int, most: int = 1 << 30, value: bytes = b"0") -> bytes:
    """Returns as many fields as fit, each with a name of its own."""
    named = [b'"%06x":%b' % (number, value) for number in range(min(most, size // (10 + len(value))))]
    return b",".join(named)


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def start(params: bytes, job_type: bytes = b"emit_load") -> bytes:
    return b'{"job_type":"%b","params":%b}' % (job_type, params)


def starts() -> list[bytes]:
    """Starts of tasks: the two largest that are accepted, those that are read and then refused, and a larger one."""
    room = BODY - len(start(b'{"x":[]}'))
    shapes = [
        b'{"text":"%b"}' % (CONTROL * ((room - 8) // len(CONTROL))),
        b'{"text":"%b"}' % (rb"\n" * ((room - 8) // 2)),
        b"{%b}" % fields(room),
        b"{%b}" % fields(room, value=b"{}"),
        b'{"x":[%b]}' % repeated(b"[]", room, CONTAINERS - 3),
        b'{"x":[%b]}' % repeated(b'{"a":{}}', room, CONTAINERS // 2 - 2),
        b'{"x":[%b]}' % repeated(b"[]", room),
        b'{"x":[%b]}' % repeated(b"0", room),
        b'{"x":[%b]}' % repeated(b"9" * 300, room),
        b'{"x":[%b]}' % repeated(b"1.7976931348623157e-300", room),
        b'{"x":[%b]}' % repeated(b'""', room),
    ]
    larger = start(b'{"text":"%b"}' % (b"x" * 2_000_000))
    return [*accepted(), *map(start, shapes), larger]


def accepted() -> Iterator[bytes]:
    """Yields starts with nearly as many bytes of parameters, and as many steps, as are taken."""
    content = "é" * 30_000
    yield start(json.dumps({"artifact_type": "quiz", "content": content}).encode(), b"artifact")
    step = {"job_type": "emit_load", "title": "é" * 255, "params": {"events": 1, "delay": 0.5}}
    inner = {"job_type": "orchestrate", "title": "x", "params": {"mode": "parallel", "steps": [step] * 9}}
    steps = {"mode": "parallel", "steps": [inner] * 10}
    yield start(json.dumps(steps, ensure_ascii=False).encode(), b"orchestrate")


def sign_ins() -> list[bytes]:
    """Sign-ins that are read and refused before a password is checked, and one that is not read."""
    room = SIGN_IN - 14
    return [
        b"{%b}" % fields(room),
        b'{"email":"%b"}' % (CONTROL * (room // len(CONTROL))),
        b"[%b]" % repeated(b"[]", room),
        b'{"x":[%b]}' % repeated(b"0", BODY),
    ]


def webhooks() -> list[bytes]:
    """New webhooks that are read and then refused."""
    room = BODY - 50
    return [
        b'{"url":"https://example.org/","event_types":[%b]}' % repeated(b'"log"', room),
        b'{"url":"%b"}' % (CONTROL * (room // len(CONTROL))),
        b"{%b}" % fields(room),
    ]


def deep() -> list[bytes]:
    """Starts with lists and objects as deep as they are read and one level deeper, and a million brackets."""
    room = BODY - len(start(b'{"x":[]}'))
    levels = DEEPEST - 3  # the body, its parameters and the list are levels too
    objects = b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)
    return [
        start(b'{"x":[%b]}' % repeated(nested(levels), room, CONTAINERS // levels - 1)),
        start(b'{"x":[%b]}' % repeated(objects, room, CONTAINERS // levels - 1)),
        start(b'{"x":[%b]}' % repeated(nested(levels + 1), room, CONTAINERS // levels - 2)),
        start(b'{"x":[%b]}' % repeated(nested(levels), room)),
        start(b'{"x":%b}' % nested(room // 2)),
        start(b"[" * 1_000_000),
    ]


def packets() -> list[bytes]:
    """Events of a socket, with data as large and as deep as they are read, wrong ones, and one that does not end."""
    room = MESSAGE - 40
    return [
        b'0["join_task",{"task_id":"x","types":[%b]}]' % repeated(b'""', room),
        b'0["join_task",{%b}]' % fields(room),
        b'0["join_task",[%b]]' % repeated(nested(60), room),
        b'0["join_task","%b"]' % (CONTROL * (room // len(CONTROL))),
        b'0["join_task",%b]' % nested(room // 2),
        b'0["join_task",' + b"[" * (room - 10_000) + b"]" * 1_000 + b"]",
    ]
