"""The tables of docs/operations.md, "Errors": what each part does for each cause, and the cause of each error."""

from __future__ import annotations

import re

from tests.support.system import ROOT

Rows = list[dict[str, str]]


def _tables() -> list[Rows]:
    section = (ROOT / "docs/operations.md").read_text().partition("\n## Errors\n")[2].partition("\n## ")[0]
    found: list[Rows] = []
    for block in re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE):
        head, _, *rows = [
            [cell.strip() for cell in line.strip("|").split(" | ")] for line in block.splitlines()
        ]
        found.append([dict(zip(head, row, strict=True)) for row in rows])
    return found


PARTS, _ERRORS = _tables()
PART_OF: dict[str, dict[str, str]] = {row["cause"]: row for row in PARTS}

# By each name of the first column: a SQLSTATE, the first word of Redis, an errno.
CAUSE_OF: dict[str, str] = {
    name: row["cause"] for row in _ERRORS for name in re.findall(r"`([^`]+)`", row["error"])
}
NO_SQLSTATE = next(row["cause"] for row in _ERRORS if row["error"] == "no SQLSTATE")
MALFORMED = next(row["cause"] for row in _ERRORS if row["error"] == "a malformed answer")
UNENCODABLE = next(row["cause"] for row in _ERRORS if row["error"].startswith("a text with NUL"))


def cause_of(name: str) -> str:
    """The cause that the table has for this error; ``name`` is empty for none of Postgres's SQLSTATEs."""
    return CAUSE_OF[name] if name else NO_SQLSTATE
