"""The tables of all limits say what the product has: each row is one limit, is looked up, and none is left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.limits import around, observed, requests, sdk, streams, tasks
from tests.limits.product import ROOT, default_of, file

NONE = "—"
UNITS = {
    "kB": 1_000,
    "MB": 1_000_000,
    "KiB": 1_024,
    "MiB": 1_048_576,
    "ms": 0.001,
    "s": 1,
    "min": 60,
    "h": 3_600,
}
UNITS |= {"day": 86_400, "days": 86_400}
NUMBER = r"\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?"
FIGURE = re.compile(rf"({NUMBER})(?: ({'|'.join(UNITS)})\b)?")
# Variables whose numbers bound nothing.
OTHERS = {"PORT", "WORKER_METRICS_PORT", "TASKROOM_PROCESS", "TRUSTED_PROXIES", "WEB_PROCESSES"}


HEAD = ["limit", "default", "setting", "beyond it"]


class Limit(NamedTuple):
    group: str
    what: str
    default: str
    setting: str
    beyond: str


def table() -> list[Limit]:
    section = (ROOT / "docs/operations.md").read_text().partition("\n## Limits\n")[2].partition("\n## ")[0]
    found = list[Limit]()
    for part in section.split("\n### ")[1:]:
        group, *lines = part.splitlines()
        head, rule, *rows = [
            [cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("|")
        ]
        assert (head, set("".join(rule))) == (HEAD, set("-|")), group
        found += [Limit(group, *row) for row in rows]
    return found


LIMITS = table()
SET = [limit for limit in LIMITS if limit.setting != NONE]
FIXED = [limit for limit in LIMITS if limit.setting == NONE]
GROUPS = {**requests.ROWS, **streams.ROWS, **tasks.ROWS, **observed.ROWS, **around.ROWS, **sdk.ROWS}
EXPECTED = [(group, *row) for group, rows in GROUPS.items() for row in rows]


def of(group: str, words: str) -> list[Limit]:
    """The row of that name, else those whose names begin with the words."""
    rows = [limit for limit in FIXED if limit.group == group]
    return [row for row in rows if row.what == words] or [row for row in rows if row.what.startswith(words)]


def number(text: str) -> float:
    return float(text.replace(",", ""))


def figures(cell: str) -> list[float]:
    """The numbers of a cell, in bytes and seconds where it names a unit."""
    return [number(figure) * UNITS.get(unit, 1) for figure, unit in FIGURE.findall(cell)]


@pytest.mark.parametrize("limit", SET, ids=[limit.what for limit in SET])
def test_the_default_of_a_setting_is_the_products(limit: Limit) -> None:
    variable = limit.setting.strip("`")
    if limit.default.startswith("`"):  # a list, as the variable takes it
        expected: Any = tuple(float(part) for part in limit.default.strip("`").split(","))
        probe = "1"
    else:
        expected = number(re.match(NUMBER, limit.default)[0])  # type: ignore[index]
        probe = str(int(expected) + 1)

    assert default_of(variable, probe) == expected


@pytest.mark.parametrize(
    ("group", "words", "cell", "has"), EXPECTED, ids=[f"{group}: {words}" for group, words, _, _ in EXPECTED]
)
def test_the_product_has_what_the_row_says(group: str, words: str, cell: str, has: Callable[[], Any]) -> None:
    (row,) = of(group, words)

    assert row.default == cell
    assert figures(cell) == [has()]


def test_each_row_is_looked_up_once() -> None:
    looked_up = [limit for group, words, _, _ in EXPECTED for limit in of(group, words)]

    assert sorted(looked_up) == sorted(FIXED)
    assert len({(limit.group, limit.what) for limit in LIMITS}) == len(LIMITS)
    assert list(GROUPS) == list(dict.fromkeys(limit.group for limit in LIMITS))


def test_each_row_is_one_limit_and_says_what_becomes_of_more() -> None:
    several = [limit for limit in LIMITS if len(figures(limit.default)) != 1 and "`" not in limit.default]

    assert several == []
    assert [limit for limit in LIMITS if not limit.beyond or ";" in limit.default] == []


def test_each_setting_that_is_a_number_stands_in_the_table() -> None:
    read = "".join(file(f"app/{name}.py") for name in ("config/__init__", "up/settings"))
    numbers = set(re.findall(r'\b_?(?:whole|number|integer|seconds)(?:\(|, |\(env, )"(\w+)"', read))

    assert {limit.setting.strip("`") for limit in SET} == numbers - OTHERS


def test_no_other_table_has_settings_that_are_limits() -> None:
    variables = (
        file("docs/deployment.md").partition("\n| variable | default | meaning |\n")[2].partition("\n\n")[0]
    )
    named = set(re.findall(r"`([A-Z_]{4,})`", "".join(re.findall(r"^\| (.*?) \| ", variables, re.MULTILINE))))

    assert named and named.isdisjoint(limit.setting.strip("`") for limit in SET)
    assert len(re.findall(r"^\|.*\| default \|", file("docs/operations.md"), re.MULTILINE)) == len(GROUPS)
