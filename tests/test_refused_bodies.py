"""What is refused costs little and is answered shortly, however much of it was wrong."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import marshmallow as ma
import orjson
import pytest
from flask import Flask

import app
from app.api import external
from app.api.agent import Start
from app.api.webhooks import NewWebhook
from app.errors import Unprocessable
from app.http import problems
from app.http.base import UNKNOWN_FIELDS, ListField, json_body, refuse_many_fields
from app.realtime.socketio.rooms import JoinTask
from app.stream import background

TASK = "11111111-1111-4111-8111-111111111111"


def refusal(schema: ma.Schema, body: Any) -> dict[str, list[str]]:
    with pytest.raises(ma.ValidationError) as refused:
        schema.load(body)
    return problems.fields(refused.value.messages)


class Unseen(ma.fields.String):
    """Nobody may look at these."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("it was looked at")


def test_a_list_that_is_too_long_is_refused_before_its_items_are_looked_at() -> None:
    schema = ma.Schema.from_dict({"names": ListField(Unseen(), 1, 50)})()

    for length in (0, 51, 64_000):
        assert refusal(schema, {"names": ["a"] * length}) == {"names": ["Length must be between 1 and 50."]}
    with pytest.raises(AssertionError):
        schema.load({"names": ["a"] * 50})


@pytest.mark.parametrize(
    ("schema", "body", "field"),
    [
        (NewWebhook(), {"url": "https://example.org/", "event_types": ["a"] * 64_000}, "event_types"),
        (JoinTask(), {"task_id": TASK, "types": ["!"] * 24_500}, "types"),
        (external.Batch(), {"writer": "w", "batch": 1, "attempt": 1, "events": [7] * 1_001}, "events"),
    ],
    ids=["webhook", "join", "batch"],
)
def test_one_message_answers_a_list_of_thousands(schema: ma.Schema, body: Any, field: str) -> None:
    found = refusal(schema, body)

    assert set(found) == {field} and len(found[field]) == 1


def schemas(base: type[ma.Schema] = ma.Schema) -> Iterator[type[ma.Schema]]:
    for schema in base.__subclasses__():
        yield schema
        yield from schemas(schema)


def test_no_list_of_ours_with_a_length_looks_at_its_items_first() -> None:
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if module.name.startswith(("app.api", "app.realtime", "app.tasks", "app.auth")):
            importlib.import_module(module.name)

    late = [
        f"{schema.__name__}.{name}"
        for schema in schemas()
        if schema.__module__.startswith("app.")
        for name, field in schema().fields.items()
        if isinstance(field, ma.fields.List)
        and not isinstance(field, ListField)
        and any(isinstance(rule, ma.validate.Length) for rule in field.validators)
    ]

    assert late == []


def test_messages_are_bounded_in_number_and_the_rest_is_counted() -> None:
    found = problems.fields({f"f{n}": ["Unknown field."] for n in range(25_000)})

    assert found.pop(problems.LEFT_OUT) == [f"{25_000 - problems.MOST_ERRORS:,} more were refused."]
    assert list(found) == [f"f{n}" for n in range(problems.MOST_ERRORS)]


def test_messages_are_bounded_in_size_with_what_they_repeat_of_the_body() -> None:
    sent = {"params": {"x" * 60_000: {n: ["!" * 60_000] for n in range(90)}}}
    found = problems.fields(sent)

    assert len(orjson.dumps(found)) < 2 * problems.ERRORS_SIZE
    assert all(len(name) <= problems.LONGEST_NAME + 1 for name in found)
    assert problems.LEFT_OUT in found


def test_fewer_messages_are_told_as_they_are() -> None:
    messages = {"json": {"a": {0: ["One."], "_schema": ["Two.", "Three."]}, "_schema": ["Four."]}}

    assert problems.fields(messages) == {"a.0": ["One."], "a": ["Two.", "Three."], "body": ["Four."]}


@pytest.mark.parametrize("place", ["", "approval"])
def test_an_object_with_thousands_of_fields_is_refused_at_once(place: str) -> None:
    strange = {f"f{n}": 0 for n in range(25_000)}
    with pytest.raises(ma.ValidationError) as refused:
        refuse_many_fields({place: strange} if place else strange, Start())

    found = problems.fields(refused.value.messages)
    assert set(found) == {place or "body"} and "25,000 fields" in str(found)


def test_a_few_unknown_fields_are_left_to_be_named() -> None:
    refuse_many_fields({f"f{n}": 0 for n in range(UNKNOWN_FIELDS)}, Start())
    refuse_many_fields({"params": {f"f{n}": 0 for n in range(10_000)}, "approval": 7}, Start())
    refuse_many_fields([7], Start())


def parsed(value: str, count: int) -> Any:
    """What a body of a list of ``count`` such values is read as."""
    body = f"[{','.join([value] * count)}]".encode()
    with Flask(__name__).test_request_context(data=body, content_type="application/json", method="POST"):
        return json_body()


def test_while_the_depth_of_a_large_body_is_checked_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker may send two megabytes: a million values, which would take a quarter of a second."""
    pauses: list[float] = []
    monkeypatch.setattr(background, "time", SimpleNamespace(sleep=pauses.append))

    assert len(parsed("1", 500_000)) == 500_000

    assert len(pauses) == 100


@pytest.mark.parametrize("value", ["[]", "{}"])
def test_a_body_has_so_many_lists_and_objects_at_most(value: str) -> None:
    assert len(parsed(value, 199_999)) == 199_999
    with pytest.raises(ValueError, match="more than 200,000 lists and objects"):
        parsed(value, 200_000)


def test_a_batch_of_bad_events_is_looked_at_until_enough_is_known() -> None:
    event = {"type": "log"} | {f"f{n}": 0 for n in range(40)}
    with pytest.raises(Unprocessable) as refused:
        external._checked([event] * 1_000)
    with pytest.raises(Unprocessable) as crowded:
        external._checked([event | {f"g{n}": 0 for n in range(25_000)}])

    errors = refused.value.errors
    assert len(orjson.dumps(errors)) < 2 * problems.ERRORS_SIZE
    assert {name.partition(".")[2].partition(".")[0] for name in errors} <= {"", "0", "1", "2"}
    assert crowded.value.errors.keys() == {"events.0"}
