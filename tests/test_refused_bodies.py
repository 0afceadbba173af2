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
from hypothesis import given, settings
from hypothesis import strategies as st

import app
from app.api import external_workers
from app.api.agent import Start
from app.api.webhooks import NewWebhook
from app.errors import Unprocessable
from app.http import json_body, problems
from app.http.base import UNKNOWN_FIELDS, ListField, refuse_many_fields
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
        (
            external_workers.BatchSchema(),
            {"writer": "w", "batch": 1, "attempt": 1, "events": [7] * 1_001},
            "events",
        ),
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


def read(body: str) -> Any:
    with Flask(__name__).test_request_context(data=body, content_type="application/json", method="POST"):
        return json_body.json_body()


def parsed(value: str, count: int) -> Any:
    """What a body of a list of ``count`` such values is read as."""
    return read(f"[{','.join([value] * count)}]")


def test_while_the_depth_of_a_large_body_is_checked_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(background, "time", SimpleNamespace(sleep=pauses.append, monotonic=lambda: 0.0))

    assert len(parsed("1", 100_000)) == 100_000

    assert len(pauses) == 20


@pytest.mark.parametrize("value", ["[]", "{}"])
def test_a_body_has_so_many_lists_and_objects_at_most(value: str) -> None:
    """A collection of garbage visits those of all bodies: of five with 50,000 it took 50 ms."""
    assert len(parsed(value, 9_999)) == 9_999
    with pytest.raises(ValueError, match="more than 10,000 lists and objects"):
        parsed(value, 10_000)


def test_a_body_has_so_many_items_and_fields_at_most() -> None:
    """The parser holds the loop for all of them: for 70 ms with 380,000 fields, which two megabytes hold."""
    why = "more than 100,000 lists, objects, items and fields"
    fields = [f'"{n}":0' for n in range(50_001)]

    assert len(parsed("1", 100_000)) == 100_000
    assert len(read(f"{{{','.join(fields[:-1])}}}")) == 50_000
    with pytest.raises(ValueError, match=why):
        parsed("1", 100_001)
    with pytest.raises(ValueError, match=why):
        read(f"{{{','.join(fields)}}}")


def test_what_a_text_holds_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(background, "time", SimpleNamespace(sleep=pauses.append, monotonic=lambda: 0.0))
    text = orjson.dumps('[{,:"' * 100_000).decode()

    assert parsed(text, 2) == ['[{,:"' * 100_000] * 2

    assert len(pauses) == 6, "others run while they are counted twice: a quarter of a megabyte in a turn"


JSON = st.recursive(
    st.none() | st.integers(-9, 9) | st.text('[{,:"\\\naé', max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text('[{,:"\\a', max_size=3), inner, max_size=4)
    ),
    max_leaves=30,
)


def marks(value: Any) -> int:
    """The brackets, commas and colons of a value's JSON."""
    if isinstance(value, dict):
        return 1 + max(0, len(value) - 1) + len(value) + sum(map(marks, value.values()))
    return 1 + max(0, len(value) - 1) + sum(map(marks, value)) if isinstance(value, list) else 0


def test_a_deep_body_is_looked_at_in_pieces_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A level of it had too few values for a piece: all of them were one, which took the loop for 140 ms."""
    pauses: list[float] = []
    monkeypatch.setattr(background, "time", SimpleNamespace(sleep=pauses.append, monotonic=lambda: 0.0))

    assert len(parsed("[" * 60 + "]" * 60, 160)) == 160

    assert len(pauses) == 160 * 60 // 5_000


@pytest.mark.parametrize(("levels", "depth"), [(63, 64), (64, 65)])
def test_a_body_is_nested_in_64_levels_at_most(levels: int, depth: int) -> None:
    nested = "[" * levels + "]" * levels
    if depth <= 64:
        assert parsed(nested, 2)
    else:
        with pytest.raises(ValueError, match="nested deeper than 64 levels"):
            parsed(nested, 2)


@settings(derandomize=True, deadline=None)
@given(JSON, st.integers(1, 20))
def test_values_are_counted_as_the_parser_sees_them(value: Any, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_body, "COUNTED_BYTES", piece)
        assert json_body._count_outside_texts(orjson.dumps(value), b"[{,:") == marks(value)


def test_a_batch_of_bad_events_is_looked_at_until_enough_is_known() -> None:
    event = {"type": "log"} | {f"f{n}": 0 for n in range(40)}
    with pytest.raises(Unprocessable) as refused:
        external_workers._checked([event] * 1_000)
    with pytest.raises(Unprocessable) as crowded:
        external_workers._checked([event | {f"g{n}": 0 for n in range(25_000)}])

    errors = refused.value.errors
    assert len(orjson.dumps(errors)) < 2 * problems.ERRORS_SIZE
    assert {name.partition(".")[2].partition(".")[0] for name in errors} <= {"", "0", "1", "2"}
    assert crowded.value.errors.keys() == {"events.0"}
