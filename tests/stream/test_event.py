"""An event's JSON: one line, parsed back as it went in, and nothing in it that forges another event."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.stream.event import LEVELS, Event, draft, encode, json_prefix, now, number, shortened
from app.stream.message import decode_batch, encode_batch

STREAM = "task:00000000-0000-4000-8000-000000000001"
TEXT = st.text(st.characters(codec=None))  # lone surrogates and NUL as well
VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def made(type: str = "log", **fields: Any) -> Event:
    return number(draft(STREAM, type, {"timestamp": now(), **fields}), json_prefix(STREAM), 7)


def replaced(value: Any) -> Any:
    """What the documented replacements make of a value: NUL becomes U+FFFD, a lone surrogate ``?``."""
    if isinstance(value, str):
        return "".join("?" if "\ud800" <= c <= "\udfff" else c for c in value).replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {replaced(k): replaced(v) for k, v in value.items()}
    return [replaced(v) for v in value] if isinstance(value, list) else value


def test_an_event_names_its_stream_owner_and_sequence():
    event = made(level="INFO", message="hello", phase="read")

    assert event.payload.startswith(f'{{"stream":"{STREAM}","task_id":"{STREAM[5:]}","sequence":7,')
    assert (event.type, event.level, event.phase) == ("log", "INFO", "read")
    assert event.decoded()["message"] == "hello"


def test_a_stream_without_owner_names_none():
    event = number(draft("broadcast", "log", {"timestamp": now()}), json_prefix("broadcast"), 1)

    assert list(event.decoded()) == ["stream", "sequence", "timestamp"]


@pytest.mark.parametrize(
    "message",
    [
        *("one\ntwo", "one\r\ntwo", "one\rtwo", "\n\n", "end\n"),
        *("a\u2028b", "a\u2029b", "a\u0085b", "a\x0bb", "a\x0cb", "a\x1cb", "a\x1db", "a\x1eb", "\ufeffbom"),
        *(
            "data: forged",
            'x"},{"sequence":8',
            "\n\nevent: end\ndata: {}\n\n",
            'INFO\t{"type":"end"}',
            "7 8 end\n",
        ),
        *(
            "back\\slash",
            "\\u0000",
            "\\u2028",
            "\u001b[2J\u001b]8;;javascript:alert(1)\u0007",
            "<script>",
            "\U0001f600",
        ),
    ],
)
def test_a_message_comes_back_as_it_was_on_one_line(message: str):
    event = made(level="INFO", message=message)

    assert event.decoded()["message"] == json.loads(event.payload)["message"] == message
    assert event.payload.splitlines() == [event.payload]


@pytest.mark.parametrize(
    ("given_text", "stored"),
    [
        ("a\0b", "a\ufffdb"),
        (os.fsdecode(b"caf\xe9.txt"), "caf?.txt"),
        ("high \ud83d alone", "high ? alone"),
        ("low \ude00 alone", "low ? alone"),
        ("\0\udcff\n", "\ufffd?\n"),
    ],
)
def test_what_postgres_cannot_hold_is_replaced_wherever_it_stands(given_text: str, stored: str):
    event = made(message=given_text, phase=given_text, nested={given_text: [given_text, (given_text,)]})

    assert event.decoded()["message"] == event.phase == stored
    assert event.decoded()["nested"] == {stored: [stored, [stored]]}
    assert event.payload.encode("utf-8") and "\\u0000" not in event.payload and "\0" not in event.payload


@pytest.mark.parametrize(
    "type",
    [
        "",
        "Log",
        "log\n",
        "log\nevent: end",
        "a b",
        "a\tb",
        "a:b",
        "log\0",
        "1a",
        ".",
        "_",
        "é",
        "a" * 65,
        "a{b",
        'a"',
    ],
)
def test_a_type_that_could_forge_a_frame_is_refused(type: str):
    with pytest.raises(ValueError, match="no event type"):
        made(type)


@pytest.mark.parametrize("level", ["info", "TRACE", "", "INFO\n", "INFO\t", 20, ["INFO"], "NULL"])
def test_a_level_that_is_none_is_refused(level: Any):
    with pytest.raises(ValueError, match="no level"):
        made(level=level)


@pytest.mark.parametrize("level", [None, *LEVELS])
def test_every_level_is_taken(level: str | None):
    assert made(level=level).level == level


@pytest.mark.parametrize("name", ["stream", "sequence", "task_id"])
def test_a_field_cannot_speak_for_the_stream(name: str):
    # Parsers take the last of two equal keys: such a field would move a viewer's cursor.
    with pytest.raises(ValueError, match="stream's own"):
        made(**{name: 99})


def test_a_user_event_may_name_a_task():
    fields = {"timestamp": now(), "task_id": "t"}

    assert (
        number(draft("user:u", "status_changed", fields), json_prefix("user:u"), 1).decoded()["task_id"]
        == "t"
    )


@pytest.mark.parametrize("phase", [5, ["read"], {"a": 1}, True])
def test_a_phase_is_text(phase: Any):
    with pytest.raises(ValueError, match="no phase"):
        made(phase=phase)


def test_an_event_without_fields_is_refused():
    with pytest.raises(ValueError, match="has fields"):
        draft(STREAM, "log", {})


@pytest.mark.parametrize("value", [object(), 2**64, {1, 2}])
def test_what_json_cannot_hold_is_a_type_error(value: Any):
    with pytest.raises(TypeError):
        made(value=value)


def test_the_projection_folds_what_viewers_read():
    item = draft(STREAM, "task_status", {"timestamp": "t", "title": "a\0b", "n": 1.0, "t": (1, 2)})

    assert (
        item.data
        == json.loads("{" + item.tail)
        == {"timestamp": "t", "title": "a\ufffdb", "n": 1.0, "t": [1, 2]}
    )
    assert draft(STREAM, "log", {"timestamp": "t"}, projected=False).data is None


def test_a_cut_text_tells_its_size():
    assert shortened("short", 5) == "short"
    assert shortened("x" * 10_000_000, 5) == "xxxxx… [cut: 10,000,000 characters in all]"


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.dictionaries(TEXT, VALUE, max_size=5))
@example({"a\ud800": 1, "b": {"\0": "\u2028"}})
def test_any_fields_survive(fields: dict[str, Any]):
    text = "{" + encode(fields)

    assert json.loads(text) == replaced(fields)
    assert not set(text) & set("\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
    assert text.splitlines() == [text]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.lists(VALUE, min_size=1, max_size=4),
    st.integers(1, 2**62),
    st.booleans(),
    st.sampled_from([None, *LEVELS]),
)
def test_a_batch_survives_the_broker(values: list[Any], first: int, closes: bool, level: str | None):
    drafts = [draft(STREAM, "log", {"timestamp": now(), "level": level, "value": v}) for v in values]
    events = [number(d, json_prefix(STREAM), first + i) for i, d in enumerate(drafts)]

    decoded, closed = decode_batch(STREAM, encode_batch(events, closes))

    assert closed is closes
    assert [(e.sequence, e.type, e.level, e.payload) for e in decoded] == [
        (e.sequence, e.type, e.level, e.payload) for e in events
    ]
