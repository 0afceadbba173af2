"""docs/reliability.md names tests for thirty bad inputs and faults; one that is renamed must be renamed there too."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| (\d+) \|.*\|(.*)\|$", re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def names_in(path: Path) -> set[str]:
    """What pytest may find at the top of the file."""
    tree = ast.parse(path.read_text())
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    bound = {target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets
             if isinstance(target, ast.Name)}  # fmt: skip
    return names | bound


def test_each_of_the_thirty_rows_names_tests_that_are_there() -> None:
    page = (ROOT / "docs/reliability.md").read_text().partition("## The thirty bad inputs and faults")[2]

    rows = {int(number): NAMED.findall(shown) for number, shown in ROW.findall(page)}

    assert list(rows) == list(range(1, 31))
    assert all(rows.values())
    missing = [f"{n}: {file}::{name}" for n, named in rows.items() for file, name in named
               if not (ROOT / file).is_file() or name not in names_in(ROOT / file)]  # fmt: skip
    assert not missing
