"""Each call that can be refused and changes something has words in the trail: the page has them for all of a list."""

from __future__ import annotations

import json

from tests.vectors.record_calls import FILE, calls


def test_the_list_of_calls_with_words_has_all_routes() -> None:
    """tests/api/test_access_matrix.py sees to it that no route is missing from the table. After a change of it run
    ``python -m tests.vectors.record_calls``, and give the new call words in static/src/state/refused-call.ts."""
    assert json.loads(FILE.read_text()) == calls()
