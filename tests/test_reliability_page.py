"""What docs/reliability.md says of faults that once broke a promise: each row names tests that are there."""

from __future__ import annotations

import pytest

from tests.test_docs import NAMED, ROOT, missing

HEADING = "## Faults that broke a promise once"


@pytest.mark.slow
def test_each_fault_names_tests_that_are_there() -> None:
    section = (ROOT / "docs/reliability.md").read_text().partition(HEADING)[2].partition("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("| ")][1:]

    assert rows
    assert [row for row in rows if not NAMED.findall(row)] == []
    assert missing(named for row in rows for named in NAMED.findall(row)) == []
