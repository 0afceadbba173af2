"""The tables of docs/auth.md, from which the tests of access take what they expect."""

from __future__ import annotations

import re

from tests.support.system import ROOT

AUTH = (ROOT / "docs/auth.md").read_text()


LINES = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in AUTH.splitlines()
    if line.startswith("| ")
]


def rows_of(name: str) -> dict[str, dict[str, str]]:
    """A table of docs/auth.md, whose first column has that name: the cells of each row, of a role also of those without
    a tenant, by the heads of the columns."""
    found: dict[str, dict[str, str]] = {}
    heads = next(cells for cells in LINES if cells[0] == name)
    for cells in LINES[LINES.index(heads) + 1 :]:
        if not (named := re.match(r"`(\w+)`( without a tenant)?", cells[0])) or len(cells) != len(heads):
            break
        found[named[1] + (named[2] or "")] = dict(zip(heads, cells, strict=True))
    return found
