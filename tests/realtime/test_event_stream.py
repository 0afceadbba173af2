"""Whatever text goes in, a reader of the HTML standard's section 9.2 gets the same out, and nothing besides."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from app.realtime.sse_codec import CHUNKED, PLAIN, message, retry
from app.stream.event import LEVELS, Event, clean, draft, json_prefix, now, number

STREAM = "task:00000000-0000-4000-8000-000000000000"


@dataclass(slots=True)
class Message:
    id: str
    type: str
    data: str


def parse(stream: bytes) -> tuple[list[Message], list[str]]:
    """The messages and the ``retry`` values, by the letter of the standard."""
    text = stream.decode().removeprefix("\ufeff")
    found: list[Message] = []
    retries: list[str] = []
    last_id, type, data = "", "", ""
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if line == "":
            if data:
                found.append(Message(last_id, type or "message", data.removesuffix("\n")))
            type = data = ""
            continue
        if line.startswith(":"):
            continue
        name, colon, value = line.partition(":")
        value = value.removeprefix(" ") if colon else ""
        if name == "event":
            type = value
        elif name == "data":
            data += value + "\n"
        elif name == "id" and "\0" not in value:
            last_id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            retries.append(value)
    return found, retries


def unchunked(stream: bytes) -> bytes:
    """The body of RFC 9112's chunks; an AssertionError when they are not whole."""
    body = b""
    while stream:
        size, _, rest = stream.partition(b"\r\n")
        length = int(size, 16)
        body, end, stream = body + rest[:length], rest[length : length + 2], rest[length + 2 :]
        assert end == b"\r\n"
    return body


NASTY = st.sampled_from(
    ["\n", "\r", "\r\n", "\n\n", "\0", "\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c", "\ufeff"]
    + [
        "id: 7\n",
        "event: end\n\n",
        "data: {}",
        ":",
        "retry: 1\n",
        "\ud800",
        "\udfff",
        "<script>",
        "\\u0000",
        "\x1b]8;;",
    ]
)
TEXT = st.lists(NASTY | st.text(st.characters(), max_size=5), max_size=12).map("".join)


def event(sequence: int, text: str, level: str) -> Event:
    fields = {"timestamp": now(), "level": level, "message": text, "component": text, "phase": None}
    return number(draft(STREAM, "log", fields, projected=False), json_prefix(STREAM), sequence)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.lists(st.tuples(TEXT, st.sampled_from(sorted(LEVELS))), min_size=1, max_size=6))
def test_any_text_comes_out_as_it_went_in(lines: list[tuple[str, str]]) -> None:
    events = [event(n, *line) for n, line in enumerate(lines, 1)]
    wire = retry() + message("connected", {"stream": STREAM}, 0) + PLAIN.keepalive
    wire += (
        PLAIN.join([PLAIN.frame(e) for e in events]) + PLAIN.keepalive + PLAIN.end(STREAM, None, len(lines))
    )

    (connected, *logs, end), retries = parse(wire)

    assert len(retries) == 1, "none was forged"
    assert (connected.type, end.type, end.id) == ("connected", "end", str(len(lines)))
    assert [(m.id, m.type) for m in logs] == [(str(n), "log") for n in range(1, len(lines) + 1)]
    assert [m.data for m in logs] == [e.payload for e in events], "one data line each"
    read = [json.loads(m.data) for m in logs]
    assert [(r["message"], r["level"]) for r in read] == [(clean(text), level) for text, level in lines]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(TEXT, min_size=1, max_size=4))
def test_common_clients_that_split_elsewhere_read_the_same(texts: list[str]) -> None:
    """Python's splitlines, by which several read, ends a line in seven more places."""
    frames = b"".join(PLAIN.frame(event(n, text, "INFO")) for n, text in enumerate(texts, 1))

    assert frames.decode().splitlines() == frames.decode().split("\n")[:-1]
    assert frames.count(b"\n") == 4 * len(texts)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(TEXT, min_size=1, max_size=4))
def test_chunks_hold_the_same_bytes(texts: list[str]) -> None:
    events = [event(n, text, "INFO") for n, text in enumerate(texts, 1)]

    chunked = CHUNKED.join([CHUNKED.frame(e) for e in events])

    assert unchunked(chunked) == PLAIN.join([PLAIN.frame(e) for e in events])
