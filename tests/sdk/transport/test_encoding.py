"""Values of any kind become JSON that the server takes, and nothing raises."""

from __future__ import annotations

import datetime
import decimal
import enum
import json
import uuid
from collections import OrderedDict, deque
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskroom._transport.encoding import encode_event, encode_fields, stamp

AT = 1_764_435_792.123456


def encoded(value: Any) -> Any:
    return json.loads(encode_fields({"value": value}))["value"]


def test_a_line_of_the_log_is_encoded_as_it_is() -> None:
    event = {"type": "log", "timestamp": "t", "message": 'It says "ä → 1"\n', "component": None}

    assert encode_event(event, AT).decode() == (
        '{"type":"log","timestamp":"t","message":"It says \\"ä → 1\\"\\n","component":null}'
    )


def test_an_event_without_a_time_gets_the_one_at_which_it_was_given() -> None:
    assert stamp(AT) == "2025-11-29T17:03:12.123456Z"
    assert json.loads(encode_event({"type": "log", "message": "x"}, AT))["timestamp"] == stamp(AT)


class Color(enum.Enum):
    RED = "red"


class Number:
    """As a number of numpy."""

    nbytes = 8

    def tolist(self) -> Any:
        return 1.5


class Array(Number):
    nbytes = 24

    def tolist(self) -> Any:
        return [1, 2, float("nan")]


class LargeArray(Array):
    nbytes = 10**9

    def __repr__(self) -> str:
        return "array of a billion"


class Silent:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class Text(str):
    pass


class BadMapping(OrderedDict):  # type: ignore[type-arg]
    def items(self) -> Any:
        raise RuntimeError("changed")

    def __repr__(self) -> str:
        raise RuntimeError("changed")


@pytest.mark.parametrize(
    "value, expected",
    [
        (b"\x00\xff", "b'\\x00\\xff'"),
        (datetime.datetime(2025, 1, 2, 3, 4, 5), "2025-01-02T03:04:05"),
        (datetime.date(2025, 1, 2), "2025-01-02"),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (PurePosixPath("/a/b"), "/a/b"),
        (Color.RED, "red"),
        ({3}, [3]),
        ((1, (2,)), [1, [2]]),
        (deque([1]), [1]),
        (Number(), 1.5),
        (Array(), [1, 2, "nan"]),
        (LargeArray(), "array of a billion"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (True, True),
        (2**63 - 1, 2**63 - 1),
        (2**63, "9223372036854775808"),
        (-(2**63) - 1, "-9223372036854775809"),
        ("a\ud800b", "a?b"),
        ("a\0b", "a\ufffdb"),
        (Text("text"), "text"),
        (Silent(), "<Silent>"),
        ({1: "a", None: "b", (1, 2): "c"}, {"1": "a", "None": "b", "(1, 2)": "c"}),
        ({"\ud800": 1}, {"?": 1}),
        (BadMapping(a=1), "<BadMapping>"),
        (range(3), "range(0, 3)"),
        (ValueError("x"), "ValueError('x')"),
    ],
)
def test_odd_values(value: Any, expected: Any) -> None:
    assert encoded(value) == expected


def test_a_whole_number_of_thousands_of_digits() -> None:
    assert encoded(10**5000) == "<int of 16,610 bits>"


def test_a_cycle_and_a_deep_list_end() -> None:
    cycle: dict[str, Any] = {"name": "a"}
    cycle["self"] = [cycle]
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    assert encoded(cycle) == {"name": "a", "self": ["…"]}
    assert json.dumps(encoded(deep)) == "[" * 32 + '"\\u2026"' + "]" * 32


def test_a_value_that_is_there_twice_is_no_cycle() -> None:
    once = [1]

    assert encoded([once, once]) == [[1], [1]]


def test_a_long_message_is_cut_to_what_the_server_takes_and_says_so() -> None:
    message = json.loads(encode_event({"type": "log", "message": "x" * 20_000}, AT))["message"]

    assert len(message) == 16_384
    assert message.startswith("xxx")
    assert message.endswith("x… [cut: 20,000 characters in all]")


def test_of_a_traceback_the_end_is_kept() -> None:
    error = {"type": "E", "message": "m", "traceback": "line\n" * 10_000 + "E: the reason"}

    kept = json.loads(encode_event({"type": "task_status", "error": error}, AT))["error"]["traceback"]

    assert len(kept) == 16_000
    assert kept.startswith("… [cut: 50,013 characters in all]\n")
    assert kept.endswith("E: the reason")


@pytest.mark.parametrize(
    "fields, size",
    [
        (
            {
                "params": {
                    "a": "x" * 16_000,
                    "b": "y" * 16_000,
                    "c": "z" * 16_000,
                    "d": "z" * 16_384,
                    "e": "z" * 4_000,
                }
            },
            68_000,
        )
    ],
)
def test_parameters_that_are_too_large_are_replaced_by_their_size(fields: Any, size: int) -> None:
    stored = json.loads(encode_fields(fields))["params"]

    assert stored["truncated"] is True
    assert size < stored["bytes"] < size + 1_000


def test_a_result_that_is_too_large_is_replaced() -> None:
    listed = {"type": "task_status", "status": "SUCCESS", "result": ["x" * 1_000] * 300}
    endless = {"type": "task_status", "status": "SUCCESS", "result": list(range(10**6))}

    assert json.loads(encode_event(listed, AT))["result"] == {"truncated": True, "bytes": 300_901}
    assert json.loads(encode_event(endless, AT))["result"] == {"truncated": True}
    assert json.loads(encode_event(endless, AT))["status"] == "SUCCESS"


def test_an_event_of_many_large_fields_is_bounded() -> None:
    event = {"type": "log", **{f"f{n}": ["x" * 16_000] * 10 for n in range(20)}}

    encoded = json.loads(encode_event(event, AT))

    assert (encoded["type"], encoded["f0"]) == ("log", {"truncated": True, "bytes": 160_031})


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["\ud800", "a\udfff"])
    | st.binary()
    | st.decimals()
    | st.datetimes()
    | st.complex_numbers(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.frozensets(st.text())
    ),
)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.dictionaries(st.text() | st.sampled_from(["\ud800", "a\udfff"]), anything))
def test_whatever_an_event_holds_it_becomes_strict_json(event: dict[str, Any]) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    text = encode_event(event, AT).decode()

    assert "\n" not in text
    assert "\\u0000" not in text.replace("\\\\", "")
    assert isinstance(json.loads(text, parse_constant=refuse), dict)
