"""What comes after a task of a canvas, as its own message says before any of it is sent."""

from __future__ import annotations

from typing import Any

import pytest

from taskroom.celery.ahead import FURTHER, LONGEST, MOST, ahead
from tests.instrument.conftest import MakeShop
from tests.instrument.shop import Shop

slow = pytest.mark.slow


def shown(parts: list[dict[str, Any]]) -> list[str]:
    """Each part as its step, its name, how many there are of it, and whether it waits for a chord."""
    return [
        f"{part['step']} {part['job_type'].rpartition('.')[2]}"
        + (f" x{part['count']}" if "count" in part else "")
        + (" after all" if part.get("chord") else "")
        for part in parts
    ]


@slow
def test_a_chain_says_what_follows_where_it_is_sent_and_where_it_runs(running: Shop) -> None:
    program = """
sent = chain(waits.si("go-chain"), group(add.si(1, 1), add.si(2, 2), talk.si()), total.s(), add.s(5)).delay()
print(sent.id, sent.parent.id, sent.parent.parent.parent.id)
"""
    last, body, first = running.run(program)[0].split()
    running.has_line(first, "waiting")
    said = [one["fields"]["ahead"] for one in running.of(first) if one["kind"] == "task"]

    assert len(said) == 2 and said[0] == said[1], "by the sender, and by the worker"
    assert shown(said[0]) == ["1 add x2", "1 talk", "2 total", "3 add"]
    assert [part["task_id"] for part in said[0][2:]] == [body, last], "the ids that they will have"
    running.allow("go-chain")
    running.ended(said[0][0]["task_id"], "SUCCESS")
    assert shown(running.fields(said[0][0]["task_id"])["ahead"]) == ["1 total after all", "2 add after all"]


@slow
def test_a_member_that_is_a_chain_names_its_rest_and_then_the_body(running: Shop) -> None:
    program = """
sent = chord([chain(waits.si("go-chord"), add.si(2, 2)), add.si(3, 3)])(total.s())
print(sent.id)
"""
    (body,) = running.run(program)
    (first,) = [one for one in running.said("task") if one["fields"].get("params") == {"name": "go-chord"}][
        :1
    ]
    parts = first["fields"]["ahead"]
    running.allow("go-chord")
    running.ended(body, "SUCCESS")

    assert shown(parts) == ["1 add", "2 total after all"]
    assert parts[1]["task_id"] == body
    assert "ahead" not in running.fields(body)
    assert shown(running.fields(parts[0]["task_id"])["ahead"]) == ["1 total after all"]


@slow
def test_what_is_not_reported_is_not_ahead_either(make_shop: MakeShop) -> None:
    shop = make_shop(exclude=("*.hidden",))
    (first,) = shop.run("print(chain(add.si(1, 1), hidden.si(), add.si(3, 3)).delay().parent.parent.id)")
    alone, without = make_shop(tree=False), "print(chain(add.si(1, 1), add.si(3, 3)).delay().parent.id)"

    assert shown(shop.fields(first)["ahead"]) == ["1 add"]
    (second,) = alone.run(without)
    assert "ahead" not in alone.fields(second)


def signature(name: str, **more: Any) -> dict[str, Any]:
    return {"task": name, "args": [], "kwargs": {}, "options": {"task_id": f"id of {name}"}} | more


def canvas(kind: str, *tasks: Any, **kwargs: Any) -> dict[str, Any]:
    inner = {"header" if kind == "chord" else "tasks": list(tasks)} | kwargs
    return {"task": f"celery.{kind}", "subtask_type": kind, "kwargs": inner, "options": {}}


def test_parts_within_parts_are_named_by_what_they_begin_with() -> None:
    pairs = [canvas("chain", signature("a"), signature("b")), canvas("group", signature("c"), signature("d"))]
    chain = [
        canvas("chord", *pairs, body=canvas("chain", signature("e"), signature("f"))),
        signature("first"),
    ]

    parts = ahead(chain, None, lambda _: True)

    assert [(part["step"], part["job_type"], part["task_id"]) for part in parts] == [
        (1, "first", "id of first"),
        (2, "a → b", "id of a"),
        (2, "group of c", "id of c"),
        (3, "e", "id of e"),
        (4, "f", "id of f"),
    ]


def test_of_many_the_first_are_named_and_the_rest_is_one_row() -> None:
    many = [signature(f"task{n}") for n in range(1_000)]
    long = [signature(f"{n}" + "x" * 150) for n in range(20)]

    parts, fewer = ahead(many, None, lambda _: True), ahead(long, None, lambda _: True)

    assert [part["job_type"] for part in (parts[0], parts[MOST - 1])] == ["task999", "task980"]
    assert parts[MOST:] == [{"step": MOST + 1, "job_type": FURTHER}]
    assert sum(len(part["job_type"]) for part in fewer[:-1]) <= LONGEST and fewer[-1]["job_type"] == FURTHER


@pytest.mark.parametrize(
    "chain",
    [
        None,
        "text",
        3,
        [None, 7],
        [{}],
        [{"task": None}],
        [canvas("chord", None, body=None)],
        iter([signature("a")]),
    ],
)
def test_what_is_no_canvas_has_nothing_ahead(chain: Any) -> None:
    assert ahead(chain, None, lambda _: True) == []


def test_a_generator_of_the_project_is_not_used_up() -> None:
    left = iter([signature("a"), signature("b")])
    group = canvas("group")
    group["kwargs"]["tasks"] = left

    assert ahead([group], None, lambda _: True) == []
    assert len(list(left)) == 2


def test_names_of_tasks_are_in_it_and_nothing_else_of_them() -> None:
    secret = signature("pay", args=["card 4711"], kwargs={"token": "abc"}, immutable=True)

    parts = ahead([secret], None, lambda _: True)

    assert parts == [{"step": 1, "job_type": "pay", "task_id": "id of pay"}]
