"""Parameters are refused by name, and bounded in time whatever they are; defaults are filled in."""

from __future__ import annotations

from typing import Any

import pytest

from app.jobs.params import MOST_VALUES, ParamsRefused, validated
from app.jobs.types import JobType

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["folder"],
    "properties": {
        "folder": {"type": "string", "minLength": 1, "maxLength": 10},
        "mode": {"type": ["string", "null"], "enum": ["fast", "exact", None], "default": None},
        "width": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10},
        "scale": {"type": "number", "exclusiveMinimum": 0},
        "names": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "string"}},
        "options": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"depth": {"type": "integer", "default": 3}, "deep": {"type": "boolean"}},
        },
        "sizes": {"type": "object", "additionalProperties": {"type": "integer"}},
        "code": {"type": "string", "pattern": "^(a+)+$"},
        "many": {"type": "array", "items": {"type": "integer"}},
    },
}
JOB = JobType("resize", params=SCHEMA)
RIGHT = {"folder": "x"}
FILLED = {"folder": "x", "mode": None, "width": 10}


def refusal(params: Any) -> dict[str, list[str]]:
    with pytest.raises(ParamsRefused) as refused:
        validated(JOB, params)
    return refused.value.messages


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        ({"colour": 1}, "colour", "Unknown field."),
        ({"folder": 1}, "folder", "Not a valid string."),
        ({"folder": None}, "folder", "Field may not be null."),
        ({"folder": ""}, "folder", "Shorter than minimum length 1."),
        ({"folder": "x" * 11}, "folder", "Longer than maximum length 10."),
        ({"mode": "slow"}, "mode", "Must be one of: fast, exact."),
        ({"width": "5"}, "width", "Not a valid integer."),
        ({"width": True}, "width", "Not a valid integer."),
        ({"width": 1.5}, "width", "Not a valid integer."),
        ({"width": 0}, "width", "Must be greater than or equal to 1."),
        ({"width": 101}, "width", "Must be less than or equal to 100."),
        ({"scale": 0}, "scale", "Must be greater than 0."),
        ({"scale": "1"}, "scale", "Not a valid number."),
        ({"names": []}, "names", "Shorter than minimum length 1."),
        ({"names": ["a"] * 4}, "names", "Longer than maximum length 3."),
        ({"names": ["a", 2]}, "names.1", "Not a valid string."),
        ({"names": {}}, "names", "Not a valid array."),
        ({"options": {"depth": None}}, "options.depth", "Field may not be null."),
        ({"options": {"color": 1}}, "options.color", "Unknown field."),
        ({"sizes": {"small": "x"}}, "sizes.small", "Not a valid integer."),
        ({"many": [1, 1e300]}, "many.1", "Not a valid integer."),
    ],
)
def test_what_is_wrong_is_named(wrong: dict[str, Any], field: str, message: str) -> None:
    assert refusal(RIGHT | wrong)[field] == [message]


def test_each_field_that_is_wrong_is_named() -> None:
    assert refusal({"width": 0, "options": {"deep": 1}, "a": 1, "b": 2}) == {
        "folder": ["Missing data for required field."],
        "width": ["Must be greater than or equal to 1."],
        "options.deep": ["Not a valid boolean."],
        "a": ["Unknown field."],
        "b": ["Unknown field."],
    }
    assert list(refusal([])) == [""]


def test_a_keyword_without_words_of_its_own_is_told_by_the_library() -> None:
    assert "does not match" in refusal(RIGHT | {"code": "b"})["code"][0]


def test_defaults_are_filled_in_in_the_order_of_the_schema() -> None:
    assert list(validated(JOB, {"width": 5, "folder": "x"}).items()) == [
        *(("folder", "x"), ("mode", None), ("width", 5))
    ]
    assert validated(JOB, RIGHT | {"options": {}}) == FILLED | {"options": {"depth": 3}}
    assert validated(JOB, RIGHT | {"sizes": {"a": 1}, "names": ["b"]}) == FILLED | {
        "sizes": {"a": 1},
        "names": ["b"],
    }
    assert validated(JobType("any"), {"what": "ever"}) == {"what": "ever"}


def test_whole_numbers_are_integers_however_they_are_written() -> None:
    width = validated(JOB, RIGHT | {"width": 5.0, "scale": 2.0})

    assert (repr(width["width"]), repr(width["scale"])) == ("5", "2.0")


def test_the_defaults_of_a_type_are_nobodys_to_change() -> None:
    job = JobType("x", params={"properties": {"names": {"type": "array", "default": []}}})

    validated(job, {})["names"].append("mine")

    assert validated(job, {}) == {"names": []}


@pytest.mark.parametrize(
    "wrong",
    [
        {"many": ["x"] * 16_000},
        {"sizes": {f"n{n}": "x" for n in range(5_000)}},
        {"names": [[0]] * 10_000},
    ],
)
def test_of_a_great_many_mistakes_the_first_is_named_alone(wrong: dict[str, Any]) -> None:
    """Each would cost the loop of the web process some microseconds."""
    assert len(refusal(RIGHT | wrong)) == 1
    assert len(refusal(RIGHT | {"many": ["x"] * (MOST_VALUES // 2)})) == MOST_VALUES // 2


def test_a_pattern_that_steps_back_without_end_is_ended() -> None:
    assert refusal(RIGHT | {"code": "a" * 60_000 + "b"}).keys() == {"code"}
    backs = JobType("x", params={"properties": {"code": {"type": "string", "pattern": r"^(a|aa)+\1?$"}}})

    with pytest.raises(ParamsRefused):
        validated(backs, {"code": "a" * 60 + "b"})
