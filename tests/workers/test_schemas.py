"""The JSON Schema of a job's parameters refuses nothing that marshmallow takes, and names what marshmallow refuses."""

from __future__ import annotations

import re
from typing import Any

import pytest
from marshmallow import INCLUDE, Schema, ValidationError, fields, validate, validates_schema

from app.jobs.params import validated
from app.jobs.types import JobType
from workers.schemas import InvalidParams, json_schema, loaded


class Inner(Schema):
    depth = fields.Integer(load_default=3)


class Params(Schema):
    texts = fields.List(fields.String(), load_default=list, validate=validate.ContainsOnly(["a", "b"]))
    more = fields.Dict(load_default=dict)
    python = fields.String(validate=validate.Regexp(r"[a-z]+\Z"))
    any_case = fields.String(validate=validate.Regexp("^[a-z]+$", flags=re.IGNORECASE))
    plain = fields.String(validate=validate.Regexp("^[a-z]+$"))
    day = fields.DateTime(format="%d.%m.%Y")
    inner = fields.Nested(Inner, allow_none=True)
    number = fields.Float(validate=validate.Range(0, min_inclusive=False))
    renamed = fields.String(data_key="re-named", metadata={"description": "Another name"})

    @validates_schema
    def together(self, data: dict[str, Any], **_: Any) -> None:
        if data["texts"] and data["more"]:
            raise ValidationError("Give texts or more.")
        if "x" in data["more"]:
            raise ValidationError({"more": {"x": ["Not x."]}})


JOB = JobType("any", params=json_schema(Params))


@pytest.mark.parametrize(
    "given",
    [
        {"texts": ["a", "b"]},
        {"more": {"y": [1, {"z": None}]}},
        {"python": "abc"},
        {"any_case": "ABC"},
        {"plain": "abc"},
        {"day": "29.11.2026"},
        {"inner": {"depth": 4}},
        {"inner": None},
        {"number": 1},
        {"re-named": "x"},
    ],
)
def test_what_marshmallow_takes_is_taken(given: dict[str, Any]) -> None:
    filled = validated(JOB, given)

    assert filled == {"texts": [], "more": {}} | given
    assert loaded(Params, filled) == loaded(Params, given)


def test_what_both_can_say_is_in_the_schema() -> None:
    found = JOB.params["properties"]

    assert (found["plain"]["pattern"], found["re-named"]["description"]) == ("^[a-z]+$", "Another name")
    assert not {"pattern"} & (found["python"].keys() | found["any_case"].keys() | found["day"].keys())
    assert JOB.params["additionalProperties"] is False
    assert json_schema(Schema.from_dict({}, name="Open"))["additionalProperties"] is False

    class Open(Schema):
        class Meta:
            unknown = INCLUDE

    assert json_schema(Open)["additionalProperties"] is True


def test_what_only_marshmallow_refuses_is_named_as_the_web_names_it() -> None:
    for given, message in (
        ({"texts": ["c"]}, "params.texts: One or more of the choices you made was not in: a, b."),
        ({"texts": ["a"], "more": {"y": 1}}, "params: Give texts or more."),
        ({"more": {"x": 1}}, "params.more.x: Not x."),
        ({"number": 0, "python": "A"}, "params.python: .*; params.number: .*"),
    ):
        validated(JOB, given)
        with pytest.raises(InvalidParams) as refused:
            loaded(Params, given)
        assert re.fullmatch(message, str(refused.value)) or str(refused.value) == message


def test_a_schema_that_json_schema_cannot_hold_is_an_error() -> None:
    class Odd(fields.Field[Any]):
        def _serialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
            raise ArithmeticError("as asked")

    with pytest.raises(ArithmeticError):
        json_schema(Schema.from_dict({"odd": Odd(load_default=1)}))
    with pytest.raises(ValueError):
        json_schema(Schema.from_dict({"odd": fields.Integer(metadata={"maximum": "high"})}))
