"""The table of all limits says what the product has: each row is looked up, and none is left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.limits import serving, working
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


class Limit(NamedTuple):
    where: str
    what: str
    default: str
    setting: str


def table() -> list[Limit]:
    section = (ROOT / "docs/operations.md").read_text().partition("\n## Limits\n")[2].partition("\n## ")[0]
    head, rule, *rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    assert (head[2:], set("".join(rule))) == (["default", "setting"], set("-|"))
    return [Limit(*row) for row in rows]


LIMITS = table()
SET = [limit for limit in LIMITS if limit.setting != NONE]
FIXED = [limit for limit in LIMITS if limit.setting == NONE]
EXPECTED = [*serving.ROWS, *working.ROWS]


def number(text: str) -> float:
    return float(text.replace(",", ""))


def figures(cell: str) -> list[float]:
    """The numbers of a cell, in bytes and seconds where it names a unit."""
    return [number(figure) * UNITS.get(unit, 1) for figure, unit in FIGURE.findall(cell)]


@pytest.mark.parametrize("limit", SET, ids=[limit.setting for limit in SET])
def test_the_default_of_a_setting_is_the_products(limit: Limit) -> None:
    variable = limit.setting.strip("`")
    if limit.default.startswith("`"):  # a list, as the variable takes it
        expected: Any = tuple(float(part) for part in limit.default.strip("`").split(","))
        probe = "1"
    else:
        expected = number(re.match(NUMBER, limit.default)[0])  # type: ignore[index]
        probe = str(int(expected) + 1)

    assert default_of(variable, probe) == expected


@pytest.mark.parametrize(("words", "cell", "has"), EXPECTED, ids=[words for words, _, _ in EXPECTED])
def test_the_product_has_what_the_row_says(words: str, cell: str, has: Callable[[], Any]) -> None:
    (row,) = [limit for limit in FIXED if limit.what.startswith(words)]

    value = has()

    assert row.default == cell
    assert figures(cell) == ([*value] if isinstance(value, tuple) else [value])


def test_each_row_is_looked_up_once() -> None:
    looked_up = [limit for words, _, _ in EXPECTED for limit in FIXED if limit.what.startswith(words)]

    assert sorted(looked_up) == sorted(FIXED)
    assert len({limit.setting for limit in SET}) == len(SET)
    assert len({limit.what for limit in LIMITS}) == len(LIMITS)


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
    assert len(re.findall(r"^\|.*\| default \|", file("docs/operations.md"), re.MULTILINE)) == 1
