"""Arguments and results without secrets, and of a bounded size."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import pytest
from celery.utils.saferepr import saferepr

from taskroom.celery.options import Options
from taskroom.celery.redaction import HIDDEN, Arguments, Redaction

WORDS = ("password", "token", "secret", "authorization", "api_key")


class Task:
    """As much of one as is needed here."""

    name = "shop.login"

    @staticmethod
    def run(user: str, password: str, *rest: Any, page: int = 1) -> None: ...


def params(
    *args: Any, said: tuple[str, str] | None = None, task: Any = Task, **kwargs: Any
) -> dict[str, Any]:
    """The parameters of a task that got these arguments; ``said`` are the texts of the message."""
    texts = said or (saferepr(args, 1024), saferepr(kwargs, 1024))
    return Arguments(Redaction(WORDS)).of(task, args, kwargs, texts)


def test_names_tell_what_is_secret_however_they_are_written() -> None:
    value = {
        "Password": 1,
        "ACCESS-TOKEN": 2,
        "X_Api-Key": 3,
        "clientSecret": 4,
        "user": {"apiKey": 5, "secret": [6]},
    }

    assert Redaction(WORDS).of(value) == {
        "Password": HIDDEN,
        "ACCESS-TOKEN": HIDDEN,
        "X_Api-Key": HIDDEN,
        "clientSecret": HIDDEN,
        "user": {"apiKey": 5, "secret": HIDDEN},
    }


def test_nothing_is_guessed_from_a_value() -> None:
    assert Redaction(WORDS).of(["Bearer abc", "password"]) == ["Bearer abc", "password"]


def test_positional_arguments_have_the_names_of_the_function() -> None:
    assert params("bob", "hunter2", 3, page=2) == {"user": "bob", "password": HIDDEN, "args": [3], "page": 2}


def test_of_a_task_that_is_not_known_here_they_are_a_list() -> None:
    assert params("bob", {"password": "hunter2"}, task=None) == {"args": ["bob", {"password": HIDDEN}]}


def test_a_text_that_the_sender_has_chosen_is_shown_in_place_of_the_arguments() -> None:
    assert params("bob", task=None, said=("('<name>',)", "{}")) == {"args": "('<name>',)"}
    assert params(page=3, said=("()", "<hidden>")) == {"kwargs": "<hidden>"}


@pytest.mark.parametrize(
    "sent", [(1, "x"), ((1, 2), {"a": (3,)}), ("it's", 'a "b"'), ("é" * 600, 2), ([0] * 900, 1)]
)
def test_arguments_as_they_arrive_are_not_taken_for_a_chosen_text(sent: tuple[Any, ...]) -> None:
    def decoded(value: Any) -> Any:
        """As JSON makes it: tuples are lists."""
        if isinstance(value, (list, tuple)):
            return [decoded(each) for each in value]
        return {key: decoded(each) for key, each in value.items()} if isinstance(value, dict) else value

    found = Arguments(Redaction(WORDS)).of(None, decoded(sent), {}, (saferepr(sent, 1024), "{}"))

    assert isinstance(found["args"], list)


def test_a_text_that_may_have_a_secret_is_not_shown() -> None:
    assert params("bob", "hunter2", said=("('bob', 'hunter3')", "{}")) == {
        "args": HIDDEN
    }  # password is its name
    assert params(1, task=None, said=("({'token': 'abc'},)", "{}")) == {"args": HIDDEN}


def test_large_values_are_cut_in_bounded_time() -> None:
    class Endless(dict[str, int]):
        looked_at = 0

        def items(self) -> Any:
            raise AssertionError("never asked for")

    shown = Redaction(WORDS).of({"rows": list(range(10**6)), "text": "x" * 10**6, "more": 1})

    assert len(shown["rows"]) < 1_001 and shown["rows"][-1] == "… 1,000,000 in all"
    assert "text" not in shown and shown["…"] == "3 in all"
    assert Redaction(WORDS).of(Endless(a=1)) == "<Endless>"
    deep: list[Any] = []
    deep.append(deep)
    assert "…" in repr(Redaction(WORDS).of(deep))


def test_values_of_any_kind_are_shown_as_what_they_say() -> None:
    class Bad:
        def __repr__(self) -> str:
            raise ValueError

    class BadMapping(Mapping[str, int]):
        def __getitem__(self, key: str) -> int:
            raise KeyError(key)

        def __iter__(self) -> Any:
            raise RuntimeError

        def __len__(self) -> int:
            return 1

    now = datetime.datetime(2026, 1, 2)
    assert Redaction(WORDS).of([now, b"x", {1}, Bad(), BadMapping(), object]) == [
        now,
        b"x",
        [1],
        "<Bad>",
        "<BadMapping>",
        "<class 'object'>",
    ]


def test_patterns_and_housekeeping() -> None:
    def options(include: tuple[str, ...] = ("*",), exclude: tuple[str, ...] = ()) -> Options:
        return Options.of(include, exclude, (), stdout=True, cancel="raise", tree=True, source_lines=True)

    assert options().wants("celery.starmap") and not options().wants("celery.chord_unlock")
    assert options(("*", "celery.chord_unlock")).wants("celery.chord_unlock")
    assert [
        options(("shop.*",), ("shop.tick",)).wants(name) for name in ("shop.mail", "shop.tick", "other")
    ] == [
        True,
        False,
        False,
    ]
