"""Pages that name the test for what they promise: one that is renamed must be renamed there too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| (\d+) \|.*\|(.*)\|$", re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py|static/src/[\w/]+\.test\.ts)::([^`]+)`")
IN_VITEST = re.compile(r"""^\s*(?:it|test)\("([^"]+)",""", re.MULTILINE)


def names_in(path: Path) -> set[str]:
    """What pytest may find at the top of the file, or vitest anywhere in it."""
    if path.suffix == ".ts":
        return set(IN_VITEST.findall(path.read_text()))
    tree = ast.parse(path.read_text())
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    bound = {target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets
             if isinstance(target, ast.Name)}  # fmt: skip
    return names | bound


def missing(named: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{file}::{name}" for file, name in named
            if not (ROOT / file).is_file() or name not in names_in(ROOT / file)]  # fmt: skip


def test_each_of_the_thirty_rows_names_tests_that_are_there() -> None:
    page = (ROOT / "docs/reliability.md").read_text().partition("## The thirty bad inputs and faults")[2]

    rows = {int(number): NAMED.findall(shown) for number, shown in ROW.findall(page)}

    assert list(rows) == list(range(1, 31))
    assert all(rows.values())
    assert missing(named for row in rows.values() for named in row) == []


def test_each_promise_of_the_five_documents_names_tests_that_are_there() -> None:
    page = (ROOT / "docs/seeds.md").read_text()
    sections = re.split(r"^## (?=\d)", page, flags=re.MULTILINE)[1:]

    rows = [row for section in sections for row in section.splitlines() if row.startswith("| ")]
    promises = [row for row in rows if not row.startswith(("| promised", "|---"))]

    assert len(sections) == 5 and len(promises) > 80
    assert [row for row in promises if not NAMED.findall(row)] == []
    assert missing(named for row in promises for named in NAMED.findall(row)) == []
